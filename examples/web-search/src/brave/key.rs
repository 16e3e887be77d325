//! The key for Brave's API, in a type that cannot be printed.

use std::fmt;

use mcp_kit::http::HeaderValue;

use super::BraveSetupError;

/// A key for Brave's API. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct ApiKey(HeaderValue);

impl ApiKey {
    /// Takes the key as Brave's dashboard shows it; spaces around it are dropped.
    ///
    /// # Errors
    ///
    /// When it is empty, or holds anything but printable ASCII characters.
    pub fn new(key: &str) -> Result<Self, BraveSetupError> {
        let key = key.trim();
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_graphic()) {
            return Err(BraveSetupError::Key);
        }
        let mut header = HeaderValue::from_str(key).map_err(|_| BraveSetupError::Key)?;
        header.set_sensitive(true);
        Ok(Self(header))
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_the_key_nor_its_errors_can_be_read_in_a_log() {
        let key = ApiKey::new(" BSA-secret ").expect("a good key");
        assert_eq!(format!("{key:?}"), "ApiKey(redacted)");
        assert_eq!(format!("{:?}", key.header()), "Sensitive");
        for bad in ["", "  ", "two words", "schlüssel", "new\nline"] {
            let error = ApiKey::new(bad).expect_err("a bad key");
            assert!(error.to_string().starts_with("BRAVE_API_KEY is not"));
        }
    }
}
