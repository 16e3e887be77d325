//! `CommandError`: why a program did not run to its end, in words for the
//! client.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use crate::call::{Error as CallError, ErrorKind};
use crate::support::text::excerpt;

/// Why a program was not run to its end, or its output cannot be used.
///
/// `?` in a tool makes a [`ToolError`](crate::ToolError) of it: a message for the model if an argument was refused
/// or the program took too long, *busy* if too many programs run, and an internal error, of which
/// the client sees a reference, for everything else.
///
/// Like `ToolError` it does not implement [`std::error::Error`], since `?` would then hide
/// every refusal from the model. It becomes a `Box<dyn Error>` where one is needed.
#[derive(Debug, Clone)]
pub struct CommandError {
    kind: CommandErrorKind,
    text: Cow<'static, str>,
}

/// The kind of a [`CommandError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CommandErrorKind {
    /// An argument of the client begins with `-`, has a NUL, or is too long.
    InvalidArgument,
    /// The program did not end in time and was killed.
    TimedOut,
    /// Too many programs run, or the server is shutting down.
    Busy,
    /// The program ended with a failure, as [`CommandOutput::text`](super::CommandOutput::text)
    /// reports it.
    Failed,
    /// The system could not start or read the program, or the author used [`Command`](super::Command)
    /// in a wrong way.
    Internal,
}

impl CommandError {
    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> CommandErrorKind {
        self.kind
    }

    fn new(kind: CommandErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }

    pub(super) fn hyphen(value: &str) -> Self {
        Self::refused(value, "begins with a character that marks options")
    }

    pub(super) fn nul(value: &str) -> Self {
        Self::refused(value, "has a NUL character")
    }

    /// Omits the value, which can be a secret.
    pub(super) fn nul_in_variable(name: &str) -> Self {
        let text = format!(
            "The value for the variable {name} has a NUL character, which is not allowed here."
        );
        Self::new(CommandErrorKind::InvalidArgument, text)
    }

    fn refused(value: &str, why: &str) -> Self {
        let text = format!("\"{}\" {why}, which is not allowed here.", excerpt(value));
        Self::new(CommandErrorKind::InvalidArgument, text)
    }

    pub(super) fn too_long(limit: usize) -> Self {
        Self::new(
            CommandErrorKind::InvalidArgument,
            format!("The arguments have more than {limit} bytes, which is the limit here."),
        )
    }

    pub(super) fn timed_out(limit: Duration) -> Self {
        Self::new(
            CommandErrorKind::TimedOut,
            format!("The program did not end within {limit:?}, and was stopped."),
        )
    }

    pub(super) fn busy() -> Self {
        Self::new(
            CommandErrorKind::Busy,
            "The server runs too many programs at the moment. Try again in a few seconds.",
        )
    }

    pub(super) fn ending() -> Self {
        Self::new(CommandErrorKind::Busy, "The server is shutting down.")
    }

    pub(super) fn failed(text: String) -> Self {
        Self::new(CommandErrorKind::Failed, text)
    }

    pub(super) fn misuse(text: String) -> Self {
        Self::new(CommandErrorKind::Internal, text)
    }

    pub(super) fn system(what: &str, error: &io::Error) -> Self {
        Self::new(CommandErrorKind::Internal, format!("{what}: {error}"))
    }
}

/// For clients, except of the kinds `Failed` and `Internal`.
impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<CommandError> for CallError {
    fn from(error: CommandError) -> Self {
        let kind = match error.kind {
            CommandErrorKind::InvalidArgument => ErrorKind::User,
            CommandErrorKind::TimedOut => ErrorKind::Timeout,
            CommandErrorKind::Busy => ErrorKind::Busy,
            CommandErrorKind::Failed | CommandErrorKind::Internal => return Self::internal(error),
        };
        Self::refusal(kind, error.text)
    }
}

impl From<CommandError> for Box<dyn Error + Send + Sync> {
    fn from(error: CommandError) -> Self {
        error.text.into_owned().into()
    }
}

impl From<CommandError> for Box<dyn Error> {
    fn from(error: CommandError) -> Self {
        error.text.into_owned().into()
    }
}
