//! [`HttpError`]: why a request has no answer, in words for the client.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

use super::resolve::Refused;
use super::url::SafeUrlError;
use crate::call::{Error as CallError, ErrorKind};

type BoxError = Box<dyn Error + Send + Sync>;

/// Why a request failed.
///
/// In a tool, `?` makes a user error of it, whose text is [`Display`](fmt::Display)'s:
/// what is wrong with the URL or with its server's answer, without addresses and
/// without text from elsewhere. Only [`HttpErrorKind::Request`] and
/// [`HttpErrorKind::Internal`] are internal errors.
///
/// As [`ToolError`](crate::ToolError), it does not implement [`std::error::Error`], which would make an
/// internal error of it; it converts into `Box<dyn Error>`.
#[derive(Debug)]
pub struct HttpError {
    kind: HttpErrorKind,
    /// Whether a redirect led there.
    redirected: bool,
    source: Option<BoxError>,
}

/// The kind of an [`HttpError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpErrorKind {
    /// A redirect leads to something that [`SafeUrl`](super::SafeUrl) refuses.
    Url(SafeUrlError),
    /// The client's lists do not admit the host.
    HostRefused,
    /// The URL's address, or one of its host's, is not public.
    AddressRefused,
    /// The client requires https, or a redirect leads from https to http.
    NotEncrypted,
    /// The host's name has no address.
    HostNotFound,
    /// Too many lookups of names hang already.
    Busy,
    /// There is no connection to the host, or no trusted one.
    Unreachable,
    /// There was no connection to the host within this time.
    ConnectTimeout(Duration),
    /// The request was not answered completely within this time.
    Timeout(Duration),
    /// There are more redirects than this.
    TooManyRedirects(usize),
    /// A redirect would send the request's body to another origin, or repeat a method there
    /// that is not safe: only `GET`, `HEAD` and `OPTIONS` are.
    UnsafeRedirect,
    /// The body has more bytes than this.
    TooLarge(usize),
    /// The answer broke off, is not HTTP, or is compressed in a way that is not read.
    BadAnswer,
    /// The body is not UTF-8.
    NotText,
    /// The body is not the JSON that was expected.
    NotJson,
    /// The status is not a success; see
    /// [`HttpResponse::error_for_status`](super::HttpResponse::error_for_status).
    Status(StatusCode),
    /// The program made a request that cannot be sent: a header that the client sets
    /// itself, or a body that is not JSON.
    Request,
    /// The server has no thread for the request, or no certificates to trust, which `https`
    /// requires.
    Internal,
}

impl HttpError {
    pub(super) fn new(kind: HttpErrorKind) -> Self {
        Self {
            kind,
            redirected: false,
            source: None,
        }
    }

    pub(super) fn with_source(kind: HttpErrorKind, source: impl Into<BoxError>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(kind)
        }
    }

    pub(super) fn internal(source: impl Into<BoxError>) -> Self {
        Self::with_source(HttpErrorKind::Internal, source)
    }

    /// Converts reqwest's error. `connect_time` is the limit if connecting
    /// exceeds it.
    pub(super) fn of_reqwest(error: reqwest::Error, connect_time: Duration) -> Self {
        // The URL may hold secrets.
        let error = error.without_url();
        let kind = match refusal(&error) {
            Some(refused) => refused.kind(),
            None if error.is_builder() => HttpErrorKind::Request,
            None if error.is_connect() && error.is_timeout() => {
                HttpErrorKind::ConnectTimeout(connect_time)
            }
            None if error.is_connect() => HttpErrorKind::Unreachable,
            None => HttpErrorKind::BadAnswer,
        };
        Self::with_source(kind, error)
    }

    pub(super) fn after_redirect(mut self, redirected: bool) -> Self {
        self.redirected = redirected;
        self
    }

    /// Returns the kind of the failure.
    #[must_use]
    pub fn kind(&self) -> HttpErrorKind {
        self.kind
    }

    /// Returns the cause, for the log.
    #[must_use]
    pub fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }
}

/// The refusal of our own that reqwest reports as a failed connection.
fn refusal<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Refused> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(refused) = error.downcast_ref() {
            return Some(refused);
        }
        next = error.source();
    }
    None
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = match self.redirected {
            true => "The URL that the server redirects to",
            false => "The URL",
        };
        match self.kind {
            HttpErrorKind::Url(error) => write!(f, "{url} {}.", error.as_str()),
            HttpErrorKind::HostRefused => {
                write!(f, "{url} has a host that may not be reached. Use another host.")
            }
            HttpErrorKind::AddressRefused => write!(
                f,
                "{url} has a host that is not on the public internet, and such hosts may not be reached. Use the URL of a public host."
            ),
            HttpErrorKind::NotEncrypted => write!(f, "{url} must start with https://."),
            HttpErrorKind::HostNotFound => {
                write!(f, "{url} has a host that was not found. Check the host's name.")
            }
            HttpErrorKind::Busy => f.write_str(
                "The server looks up too many names of hosts at the moment. Try again in a few seconds.",
            ),
            HttpErrorKind::Unreachable => write!(
                f,
                "{url} has a host that could not be reached. Check the URL, or try again later."
            ),
            HttpErrorKind::ConnectTimeout(limit) => write!(
                f,
                "{url} has a host that could not be connected to within {} s. Check the URL, or try again later.",
                Seconds(limit)
            ),
            HttpErrorKind::Timeout(limit) => write!(
                f,
                "The request timed out: its answer was not complete within {} s. Try again later, or use another URL.",
                Seconds(limit)
            ),
            HttpErrorKind::TooManyRedirects(most) => write!(
                f,
                "The server redirects more than {most} times. Use the URL that the redirects lead to."
            ),
            HttpErrorKind::UnsafeRedirect => f.write_str(
                "The server redirects the request to another origin, to which only requests without a body that change nothing are sent. Use the URL that the redirect leads to.",
            ),
            HttpErrorKind::TooLarge(limit) => write!(
                f,
                "The answer is larger than {limit} bytes. Use the URL of a smaller document."
            ),
            HttpErrorKind::BadAnswer => f.write_str(
                "The server's answer broke off or cannot be read. Try again later, or use another URL.",
            ),
            HttpErrorKind::NotText => {
                f.write_str("The answer is not UTF-8 text. Use the URL of a text document.")
            }
            HttpErrorKind::NotJson => f.write_str("The answer is not the JSON that was expected."),
            HttpErrorKind::Status(status) => write!(f, "The server answered with status {status}."),
            HttpErrorKind::Request => f.write_str("the request cannot be sent"),
            HttpErrorKind::Internal => f.write_str("the HTTP client cannot send the request"),
        }
    }
}

impl From<HttpError> for CallError {
    fn from(error: HttpError) -> Self {
        match error.kind {
            HttpErrorKind::Request | HttpErrorKind::Internal => Self::internal(error),
            HttpErrorKind::Busy => Self::refusal(ErrorKind::Busy, error.to_string()),
            _ => Self::refusal_of(error.to_string(), error),
        }
    }
}

boxed_as_error!(HttpError);

/// A time in seconds, without a fraction if there is none.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.subsec_nanos() {
            0 => write!(f, "{}", self.0.as_secs()),
            _ => write!(f, "{:.1}", self.0.as_secs_f64()),
        }
    }
}

/// Why [`HttpClientBuilder::build`](super::HttpClientBuilder::build) makes no client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpClientError {
    /// An entry of a list of hosts cannot be a host.
    Host(String),
    /// A network cannot be read.
    Network(String),
    /// The user agent cannot be a header's value.
    UserAgent(String),
    /// The proxy's URL cannot be used. It is not shown: it may have a password.
    Proxy,
    /// A certificate cannot be read.
    Certificates(Cow<'static, str>),
}

impl fmt::Display for HttpClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(text) => write!(
                f,
                "{text:?} is not a host for `allow_hosts` or `deny_hosts`: write example.com, *.example.com or an IP address"
            ),
            Self::Network(text) => write!(
                f,
                "{text:?} is not a network for `deny_networks` or `allow_private_networks`: write 10.1.0.0/16 or fd12:3456::/32"
            ),
            Self::UserAgent(text) => {
                write!(
                    f,
                    "{text:?} cannot be sent as a user agent: use visible ASCII characters"
                )
            }
            Self::Proxy => {
                f.write_str("the URL for `proxy` cannot be used: write http://proxy.example:3128")
            }
            Self::Certificates(problem) => write!(
                f,
                "`root_certificates` takes certificates in PEM: {problem}"
            ),
        }
    }
}

impl Error for HttpClientError {}
