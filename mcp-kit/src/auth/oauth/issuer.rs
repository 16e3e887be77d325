//! Locates an issuer's keys: at a configured address, or by its metadata.

use std::error::Error;
use std::fmt;

use http::Uri;
use serde::Deserialize;

use super::fetch::{FetchError, Fetcher};
use super::jwk::{self, Key};
use crate::auth::resource::absolute_with_query;

/// An authorization server, as far as this server uses it.
pub(super) struct Issuer {
    /// The issuer's name in tokens.
    pub(super) name: String,
    pub(super) keys_at: KeysAt,
    pub(super) fetcher: Fetcher,
}

pub(super) enum KeysAt {
    /// The configured address of the key set.
    Given(Uri),
    /// The possible addresses of the metadata, in the order in which they are
    /// tried.
    Metadata(Vec<Uri>),
}

/// The relevant members of the document of RFC 8414 and OpenID Connect
/// Discovery.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl KeysAt {
    /// Returns the addresses of an issuer's metadata: RFC 8414, section 3.1,
    /// OpenID Connect's name in the same place, and OpenID Connect's own place.
    pub(super) fn metadata_of(issuer: &Uri) -> Self {
        let scheme = issuer.scheme_str().unwrap_or_default();
        let authority = issuer
            .authority()
            .map_or("", |authority| authority.as_str());
        let host = format!("{scheme}://{authority}");
        let path = issuer.path().trim_end_matches('/');
        let mut places = vec![
            format!("{host}/.well-known/oauth-authorization-server{path}"),
            format!("{host}/.well-known/openid-configuration{path}"),
            format!("{host}{path}/.well-known/openid-configuration"),
        ];
        places.dedup();
        Self::Metadata(
            places
                .iter()
                .filter_map(|place| place.parse().ok())
                .collect(),
        )
    }
}

impl Issuer {
    /// Fetches the keys that the issuer publishes now.
    pub(super) async fn keys(&self) -> Result<Vec<Key>, KeysError> {
        let found;
        let url = match &self.keys_at {
            KeysAt::Given(url) => url,
            KeysAt::Metadata(places) => {
                found = self.find_keys(places).await?;
                &found
            }
        };
        let text = self
            .fetcher
            .get(url)
            .await
            .map_err(|error| self.failed("key set", error))?;
        let keys = jwk::parse(&text).ok_or_else(|| self.wrong("key set is not one of RFC 7517"))?;
        if keys.is_empty() {
            return Err(self.wrong("key set has no key that tokens could be checked with"));
        }
        Ok(keys)
    }

    /// Tries each address for the metadata until one has it. An issuer need not
    /// serve all of them: at the others it may answer with anything, such as
    /// the page of a web application, or the metadata of another tenant.
    async fn find_keys(&self, places: &[Uri]) -> Result<Uri, KeysError> {
        let (mut missing, mut wrong) = (None, None);
        for place in places {
            let outcome = match self.fetcher.get(place).await {
                Ok(text) => self.keys_url(&text),
                // An issuer that does not answer here does not answer
                // elsewhere.
                Err(error @ (FetchError::Network(_) | FetchError::Slow)) => {
                    return Err(self.failed("metadata", error));
                }
                Err(error @ FetchError::Status(_)) => {
                    missing = Some(self.failed("metadata", error));
                    continue;
                }
                Err(error) => Err(self.failed("metadata", error)),
            };
            match outcome {
                Ok(url) => return Ok(url),
                // The first place is the one that RFC 8414 names.
                Err(error) => _ = wrong.get_or_insert(error),
            }
        }
        Err(wrong
            .or(missing)
            .unwrap_or_else(|| self.failed("metadata", FetchError::Url)))
    }

    fn keys_url(&self, metadata: &[u8]) -> Result<Uri, KeysError> {
        let metadata: Metadata = serde_json::from_slice(metadata)
            .map_err(|_| self.wrong("metadata is not that of RFC 8414"))?;
        if metadata.issuer != self.name {
            return Err(self.wrong("metadata names another issuer; give it here as it is there"));
        }
        absolute_with_query(&metadata.jwks_uri)
            .filter(|url| url.scheme_str() == Some("https") || self.name.starts_with("http:"))
            .ok_or_else(|| self.wrong("metadata has a `jwks_uri` that is not an https URL"))
    }

    fn failed(&self, document: &str, error: FetchError) -> KeysError {
        KeysError(format!(
            "the {document} of {} cannot be read: {error}",
            self.name
        ))
    }

    fn wrong(&self, what: &str) -> KeysError {
        KeysError(format!("{}: its {what}", self.name))
    }
}

/// Why the keys of an issuer were not read.
#[derive(Clone, Debug)]
pub(super) struct KeysError(String);

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for KeysError {}
