//! The requirements that a server has for tokens.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::algorithm::Algorithm;
use super::claims::{Expected, Rules};
use super::fetch::Fetcher;
use super::issuer::{Issuer, KeysAt};
use super::keys::Keys;
use super::{Inner, OAuth};
use crate::auth::resource::{ProtectedResource, absolute, absolute_with_query};

/// Configures [`OAuth`]; made by [`OAuth::builder`].
#[derive(Clone, Debug)]
#[must_use = "it is made by `.build()`"]
pub struct OAuthBuilder {
    issuer: String,
    resource: String,
    jwks_url: Option<String>,
    algorithms: Vec<Algorithm>,
    rules: Rules,
    scopes_supported: Vec<String>,
    initial_scopes: Vec<String>,
}

impl OAuthBuilder {
    pub(super) fn new(issuer: String, resource: String) -> Self {
        Self {
            issuer,
            resource,
            jwks_url: None,
            algorithms: Algorithm::ALL.to_vec(),
            rules: Rules {
                name_claim: "sub".to_owned(),
                leeway: Duration::from_secs(30),
                ..Rules::default()
            },
            scopes_supported: Vec::new(),
            initial_scopes: Vec::new(),
        }
    }

    /// Sets the address of the issuer's key set. By default it is found in the
    /// issuer's metadata (RFC 8414, or OpenID Connect Discovery).
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.jwks_url = Some(url.into());
        self
    }

    /// Also accepts tokens for this audience, for issuers that do not name a
    /// server by its URL (RFC 8707). It must name this server alone: a token
    /// for an audience that several servers share can be used here by any of
    /// them.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.rules.audiences.push(audience.into());
        self
    }

    /// Accepts tokens without `aud` whose claim `claim` has one of `values`,
    /// for issuers that name the server in this way. A token that has an `aud`
    /// must name this server there.
    ///
    /// Amazon Cognito's access tokens have no audience but the id of the app
    /// client, which must be one that this server alone is reached with:
    ///
    /// ```
    /// use mcp_kit::auth::OAuth;
    ///
    /// let issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab1Cd2Ef3";
    /// let oauth = OAuth::builder(issuer, "https://mcp.example.com/mcp")
    ///     .audience_claim("client_id", ["4hl4example"])
    ///     .require_claim("token_use", ["access"])
    ///     .scope_claim("cognito:groups")
    ///     .build()?;
    /// # Ok::<(), mcp_kit::auth::OAuthError>(())
    /// ```
    pub fn audience_claim<S: Into<String>>(
        mut self,
        claim: impl Into<String>,
        values: impl IntoIterator<Item = S>,
    ) -> Self {
        self.rules.audience_claims.push(expected(claim, values));
        self
    }

    /// Refuses tokens whose claim `claim` does not have one of `values`. A
    /// claim that is a list must hold one of them; `true` and numbers are
    /// compared as text. A name that begins with a slash is a path into
    /// objects: `/organization/id`.
    pub fn require_claim<S: Into<String>>(
        mut self,
        claim: impl Into<String>,
        values: impl IntoIterator<Item = S>,
    ) -> Self {
        self.rules.required_claims.push(expected(claim, values));
        self
    }

    /// Also reads scopes from this claim, in addition to `scope` or `scp`:
    /// `permissions`, `roles`, `cognito:groups`, or a claim within an object,
    /// such as `/realm_access/roles`. Each member of a list is one scope; a
    /// text has them separated by spaces. The issuer must not let users choose
    /// the values.
    pub fn scope_claim(mut self, claim: impl Into<String>) -> Self {
        self.rules.scope_claims.push(claim.into());
        self
    }

    /// Sets the algorithms that tokens may be signed with; all by default.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Sets the claim that names the holder, in place of `sub`. The issuer must
    /// guarantee that no two holders share its value, and that no holder can
    /// choose it: a display name or an unverified address does not qualify.
    pub fn name_claim(mut self, claim: impl Into<String>) -> Self {
        self.rules.name_claim = claim.into();
        self
    }

    /// Sets how far the issuer's clock may differ from this server's: 30 s by
    /// default, 5 minutes at most.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.leeway = leeway;
        self
    }

    /// Sets the scopes that tools of this server require, for its metadata.
    pub fn scopes_supported<S: Into<String>>(
        mut self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        self.scopes_supported = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the scopes that a client should request first; the 401 names them.
    /// None by default.
    pub fn initial_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.initial_scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Returns the authenticator. It does not connect to the issuer yet; see
    /// [`OAuth::fetch_keys`].
    ///
    /// # Errors
    ///
    /// Returns an error if a URL is not an absolute `https` one (`http` is for
    /// loopback hosts), has a fragment or a user, or a query that is not
    /// allowed; if no algorithm or no value of a claim is left; if the leeway
    /// is longer than 5 minutes; or if the operating system has no certificates
    /// to verify the issuer's with.
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
        let rules = &self.rules;
        let mut expected = rules.audience_claims.iter().chain(&rules.required_claims);
        if expected.any(|one| one.values.is_empty()) {
            return Err(OAuthError(
                "a claim is required that may have no value; name at least one for each audience_claim(…) and require_claim(…)",
            ));
        }
        if self.algorithms.is_empty() {
            return Err(OAuthError("no algorithm is left; name at least one"));
        }
        if self.rules.leeway > Duration::from_secs(300) {
            return Err(OAuthError(
                "the leeway is longer than 5 minutes; set the clocks instead",
            ));
        }
        let needs_tls = issuer.scheme_str() == Some("https");
        let fetcher = Fetcher::new(needs_tls).map_err(OAuthError)?;
        let mut rules = self.rules;
        // Clients differ in whether they keep a trailing slash.
        let bare = self.resource.trim_end_matches('/');
        rules
            .audiences
            .extend([bare.to_owned(), format!("{bare}/")]);
        let prefix = self.issuer.strip_prefix("https://");
        prefix
            .unwrap_or(&self.issuer)
            .clone_into(&mut rules.name_prefix);
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

fn expected<S: Into<String>>(
    claim: impl Into<String>,
    values: impl IntoIterator<Item = S>,
) -> Expected {
    Expected {
        claim: claim.into(),
        values: values.into_iter().map(Into::into).collect(),
    }
}

/// Why OAuth cannot be set up as configured.
#[derive(Debug)]
pub struct OAuthError(&'static str);

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for OAuthError {}
