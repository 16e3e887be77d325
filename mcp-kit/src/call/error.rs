//! Errors of handlers, whose type decides what the client sees of a failure.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::primitive::Kind;
use crate::protocol::{ClientCapability, Era, ErrorCode, RpcError};
use crate::support::panics::Panicked;

type BoxError = Box<dyn StdError + Send + Sync + 'static>;

/// A handler's failure: *user* (a message written for the client) or *internal*
/// (anything else). Tool authors use it as [`ToolError`](crate::ToolError).
///
/// `?` on any [`std::error::Error`] makes an internal one. The client then
/// reads `An internal error occurred (reference …). The issue has been logged.`
/// and the log holds the whole chain of sources under the same reference. The
/// text of a source never becomes text for the client: that requires a
/// handwritten message.
///
/// ```
/// use mcp_kit::{ResultExt, ToolError, user_error};
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
/// assert!(lookup(0).unwrap_err().has_message());
/// assert!(!lookup(1).unwrap_err().has_message());
/// ```
///
/// `Error` does not implement [`std::error::Error`]; that is what lets `?`
/// take every type that does.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<BoxError>,
    /// The capabilities object that declares what the client lacks.
    lacks: Option<Value>,
    /// Whether the caller may not know that the called primitive exists.
    is_hidden: bool,
    /// The URL that the user of a legacy client must visit first.
    url: Option<Value>,
}

/// The kinds of failures that the log and middlewares distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The tool refused or failed with a message for the model.
    User,
    /// The tool failed; the client sees only a reference.
    Internal,
    /// The tool panicked; the client sees only a reference.
    Panic,
    /// The arguments broke the tool's schema or rules.
    InvalidArguments,
    /// The call took longer than it may.
    Timeout,
    /// The caller lacks a scope.
    Forbidden,
    /// The caller exceeded its rate.
    RateLimited,
    /// The server has no room for the call, or is shutting down.
    Busy,
    /// The named item does not exist.
    NotFound,
    /// The call must ask its client, which has not declared that it answers such
    /// questions.
    MissingCapability,
    /// The `requestState` of a further round is not valid: it was changed, has
    /// expired, or belongs to another call.
    InvalidState,
}

impl ErrorKind {
    /// Returns the value of the log's `outcome` field.
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
            Self::NotFound => "not_found",
            Self::MissingCapability => "missing_capability",
            Self::InvalidState => "invalid_state",
        }
    }
}

impl Error {
    /// Creates an error whose text is written for the model.
    ///
    /// The text is written in the source: a literal or a constant.
    /// [`user_error!`](crate::user_error) formats values into one.
    #[must_use]
    pub fn user(message: impl FixedText) -> Self {
        Self::of_kind(ErrorKind::User, message.fixed(), None)
    }

    /// Creates an internal error, of which the client sees only a reference.
    ///
    /// `?` does the same for types that implement [`std::error::Error`].
    pub fn internal(source: impl Into<BoxError>) -> Self {
        Self::of_kind(ErrorKind::Internal, "", Some(source.into()))
    }

    /// Creates an error for a caller that may not do this. For middlewares and
    /// guards: a scope is checked before the handler runs.
    #[must_use]
    pub fn forbidden(message: impl FixedText) -> Self {
        Self::of_kind(ErrorKind::Forbidden, message.fixed(), None)
    }

    /// Creates an error for a server, or a system behind it, that has no room
    /// for the call at the moment.
    #[must_use]
    pub fn busy(message: impl FixedText) -> Self {
        Self::of_kind(ErrorKind::Busy, message.fixed(), None)
    }

    /// Creates an error for a name that does not exist.
    #[must_use]
    pub fn not_found(message: impl FixedText) -> Self {
        Self::of_kind(ErrorKind::NotFound, message.fixed(), None)
    }

    /// Creates an error for a call, or a part of it, that took longer than it
    /// may.
    #[must_use]
    pub fn timeout(message: impl FixedText) -> Self {
        Self::of_kind(ErrorKind::Timeout, message.fixed(), None)
    }

    /// Creates an error for a caller that exceeded its rate, and may try again
    /// `after` this time. The client reads it in whole seconds, at least one.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use mcp_kit::ToolError;
    ///
    /// let error = ToolError::rate_limited(Duration::from_millis(1_500));
    /// assert_eq!(error.message(), Some("Too many calls. Try again in 2 seconds."));
    /// ```
    #[must_use]
    pub fn rate_limited(after: Duration) -> Self {
        let seconds = after.as_millis().div_ceil(1_000).max(1);
        let plural = if seconds == 1 { "" } else { "s" };
        let message = format!("Too many calls. Try again in {seconds} second{plural}.");
        Self::of_kind(ErrorKind::RateLimited, message, None)
    }

    /// Returns the kind of the failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the error has a message for the client: false for internal errors and
    /// panics.
    #[must_use]
    pub fn has_message(&self) -> bool {
        self.message().is_some()
    }

    /// Returns the message for the client; `None` for internal errors and
    /// panics.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match self.0.kind {
            ErrorKind::Internal | ErrorKind::Panic => None,
            _ => Some(&self.0.message),
        }
    }

    /// Returns the failure behind it, for logs and never for clients.
    #[must_use]
    pub fn source(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.source.as_deref()
    }

    /// Creates an error for a question that the client has not declared to
    /// answer.
    pub(crate) fn missing_capability(kind: Kind, needs: ClientCapability) -> Self {
        let message = format!(
            "This {kind} must ask its client, which has not declared the capability \"{}\".",
            needs.as_str()
        );
        let mut error = Self::refusal(ErrorKind::MissingCapability, message);
        error.0.lacks = Some(needs.declaration());
        error
    }

    /// Creates an error for a method of an extension that the client has not
    /// declared.
    pub(crate) fn missing_extension(identifier: &str) -> Self {
        let message = format!(
            "This method belongs to the extension \"{identifier}\", which the client has not declared."
        );
        let mut error = Self::refusal(ErrorKind::MissingCapability, message);
        error.0.lacks = Some(json!({"extensions": {identifier: {}}}));
        error
    }

    /// Creates an error for a request whose client has not declared that it knows
    /// tasks.
    pub(crate) fn needs_tasks() -> Self {
        let needs = ClientCapability::Tasks;
        let message = format!(
            "This request needs tasks, and its client has not declared the extension \"{}\".",
            needs.as_str()
        );
        let mut error = Self::refusal(ErrorKind::MissingCapability, message);
        error.0.lacks = Some(needs.declaration());
        error
    }

    /// Creates an error for a question that no client can receive: the call comes
    /// from code, or its client accepts no messages while it waits.
    pub(crate) fn no_client(kind: Kind) -> Self {
        let message =
            format!("This {kind} must ask its client, and this call has no way to do so.");
        Self::refusal(ErrorKind::MissingCapability, message)
    }

    /// Creates an error for a legacy client whose user must visit a URL first,
    /// and that cannot be asked while its call runs.
    pub(crate) fn url_required(elicitation: Value) -> Self {
        let message = "The user must open a URL before this request can be served.";
        let mut error = Self::refusal(ErrorKind::MissingCapability, message);
        error.0.url = Some(elicitation);
        error
    }

    /// Returns the protocol error that the client receives for every kind of
    /// primitive, if the error is one.
    pub(crate) fn protocol_error(&self, era: Era) -> Option<RpcError> {
        let message = || self.0.message.clone();
        match self.0.kind {
            ErrorKind::InvalidState => Some(RpcError::invalid_params(message())),
            ErrorKind::MissingCapability if era == Era::Modern => {
                let required = self.0.lacks.clone()?;
                Some(RpcError::missing_capability(required, message()))
            }
            ErrorKind::MissingCapability => {
                let elicitation = self.0.url.as_ref()?;
                let error = RpcError::new(ErrorCode::UrlRequired, message());
                Some(error.with_data(json!({"elicitations": [elicitation]})))
            }
            _ => None,
        }
    }

    /// Creates an error of a built-in kind with text for the client.
    pub(crate) fn refusal(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self::of_kind(kind, message, None)
    }

    /// Creates an error for a caller that may not know that the called
    /// primitive exists: the answer is that of an unknown name.
    pub(crate) fn hidden(kind: Kind, name: &str) -> Self {
        let unknown = RpcError::unknown(kind.as_str(), name);
        let mut error = Self::refusal(ErrorKind::Forbidden, unknown.message);
        error.0.is_hidden = true;
        error
    }

    /// Whether the caller may not know that the called primitive exists.
    pub(crate) fn is_hidden(&self) -> bool {
        self.0.is_hidden
    }

    /// Creates a user error with its cause, for the log.
    #[cfg(feature = "net")]
    pub(crate) fn refusal_of(message: String, source: impl Into<BoxError>) -> Self {
        Self::of_kind(ErrorKind::User, message, Some(source.into()))
    }

    #[doc(hidden)]
    #[must_use]
    pub fn __formatted(message: fmt::Arguments<'_>) -> Self {
        Self::of_kind(ErrorKind::User, message.to_string(), None)
    }

    fn of_kind(
        kind: ErrorKind,
        message: impl Into<Cow<'static, str>>,
        source: Option<BoxError>,
    ) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            source,
            lacks: None,
            is_hidden: false,
            url: None,
        }))
    }
}

impl<E> From<E> for Error
where
    Cause<E>: IntoInternal<E>,
{
    fn from(source: E) -> Self {
        Self::internal(Cause::boxed(source))
    }
}

impl From<Panicked> for Error {
    fn from(panic: Panicked) -> Self {
        Self::of_kind(ErrorKind::Panic, "", Some(panic.into_description().into()))
    }
}

/// An error type `E` that can become an internal [`Error`]: see
/// [`IntoInternal`].
#[derive(Debug)]
pub struct Cause<E>(std::marker::PhantomData<E>);

/// The conversion by which `?` and `.into()` make an internal [`Error`]: from
/// every type that implements [`std::error::Error`].
#[diagnostic::on_unimplemented(
    message = "`{E}` does not become a `ToolError` by itself",
    label = "write `.or_internal()?`, `.or_user(\"…\")?` or `.map_err(|e| ToolError::internal(e.to_string()))?`",
    note = "types that implement `std::error::Error`, `Send` and `Sync` become an internal error, of which the client sees a reference; a message for the model is written by hand: `user_error!(\"… {{value}}\")` or `ToolError::user(\"…\")`"
)]
pub trait IntoInternal<E>: sealed::Internal<E> {
    #[doc(hidden)]
    fn boxed(source: E) -> BoxError;
}

// Messages then name `IntoInternal` and what to write, not what `Error` lacks.
#[diagnostic::do_not_recommend]
impl<E: StdError + Send + Sync + 'static> IntoInternal<E> for Cause<E> {
    fn boxed(source: E) -> BoxError {
        Box::new(source)
    }
}

/// A text that is written in the source: `&'static str`. Such a text holds
/// nothing that a client must not read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a text that is written in the source",
    label = "made at run time: it could hold what the client must not read",
    note = "write the message: `user_error!(\"… {{value}}\")` formats values that the client may see, and `.or_user(\"…\")` replaces an error's text"
)]
pub trait FixedText: sealed::Fixed {
    #[doc(hidden)]
    fn fixed(self) -> &'static str;
}

impl FixedText for &'static str {
    fn fixed(self) -> &'static str {
        self
    }
}

/// An item of a list of texts.
impl FixedText for &&'static str {
    fn fixed(self) -> &'static str {
        self
    }
}

/// For tests and `unwrap`: the message or the source. Not a text for clients.
impl fmt::Debug for Error {
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

/// Makes a [`ToolError`](crate::ToolError) with a formatted message for the model.
///
/// The arguments are `format!`'s. The client sees the formatted values, so
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
        $crate::call::Error::__formatted(::core::format_args!($message $($arguments)*))
    };
    ($($message:tt)*) => {
        ::core::compile_error!("`user_error!` takes a text and its values, as `format!` does: write `user_error!(\"{text}\")`")
    };
}

/// Says what a client may know of a failure.
pub trait ResultExt<T>: sealed::Outcome {
    /// Keeps the failure from the client: it sees a reference only.
    ///
    /// For errors that `?` does not accept, such as `anyhow::Error` or
    /// `String`.
    ///
    /// # Errors
    ///
    /// Returns an internal [`Error`] in place of the failure.
    fn or_internal(self) -> Result<T, Error>;

    /// Replaces the failure's text with `message`, which the model reads. The
    /// failure itself goes to the log.
    ///
    /// # Errors
    ///
    /// An [`Error`] with `message` in place of the failure.
    fn or_user(self, message: impl FixedText) -> Result<T, Error>;
}

impl<T, E: Into<BoxError>> ResultExt<T> for Result<T, E> {
    fn or_internal(self) -> Result<T, Error> {
        self.map_err(Error::internal)
    }

    fn or_user(self, message: impl FixedText) -> Result<T, Error> {
        let user =
            |source: E| Error::of_kind(ErrorKind::User, message.fixed(), Some(source.into()));
        self.map_err(user)
    }
}

impl<T> ResultExt<T> for Option<T> {
    fn or_internal(self) -> Result<T, Error> {
        self.ok_or_else(|| Error::internal("a value was expected and is missing"))
    }

    fn or_user(self, message: impl FixedText) -> Result<T, Error> {
        self.ok_or_else(|| Error::user(message))
    }
}

/// The error types that a handler may return: only [`Error`]. The trait is sealed:
/// the text of another error type would reach the client.
#[diagnostic::on_unimplemented(
    message = "a handler fails with `mcp_kit::Error`, not with `{Self}`",
    label = "the client would read this error's own text",
    note = "return `Result<_, mcp_kit::Error>` (`ToolError` is the same type): in the function `?` makes an internal error of every `std::error::Error`, `.or_internal()?` of others such as `anyhow::Error` (the client sees a reference only), and `.or_user(\"…\")?` gives one a message"
)]
pub trait IntoError: sealed::Sealed {
    #[doc(hidden)]
    fn into_error(self) -> Error;
}

impl IntoError for Error {
    fn into_error(self) -> Error {
        self
    }
}

mod sealed {
    pub trait Outcome {}

    impl<T, E> Outcome for Result<T, E> {}
    impl<T> Outcome for Option<T> {}

    pub trait Sealed {}

    impl Sealed for super::Error {}

    pub trait Internal<E> {}

    impl<E: std::error::Error + Send + Sync + 'static> Internal<E> for super::Cause<E> {}

    pub trait Fixed {}

    impl Fixed for &'static str {}
    impl Fixed for &&'static str {}
}
