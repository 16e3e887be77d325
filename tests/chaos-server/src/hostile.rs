//! A tool whose errors and panics do harm of their own, and an authenticator
//! that panics.

use std::error::Error;
use std::fmt;

use garde::Validate;
use mcp_kit::auth::{AuthError, Authenticator, Credentials};
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
pub(crate) struct HostileArgs {
    /// What harm to do.
    #[garde(skip)]
    how: How,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(rename_all = "snake_case")]
#[garde(allow_unvalidated)]
enum How {
    /// An error that panics when it is dropped.
    ErrorDrop,
    /// A message for the model whose source panics when it is dropped.
    SourceDrop,
    /// A panic whose payload panics when it is dropped, and so on.
    PayloadDrop,
    /// An error that panics when it is displayed.
    Display,
    /// An error with a text of 50 MB.
    Huge,
    /// An error that is its own source.
    Endless,
    /// A panic that the tool catches itself.
    Swallow,
    /// A panic that the panic hook does not hear of.
    Resume,
    /// A panic while another one unwinds: the process aborts.
    Abort,
}

/// Fails, and does harm on top of it.
#[tool]
#[expect(clippy::panic, reason = "this is the harm that the tool does")]
pub(crate) async fn hostile(args: HostileArgs) -> Result<String, ToolError> {
    let how = args.how;
    match how {
        How::ErrorDrop | How::Display | How::Huge | How::Endless => Err(Hostile(how))?,
        How::SourceDrop => Err(Hostile(how)).or_user("The source is hostile."),
        How::PayloadDrop => std::panic::panic_any(Bomb(3)),
        How::Swallow => {
            let swallowed = std::panic::catch_unwind(|| panic!("hunter2 was swallowed"));
            Ok(format!("swallowed {}", swallowed.is_err()))
        }
        How::Resume => std::panic::resume_unwind(Box::new("resumed")),
        How::Abort => {
            let _bomb = Bomb(1);
            panic!("the first panic of hunter2")
        }
    }
}

#[derive(Debug)]
struct Hostile(How);

impl fmt::Display for Hostile {
    #[expect(clippy::panic, reason = "this is the harm that the tool does")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            How::Display => panic!("no words for hunter2"),
            How::Huge => (0..50_000).try_for_each(|_| f.write_str(&"hunter2 ".repeat(125))),
            _ => f.write_str("hunter2 was here"),
        }
    }
}

impl Error for Hostile {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        matches!(self.0, How::Endless).then_some(self)
    }
}

impl Drop for Hostile {
    #[expect(clippy::panic, reason = "this is the harm that the tool does")]
    fn drop(&mut self) {
        if matches!(self.0, How::ErrorDrop | How::SourceDrop) {
            panic!("hunter2 was dropped")
        }
    }
}

/// Panics when it is dropped, with a payload that does the same.
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 > 0 {
            #[expect(clippy::panic, reason = "this is the harm that it does")]
            std::panic::panic_any(Self(self.0 - 1));
        }
    }
}

/// Panics for the key `panic`; any other key is its caller's name.
pub(crate) struct Gatekeeper;

#[mcp_kit::async_trait]
impl Authenticator for Gatekeeper {
    #[expect(clippy::panic, reason = "this is the harm that it does")]
    async fn authenticate(
        &self,
        credentials: &Credentials<'_>,
    ) -> Result<Option<Principal>, AuthError> {
        match credentials.api_key() {
            Some("panic") => panic!("hunter2 at the gate"),
            key => Ok(key.map(|name| Principal::new(name, [""; 0]))),
        }
    }
}
