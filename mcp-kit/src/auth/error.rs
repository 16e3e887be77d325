//! The error for credentials that were not accepted.

use std::error::Error;
use std::fmt;

/// Credentials that were refused, or that could not be checked.
///
/// Neither variant can carry the credentials themselves: a reason is a text of
/// the program, and a source goes to the log only.
pub struct AuthError(Kind);

enum Kind {
    Invalid(&'static str),
    Unavailable(Box<dyn Error + Send + Sync>),
}

impl AuthError {
    /// Creates an error for refused credentials: HTTP 401 with
    /// `error="invalid_token"` and `reason`, which the caller reads. Describe
    /// what is wrong in a few plain words: `the token has expired`.
    #[must_use]
    pub fn invalid(reason: &'static str) -> Self {
        Self(Kind::Invalid(reason))
    }

    /// Creates an error for credentials that cannot be checked, since a
    /// database or an issuer does not answer: HTTP 503, and `source` is logged.
    /// The request is refused.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Kind::Unavailable(source.into()))
    }

    /// Whether the error is [`unavailable`](Self::unavailable).
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self.0, Kind::Unavailable(_))
    }

    /// Returns why the credentials were refused, in words that the caller may
    /// read; `None` if they could not be checked.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self.0 {
            Kind::Invalid(reason) => Some(reason),
            Kind::Unavailable(_) => None,
        }
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Invalid(reason) => write!(f, "the credentials were refused: {reason}"),
            Kind::Unavailable(_) => f.write_str("the credentials cannot be checked at the moment"),
        }
    }
}

impl fmt::Debug for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Invalid(reason) => f.debug_tuple("Invalid").field(reason).finish(),
            Kind::Unavailable(source) => f.debug_tuple("Unavailable").field(source).finish(),
        }
    }
}

impl Error for AuthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Kind::Invalid(_) => None,
            Kind::Unavailable(source) => Some(&**source),
        }
    }
}
