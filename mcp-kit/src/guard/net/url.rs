//! [`SafeUrl`]: a URL whose form holds no surprise. Whether its host may be reached
//! is decided by the client, which knows the exceptions.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use garde::Validate;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::{Host, Url};

use crate::args::shape::{Shape, Shaped};
use crate::schema::TextForm;

/// An `http` or `https` URL without the parts that programs read in different ways.
///
/// Use it as an argument's type. A URL is refused, in the ordinary report of
/// arguments, if it has
///
/// - another scheme than `http` and `https`, or no `//` after it;
/// - a user name or password, which mislead a reader about the host;
/// - control characters, spaces, backslashes, or percent signs in its host, which
///   programs read in different ways;
/// - an IPv4 address in another notation than four decimal numbers (`0x7f.1`,
///   `017700000001`, `127.1`), or an IPv6 zone;
/// - a host that DNS cannot hold, port 0, or more than
///   [`MAX_BYTES`](Self::MAX_BYTES) bytes.
///
/// The fragment is removed: it is never sent. The type does not refuse private
/// addresses; [`HttpClient`](super::HttpClient) does, also for names and redirects.
///
/// A host with letters outside ASCII becomes the ASCII name that browsers make of it
/// (UTS 46). Programs that follow IDNA 2003 or IDNA 2008 make another name of some
/// letters, such as `ß`: give other programs [`as_str`](Self::as_str), which is ASCII.
///
/// ```
/// use garde::Validate;
/// use mcp_kit::guard::SafeUrl;
/// use mcp_kit::prelude::*;
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
/// struct Fetch {
///     /// The page to read.
///     #[garde(skip)]
///     url: SafeUrl,
/// }
///
/// let url = SafeUrl::parse("https://example.com/a?b=c#d")?;
/// assert_eq!(url.as_str(), "https://example.com/a?b=c");
/// assert!(SafeUrl::parse("https://example.com@127.0.0.1/").is_err());
/// # Ok::<(), mcp_kit::guard::SafeUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafeUrl(Url);

impl SafeUrl {
    /// The longest URL, in bytes, as it is written and as it is sent. RFC 9110,
    /// section 4.1, recommends that servers take this many.
    pub const MAX_BYTES: usize = 8_000;

    /// Parses a URL.
    ///
    /// # Errors
    ///
    /// Returns what the URL must be if it is refused for one of the reasons
    /// above.
    pub fn parse(text: &str) -> Result<Self, SafeUrlError> {
        if text.len() > Self::MAX_BYTES {
            return Err(SafeUrlError::TooLong);
        }
        let is_odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
        if text.contains(is_odd) {
            return Err(SafeUrlError::Characters);
        }
        let (scheme, rest) = text.split_once("://").ok_or(SafeUrlError::Scheme)?;
        if !["http", "https"]
            .map(|known| scheme.eq_ignore_ascii_case(known))
            .contains(&true)
        {
            return Err(SafeUrlError::Scheme);
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(SafeUrlError::UserInfo);
        }
        // The parser reads past any number of slashes to find a host.
        if authority.is_empty() || authority.contains('%') {
            return Err(SafeUrlError::Host);
        }
        let url = Url::parse(text).map_err(|_| SafeUrlError::Host)?;
        if let Some(Host::Ipv4(address)) = url.host() {
            let written = authority.split(':').next().unwrap_or_default();
            if written != address.to_string() {
                return Err(SafeUrlError::Notation);
            }
        }
        Self::try_from(url)
    }

    /// Returns the URL as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the URL in its parts.
    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }
}

/// What a URL must be, in the words of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SafeUrlError {
    /// The scheme is another one, or the URL is not absolute.
    Scheme,
    /// There is a user name or a password.
    UserInfo,
    /// There are control characters, spaces or backslashes.
    Characters,
    /// The host is missing, or cannot be a host.
    Host,
    /// An IPv4 address is not written as four decimal numbers.
    Notation,
    /// The port is 0.
    Port,
    /// The URL has more than [`SafeUrl::MAX_BYTES`] bytes.
    TooLong,
}

impl SafeUrlError {
    /// Returns the words, as they follow `url: ` in a report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheme => "must be an http or https URL such as https://example.com/page",
            Self::UserInfo => "must not contain a user name or password",
            Self::Characters => {
                "must not contain spaces, control characters or backslashes (write them percent-encoded)"
            }
            Self::Host => "must have a valid host such as example.com",
            Self::Notation => {
                "must write an IPv4 address as four decimal numbers such as 192.0.2.1"
            }
            Self::Port => "must not have port 0",
            Self::TooLong => "must have at most 8000 bytes",
        }
    }
}

impl fmt::Display for SafeUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the URL {}", self.as_str())
    }
}

impl std::error::Error for SafeUrlError {}

/// A URL that the program made itself. It is refused as a text would be, but for
/// notations that are gone once a URL is parsed.
impl TryFrom<Url> for SafeUrl {
    type Error = SafeUrlError;

    fn try_from(mut url: Url) -> Result<Self, SafeUrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(SafeUrlError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SafeUrlError::UserInfo);
        }
        match url.host() {
            Some(Host::Domain(name)) if !is_host_name(name) => return Err(SafeUrlError::Host),
            None => return Err(SafeUrlError::Host),
            Some(_) => {}
        }
        if url.port() == Some(0) {
            return Err(SafeUrlError::Port);
        }
        url.set_fragment(None);
        if url.as_str().len() > Self::MAX_BYTES {
            return Err(SafeUrlError::TooLong);
        }
        Ok(Self(url))
    }
}

/// Whether DNS can hold the name (RFC 1035, section 2.3.4). Underscores are in use.
pub(super) fn is_host_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(is_plain)
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

impl FromStr for SafeUrl {
    type Err = SafeUrlError;

    fn from_str(text: &str) -> Result<Self, SafeUrlError> {
        Self::parse(text)
    }
}

impl From<SafeUrl> for Url {
    fn from(url: SafeUrl) -> Self {
        url.0
    }
}

impl fmt::Display for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Without path and query, which may hold secrets.
impl fmt::Debug for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SafeUrl({}/…)", self.0.origin().ascii_serialization())
    }
}

impl Serialize for SafeUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for SafeUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for SafeUrl {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SafeUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uri" })
    }
}

/// A `SafeUrl` is checked when it is made: there is nothing left to find.
impl Validate for SafeUrl {
    type Context = ();

    fn validate_into(&self, (): &(), _: &mut dyn FnMut() -> garde::Path, _: &mut garde::Report) {}
}

impl Shaped for SafeUrl {
    fn shape() -> &'static Shape {
        static FORM: TextForm = TextForm::of::<SafeUrl>(
            "SafeUrl",
            "must be an http or https URL such as https://example.com/page",
            None,
        )
        .why(|text| Some(SafeUrl::parse(text).err()?.as_str()));
        const { &Shape::Text(&FORM) }
    }
}
