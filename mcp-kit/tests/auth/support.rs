//! Requests with keys, and folders for keys files.

use std::fs;
use std::path::PathBuf;

use http::{HeaderMap, HeaderValue};
use mcp_kit::Principal;
use mcp_kit::auth::{AuthError, Authenticator, Credentials};

/// Who `key` is, sent as `X-API-Key`.
pub async fn ask(keys: &impl Authenticator, key: &str) -> Result<Option<Principal>, AuthError> {
    let mut headers = HeaderMap::new();
    headers.insert("x-api-key", HeaderValue::from_str(key).unwrap());
    keys.authenticate(&Credentials::read(&headers)?).await
}

/// The name that `key` belongs to; none where it is not known.
pub async fn name(keys: &impl Authenticator, key: &str) -> Option<String> {
    let principal = ask(keys, key).await.unwrap()?;
    Some(principal.name().to_owned())
}

/// A folder that is gone with its value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(test: &str) -> Self {
        let name = format!("auth-{test}-{}", std::process::id());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file that its owner alone can read.
    pub fn private(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        fs::write(&path, content).unwrap();
        set_mode(&path, 0o600);
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
pub fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
pub fn set_mode(_: &std::path::Path, _: u32) {}
