//! What a server asks of tokens.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::algorithm::Algorithm;
use super::claims::Rules;
use super::fetch::Fetcher;
use super::issuer::{Issuer, KeysAt};
use super::keys::Keys;
use super::{Inner, OAuth};
use crate::auth::resource::{ProtectedResource, absolute, absolute_with_query};

/// Sets up [`OAuth`]; made by [`OAuth::builder`].
#[derive(Clone, Debug)]
#[must_use = "it is made by `.build()`"]
pub struct OAuthBuilder {
    issuer: String,
    resource: String,
    jwks_url: Option<String>,
    audiences: Vec<String>,
    algorithms: Vec<Algorithm>,
    name_claim: String,
    leeway: Duration,
    scopes_supported: Vec<String>,
    initial_scopes: Vec<String>,
}

impl OAuthBuilder {
    pub(super) fn new(issuer: String, resource: String) -> Self {
        Self {
            issuer,
            resource,
            jwks_url: None,
            audiences: Vec::new(),
            algorithms: Algorithm::ALL.to_vec(),
            name_claim: "sub".to_owned(),
            leeway: Duration::from_secs(30),
            scopes_supported: Vec::new(),
            initial_scopes: Vec::new(),
        }
    }

    /// The address of the issuer's key set. It is found in the issuer's metadata
    /// (RFC 8414, or OpenID Connect Discovery) where it is not set.
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.jwks_url = Some(url.into());
        self
    }

    /// Takes tokens for this audience too, for issuers that name a server
    /// otherwise than by its URL (RFC 8707). It must name this server alone: a
    /// token for an audience that others share can be used here by any of them.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// The algorithms that tokens may be signed with, in place of all.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// The claim that names the holder, in place of `sub`. The issuer must
    /// promise that no two holders share its value, and that no holder can
    /// choose it: a display name or an unverified address will not do.
    pub fn name_claim(mut self, claim: impl Into<String>) -> Self {
        self.name_claim = claim.into();
        self
    }

    /// How far the issuer's clock may be from this server's: 30 s unless set, 5
    /// minutes at most.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// The scopes that tools of this server ask for, for its metadata.
    pub fn scopes_supported<S: Into<String>>(
        mut self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        self.scopes_supported = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The scopes that a client should ask for to begin with; the 401 names
    /// them. None unless set.
    pub fn initial_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.initial_scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The authenticator. It asks the issuer for nothing yet; see
    /// [`OAuth::fetch_keys`].
    ///
    /// # Errors
    ///
    /// When a URL is not an absolute `https` one (`http` is for loopback hosts),
    /// has a fragment or a user, or a query where none may be; when no algorithm
    /// is left, the leeway is longer than 5 minutes, or the operating system has
    /// no certificates to check the issuer's with.
    pub fn build(self) -> Result<OAuth, OAuthError> {
        let issuer = absolute(&self.issuer).ok_or(OAuthError(
            "the issuer must be its https URL as tokens name it, such as https://auth.example.com; \
             http is for loopback hosts only",
        ))?;
        let keys_at = match self.jwks_url {
            Some(url) => KeysAt::Given(absolute_with_query(&url).ok_or(OAuthError(
                "the address of the key set must be an https URL without fragment; \
                 http is for loopback hosts only",
            ))?),
            None => KeysAt::metadata_of(&issuer),
        };
        let resource = ProtectedResource::new(&self.resource)
            .map_err(|_| {
                OAuthError(
                    "the resource must be the https URL of the MCP endpoint, such as \
                     https://mcp.example.com/mcp; http is for loopback hosts only",
                )
            })?
            .authorization_server(&self.issuer)
            .scopes_supported(self.scopes_supported)
            .initial_scopes(self.initial_scopes);
        if self.algorithms.is_empty() {
            return Err(OAuthError("no algorithm is left; name at least one"));
        }
        if self.leeway > Duration::from_secs(300) {
            return Err(OAuthError(
                "the leeway is longer than 5 minutes; set the clocks instead",
            ));
        }
        let needs_tls = issuer.scheme_str() == Some("https");
        let fetcher = Fetcher::new(needs_tls).map_err(OAuthError)?;
        let mut audiences = self.audiences;
        // Clients differ in whether they keep a last slash.
        let bare = self.resource.trim_end_matches('/');
        audiences.extend([bare.to_owned(), format!("{bare}/")]);
        let rules = Rules {
            audiences,
            name_claim: self.name_claim,
            leeway: self.leeway,
            name_prefix: self
                .issuer
                .strip_prefix("https://")
                .unwrap_or(&self.issuer)
                .to_owned(),
        };
        let keys = Keys::new(Issuer {
            name: self.issuer.clone(),
            keys_at,
            fetcher,
        });
        Ok(OAuth(Inner {
            issuer: self.issuer,
            algorithms: self.algorithms,
            rules,
            resource,
            keys: Arc::new(keys),
        }))
    }
}

/// Why OAuth cannot be set up as asked.
#[derive(Debug)]
pub struct OAuthError(&'static str);

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for OAuthError {}
