//! Tool errors: what of a failure the model sees, decided by type.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// A tool's failure: *user* (a message written for the model) or *internal*
/// (anything else).
///
/// `?` on any [`std::error::Error`] makes an internal one. The client then
/// reads `An internal error occurred (reference …). The issue has been logged.`
/// and the log holds the whole chain of sources under the same reference.
/// Nothing turns a source's text into text for the client: that takes a
/// message written by hand.
///
/// ```
/// use mcp_kit::{ToolError, ResultExt, user_error};
///
/// fn lookup(id: u32) -> Result<String, ToolError> {
///     if id == 0 {
///         return Err(ToolError::user("Ids start at 1."));
///     }
///     if id > 100 {
///         return Err(user_error!("There is no entry {id}; the last is 100."));
///     }
///     let text = std::fs::read_to_string("/no/such/file")?;       // internal
///     let _number: u32 = text.parse().or_user("The entry is damaged.")?;
///     Ok(text)
/// }
/// assert!(lookup(0).unwrap_err().is_user());
/// assert!(!lookup(1).unwrap_err().is_user());
/// ```
///
/// `ToolError` does not implement [`std::error::Error`]; that is what lets `?`
/// take every type that does.
pub struct ToolError(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<BoxError>,
}

/// What went wrong, as the log and middlewares tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The tool refused or failed with a message for the model.
    User,
    /// The tool failed; the client sees a reference only.
    Internal,
    /// The tool panicked; the client sees a reference only.
    Panic,
    /// The arguments broke the tool's schema or rules.
    InvalidArguments,
    /// The call took longer than it may.
    Timeout,
    /// The caller lacks a scope.
    Forbidden,
    /// The caller calls too often.
    RateLimited,
    /// The server has no room for the call, or is shutting down.
    Busy,
}

impl ErrorKind {
    /// The word that the log's `outcome` field has for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user_error",
            Self::Internal => "internal_error",
            Self::Panic => "panic",
            Self::InvalidArguments => "invalid_arguments",
            Self::Timeout => "timeout",
            Self::Forbidden => "forbidden",
            Self::RateLimited => "rate_limited",
            Self::Busy => "busy",
        }
    }
}

impl ToolError {
    /// An error whose text is meant for the model.
    ///
    /// The text is a literal; [`user_error!`](crate::user_error) formats one.
    #[must_use]
    pub fn user(message: &'static str) -> Self {
        Self::new(ErrorKind::User, message, None)
    }

    /// An error that the client learns nothing of but a reference.
    ///
    /// `?` does the same for types that implement [`std::error::Error`].
    pub fn internal(source: impl Into<BoxError>) -> Self {
        Self::new(ErrorKind::Internal, "", Some(source.into()))
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the error has a message for the client.
    #[must_use]
    pub fn is_user(&self) -> bool {
        self.message().is_some()
    }

    /// The message for the client; `None` for internal errors and panics.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match self.0.kind {
            ErrorKind::Internal | ErrorKind::Panic => None,
            _ => Some(&self.0.message),
        }
    }

    /// The failure behind it, for logs and never for clients.
    #[must_use]
    pub fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.0.source.as_deref()
    }

    /// An error of a built-in kind with text for the client.
    pub(crate) fn refusal(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(kind, message, None)
    }

    pub(crate) fn panic(description: String) -> Self {
        Self::new(ErrorKind::Panic, "", Some(description.into()))
    }

    #[doc(hidden)]
    #[must_use]
    pub fn __formatted(message: fmt::Arguments<'_>) -> Self {
        Self::new(ErrorKind::User, message.to_string(), None)
    }

    fn new(
        kind: ErrorKind,
        message: impl Into<Cow<'static, str>>,
        source: Option<BoxError>,
    ) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            source,
        }))
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for ToolError {
    fn from(source: E) -> Self {
        Self::internal(source)
    }
}

/// For tests and `unwrap`: the message or the source. It is no text for
/// clients.
impl fmt::Debug for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ToolError");
        debug.field("kind", &self.0.kind);
        if let Some(message) = self.message() {
            debug.field("message", &message);
        }
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

/// Makes a [`ToolError`] with a formatted message for the model.
///
/// The arguments are `format!`'s. What is put in is seen by the client, so
/// format what a model can act on, never an error.
///
/// ```
/// # use mcp_kit::user_error;
/// let left = 3;
/// let error = user_error!("Only {left} searches are left today.");
/// assert_eq!(error.message(), Some("Only 3 searches are left today."));
/// ```
#[macro_export]
macro_rules! user_error {
    ($message:literal $($arguments:tt)*) => {
        $crate::ToolError::__formatted(::core::format_args!($message $($arguments)*))
    };
}

/// Says what a client may know of a failure.
pub trait ResultExt<T> {
    /// Keeps the failure from the client: it sees a reference only.
    ///
    /// For errors that `?` does not take, such as `anyhow::Error` or `String`.
    ///
    /// # Errors
    ///
    /// An internal [`ToolError`] in place of the failure.
    fn or_internal(self) -> Result<T, ToolError>;

    /// Replaces the failure's text by `message`, which the model reads. The
    /// failure itself goes to the log.
    ///
    /// # Errors
    ///
    /// A [`ToolError`] with `message` in place of the failure.
    fn or_user(self, message: &'static str) -> Result<T, ToolError>;
}

impl<T, E: Into<BoxError>> ResultExt<T> for Result<T, E> {
    fn or_internal(self) -> Result<T, ToolError> {
        self.map_err(ToolError::internal)
    }

    fn or_user(self, message: &'static str) -> Result<T, ToolError> {
        self.map_err(|source| ToolError::new(ErrorKind::User, message, Some(source.into())))
    }
}

impl<T> ResultExt<T> for Option<T> {
    fn or_internal(self) -> Result<T, ToolError> {
        self.ok_or_else(|| ToolError::internal("a value was expected and is missing"))
    }

    fn or_user(self, message: &'static str) -> Result<T, ToolError> {
        self.ok_or_else(|| ToolError::user(message))
    }
}

/// The error types that a tool may return: [`ToolError`] alone. It cannot be
/// implemented: an error of another type would bring its own text along.
#[diagnostic::on_unimplemented(
    message = "a tool fails with `ToolError`, not with `{Self}`",
    label = "the client would read this error's own text",
    note = "return `Result<_, ToolError>`: inside the tool `?` turns any error into one that shows the client a reference only, and `.or_user(\"…\")` gives it a message"
)]
pub trait IntoToolError: sealed::Sealed {
    #[doc(hidden)]
    fn into_tool_error(self) -> ToolError;
}

impl IntoToolError for ToolError {
    fn into_tool_error(self) -> ToolError {
        self
    }
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for super::ToolError {}
}
