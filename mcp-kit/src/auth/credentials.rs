//! The parts of a request that identify its caller.

use std::fmt;
use std::net::IpAddr;
use std::sync::LazyLock;

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderName};

use super::AuthError;

/// The header for keys, as an alternative to `Authorization`.
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The credentials of one request: a key or a token, and everything else that
/// an [`Authenticator`](super::Authenticator) may use to identify the caller.
///
/// Its `Debug` shows which kinds there are, and none of their contents.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
    api_key: Option<&'a str>,
    bearer: Option<&'a str>,
    address: Option<IpAddr>,
    resource: Option<&'a str>,
}

impl<'a> Credentials<'a> {
    /// Reads `X-API-Key` and `Authorization: Bearer` (RFC 6750, section 2.1;
    /// the scheme in any case). Tokens in the address or the body are never
    /// read.
    ///
    /// # Errors
    ///
    /// Returns an error if the credentials are ambiguous: either header twice,
    /// one that is empty or holds anything but visible ASCII characters, or
    /// both headers with different values. An `Authorization` of another scheme
    /// is not an error; read it from [`headers`](Self::headers).
    pub fn read(headers: &'a HeaderMap) -> Result<Self, AuthError> {
        static NONE: LazyLock<Extensions> = LazyLock::new(Extensions::new);
        Self::of(headers, &NONE)
    }

    /// Reads the same headers as [`read`](Self::read), and keeps the request's
    /// [`extensions`](Self::extensions).
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`read`](Self::read).
    pub fn from_parts(parts: &'a Parts) -> Result<Self, AuthError> {
        Self::of(&parts.headers, &parts.extensions)
    }

    fn of(headers: &'a HeaderMap, extensions: &'a Extensions) -> Result<Self, AuthError> {
        let api_key = match only(headers, &X_API_KEY)? {
            Some(key) => Some(credential(key.trim_ascii())?),
            None => None,
        };
        let bearer = match only(headers, &AUTHORIZATION)? {
            Some(value) => bearer(value)?,
            None => None,
        };
        if let (Some(api_key), Some(bearer)) = (api_key, bearer)
            && api_key != bearer
        {
            return Err(AuthError::invalid(
                "X-API-Key and Authorization differ; send one of them",
            ));
        }
        Ok(Self {
            headers,
            extensions,
            api_key,
            bearer,
            address: None,
            resource: None,
        })
    }

    /// Sets the address that the request came from.
    pub(crate) fn at(mut self, address: Option<IpAddr>) -> Self {
        self.address = address;
        self
    }

    /// Sets the server's `resource` that the request was sent to.
    pub(crate) fn for_resource(mut self, resource: Option<&'a str>) -> Self {
        self.resource = resource;
        self
    }

    /// Returns the value of `X-API-Key`.
    #[must_use]
    pub fn api_key(&self) -> Option<&'a str> {
        self.api_key
    }

    /// Returns the token of `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(&self) -> Option<&'a str> {
        self.bearer
    }

    /// Returns every header of the request, for kinds of authentication that
    /// mcp-kit does not know.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// Returns the values that the application attached to the request before
    /// it reached the [`HttpService`](crate::transport::http::HttpService),
    /// such as the user that a session layer has found.
    ///
    /// ```
    /// use mcp_kit::auth::{AuthError, Authenticator, Credentials};
    /// use mcp_kit::{Principal, async_trait};
    ///
    /// /// What the application's own login attaches to each request.
    /// #[derive(Clone)]
    /// struct User {
    ///     id: u64,
    /// }
    ///
    /// struct Login;
    ///
    /// #[async_trait]
    /// impl Authenticator for Login {
    ///     async fn authenticate(
    ///         &self,
    ///         credentials: &Credentials<'_>,
    ///     ) -> Result<Option<Principal>, AuthError> {
    ///         let user = credentials.extensions().get::<User>();
    ///         Ok(user.map(|user| {
    ///             Principal::new(format!("user:{}", user.id), ["read"]).with_extension(user.clone())
    ///         }))
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }

    /// Returns the client's address: the socket's, or the one that a [trusted
    /// proxy](crate::transport::http::HttpOptions::trust_proxy) reports. `None`
    /// if it is unknown.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Returns the URL of this server that the request was sent to, if it
    /// differs from that of the
    /// [`ProtectedResource`](super::ProtectedResource): the one of `/sse`.
    /// Clients of that transport request tokens with it as the audience.
    #[must_use]
    pub fn resource(&self) -> Option<&'a str> {
        self.resource
    }

    /// Whether the request came with neither a key nor a token.
    pub(crate) fn is_empty(&self) -> bool {
        self.api_key.is_none() && self.bearer.is_none()
    }
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: Option<&str>| value.map(|_| "redacted");
        f.debug_struct("Credentials")
            .field("api_key", &shown(self.api_key))
            .field("bearer", &shown(self.bearer))
            .finish_non_exhaustive()
    }
}

/// Returns the header's value, if it appears once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, AuthError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(AuthError::invalid(
            "X-API-Key or Authorization was sent more than once",
        ));
    }
    Ok(first.map(|value| value.as_bytes()))
}

/// Returns the token, if the scheme is Bearer.
fn bearer(value: &[u8]) -> Result<Option<&str>, AuthError> {
    const SCHEME: &[u8] = b"bearer";
    let value = value.trim_ascii();
    let Some((scheme, rest)) = value.split_at_checked(SCHEME.len()) else {
        return Ok(None);
    };
    if !scheme.eq_ignore_ascii_case(SCHEME) || !rest.first().is_none_or(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    credential(rest.trim_ascii()).map(Some)
}

fn credential(value: &[u8]) -> Result<&str, AuthError> {
    match str::from_utf8(value) {
        Ok(text) if !value.is_empty() && value.iter().all(u8::is_ascii_graphic) => Ok(text),
        _ => Err(AuthError::invalid(
            "the key or token is empty, or contains characters other than visible ASCII",
        )),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_bytes(value).unwrap(),
                )
            })
            .collect()
    }

    type Read = (Option<String>, Option<String>);

    fn read(pairs: &[(&'static str, &[u8])]) -> Result<Read, AuthError> {
        // `collect` appends, so repeated headers remain.
        let headers = headers(pairs);
        let credentials = Credentials::read(&headers)?;
        Ok((
            credentials.api_key().map(Into::into),
            credentials.bearer().map(Into::into),
        ))
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn keys_and_tokens_are_found_where_they_belong() {
        assert_eq!(read(&[]).unwrap(), (None, None));
        assert_eq!(read(&[("x-api-key", b"k")]).unwrap(), (some("k"), None));
        for scheme in ["Bearer k", "bearer k", "BEARER   k", "bEaReR\tk "] {
            let pairs: &[(&str, &[u8])] = &[("authorization", scheme.as_bytes())];
            assert_eq!(read(pairs).unwrap(), (None, some("k")), "{scheme}");
        }
        let both: &[(&str, &[u8])] = &[("x-api-key", b"k"), ("authorization", b"Bearer k")];
        assert_eq!(read(both).unwrap(), (some("k"), some("k")));
    }

    #[test]
    fn other_schemes_are_left_to_others() {
        for other in ["Basic YTpi", "Bearerk", "Bear", "", "Digest a=b"] {
            let pairs: &[(&str, &[u8])] = &[("authorization", other.as_bytes())];
            assert_eq!(read(pairs).unwrap(), (None, None), "{other}");
        }
    }

    #[test]
    fn what_could_only_be_guessed_is_refused() {
        let refused: &[&[(&str, &[u8])]] = &[
            &[("x-api-key", b"a"), ("x-api-key", b"b")],
            &[("x-api-key", b"a"), ("x-api-key", b"a")],
            &[
                ("authorization", b"Bearer a"),
                ("authorization", b"Bearer a"),
            ],
            &[
                ("authorization", b"Bearer a"),
                ("authorization", b"Basic YTpi"),
            ],
            &[("x-api-key", b"a"), ("authorization", b"Bearer b")],
            &[("x-api-key", b"")],
            &[("x-api-key", b"two words")],
            &[("x-api-key", b"schl\xc3\xbcssel")],
            &[("x-api-key", b"\xff")],
            &[("authorization", b"Bearer")],
            &[("authorization", b"Bearer ")],
            &[("authorization", b"Bearer two words")],
        ];
        for pairs in refused {
            let error = read(pairs).unwrap_err();
            assert!(error.reason().is_some(), "{pairs:?}");
        }
    }

    #[test]
    fn debug_shows_no_credentials() {
        let headers = headers(&[
            ("x-api-key", b"secret"),
            ("authorization", b"Bearer secret"),
        ]);
        let shown = format!("{:?}", Credentials::read(&headers).unwrap());
        assert!(
            shown.contains("redacted") && !shown.contains("secret"),
            "{shown}"
        );
    }
}
