//! Guards: types that make the dangerous use of an input impossible.
//!
//! Most security reports about MCP servers come from a few inputs: a string that
//! reaches a shell, a path that leaves its folder, a URL that leads into the
//! operator's network, a secret that is logged. A check in front of such a use
//! can be forgotten. A guard is the type that the use needs, so it cannot:
//!
//! ```text
//!   the client's JSON ──► argument type ──► handle ──► the operating system
//!                         publishes its     has the only
//!                         rules as schema   way to use it
//! ```
//!
//! | input | guard | feature |
//! |---|---|---|
//! | paths of files | [`SandboxPath`] with [`SandboxDir`] | `fs` |
//! | arguments of a program | [`Command`] | `process` |
//! | text that another system interprets | [`text`] | – |
//! | passwords, tokens, keys | [`Sensitive`] | – |
//! | URLs | [`SafeUrl`], reached through [`HttpClient`] | `net` |
//!
//! Guards know no transports and no tools: use them in arguments, in state, in
//! configuration and in code that has nothing to do with a call.
//!
//! The guide has a page for [files](crate::guide::files), [URLs](crate::guide::fetching),
//! [programs](crate::guide::running_programs), [databases](crate::guide::databases) and
//! [secrets](crate::guide::secrets).
#![cfg_attr(
    not(feature = "fs"),
    doc = "",
    doc = "[`SandboxPath`]: crate#features",
    doc = "[`SandboxDir`]: crate#features"
)]
#![cfg_attr(
    not(feature = "net"),
    doc = "",
    doc = "[`SafeUrl`]: crate#features",
    doc = "[`HttpClient`]: crate#features"
)]
#![cfg_attr(
    not(feature = "process"),
    doc = "",
    doc = "[`Command`]: crate#features"
)]

/// Lets `?` box an error that does not implement `Error` itself: the text, and
/// what failed below.
#[cfg(any(feature = "fs", feature = "net"))]
macro_rules! boxed_as_error {
    ($error:ident) => {
        #[derive(Debug)]
        struct AsError($error);

        impl std::fmt::Display for AsError {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::error::Error for AsError {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                self.0.source().map(|source| source as _)
            }
        }

        impl From<$error> for Box<dyn std::error::Error + Send + Sync> {
            fn from(error: $error) -> Self {
                Box::new(AsError(error))
            }
        }

        impl From<$error> for Box<dyn std::error::Error> {
            fn from(error: $error) -> Self {
                Box::new(AsError(error))
            }
        }
    };
}

#[cfg(feature = "fs")]
mod fs;
#[cfg(feature = "net")]
mod net;
#[cfg(feature = "process")]
pub(crate) mod process;
mod sensitive;
pub mod text;

#[cfg(feature = "fs")]
pub use fs::{
    Entry, FileError, FileErrorKind, FileInfo, FileKind, FileReader, IfExists, ListLimits, Listing,
    SandboxDir, SandboxPath, WritableDir,
};
#[cfg(feature = "net")]
pub use net::{
    HttpClient, HttpClientBuilder, HttpClientError, HttpError, HttpErrorKind, HttpRequest,
    HttpResponse, Resolve, SafeUrl, SafeUrlError,
};
#[cfg(feature = "process")]
pub use process::{Command, CommandError, CommandErrorKind, CommandOutput};
pub use sensitive::{InvalidSensitive, Sensitive};
