//! OAuth 2.1: the server is a resource server that accepts an issuer's tokens.

mod algorithm;
mod builder;
mod claims;
mod fetch;
mod issuer;
mod jwk;
mod keys;
mod token;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

pub use algorithm::Algorithm;
pub use builder::{OAuthBuilder, OAuthError};

use super::chain::TokenScopes;
use super::{AuthError, Authenticator, Credentials, ProtectedResource};
use crate::caller::Principal;
use claims::Rules;
use keys::Keys;
use token::Token;

/// Authenticates callers by the access tokens of one issuer, sent as
/// `Authorization: Bearer <token>`.
///
/// A token is a signed JWT (RFC 9068). It is accepted if
///
/// - its issuer (`iss`) equals this one exactly,
/// - its algorithm is one of those allowed ([`Algorithm`]), and is that of the
///   key which it names (`kid`) among those that the issuer publishes,
/// - its signature is valid,
/// - it has not expired (`exp`, which it must have) and is valid already
///   (`nbf`), give or take 30 s,
/// - its audience (`aud`) is this server's URL (RFC 8707), or one named by
///   [`audience`](OAuthBuilder::audience); without `aud`, a claim named by
///   [`audience_claim`](OAuthBuilder::audience_claim) names this server,
/// - and it has the claims of [`require_claim`](OAuthBuilder::require_claim).
///
/// The caller's name is the issuer without `https://`, `#`, and the claim `sub`
/// or [another](OAuthBuilder::name_claim): `auth.example.com#alice`. Its scopes
/// are those of the claim `scope`, or of `scp`, and of the claims named by
/// [`scope_claim`](OAuthBuilder::scope_claim). The token itself is neither kept
/// nor passed on.
///
/// A bearer token that is not a JWT, or is from another issuer, is left to the
/// next authenticator, so API keys and several issuers work side by side.
///
/// # The issuer's keys
///
/// They are fetched when the first token arrives, or by
/// [`fetch_keys`](Self::fetch_keys), and again when they are 10 minutes old or
/// a token names one that is not among them; never more often than every 10
/// seconds, and by one request at a time. While the issuer is down, the old
/// ones are used until they are an hour old; then tokens are refused with 503.
/// A fetch may take 5 s and read 512 KiB for each of its documents. It trusts
/// the certificates that the operating system trusts, follows no redirects and
/// uses no proxy.
///
/// # What clients receive
///
/// The HTTP service publishes the metadata of RFC 9728 and names it in each
/// 401. A caller whose token lacks a tool's scope gets 403 with the scopes to
/// request.
///
/// ```
/// use mcp_kit::auth::OAuth;
///
/// let oauth = OAuth::builder("https://auth.example.com", "https://mcp.example.com/mcp")
///     .scopes_supported(["files:read", "files:write"])
///     .initial_scopes(["files:read"])
///     .build()?;
/// # Ok::<(), mcp_kit::auth::OAuthError>(())
/// ```
pub struct OAuth(Inner);

struct Inner {
    issuer: String,
    algorithms: Vec<Algorithm>,
    rules: Rules,
    resource: ProtectedResource,
    keys: Arc<Keys>,
}

impl OAuth {
    /// Returns a builder with the two URLs that must match to the letter: the
    /// issuer's, as its tokens have it in `iss`, and that of this server's MCP
    /// endpoint, as clients reach it.
    pub fn builder(issuer: impl Into<String>, resource: impl Into<String>) -> OAuthBuilder {
        OAuthBuilder::new(issuer.into(), resource.into())
    }

    /// Fetches the issuer's keys now, so that a wrong address fails at the
    /// start of the server and not at the first call.
    ///
    /// # Errors
    ///
    /// Returns an error if the issuer does not answer, or answers with anything
    /// but its keys; the error's [source](std::error::Error::source) has the
    /// reason, which its own text omits.
    pub async fn fetch_keys(&self) -> Result<(), AuthError> {
        self.0.keys.fetch().await.map_err(AuthError::unavailable)
    }

    async fn check(
        &self,
        token: &Token<'_>,
        resource: Option<&str>,
    ) -> Result<Principal, AuthError> {
        if !token.is_for_access() {
            return Err(AuthError::invalid("this is not a plain access token"));
        }
        let algorithm = Algorithm::named(&token.header.alg)
            .filter(|algorithm| self.0.algorithms.contains(algorithm))
            .ok_or(AuthError::invalid("the token's algorithm is not accepted"))?;
        self.0.keys.check(token, algorithm).await?;
        let (rules, claims) = (&self.0.rules, &token.claims);
        rules.check(claims, resource)?;
        let scopes = claims::scopes(claims).into_iter();
        let scopes = scopes.chain(rules.more_scopes(claims));
        let mut principal = Principal::new(rules.name(claims)?, scopes);
        if !rules.scope_claims.is_empty() {
            let asked = claims::scopes(claims).into_iter().map(Into::into);
            principal = principal.with_extension(TokenScopes(asked.collect()));
        }
        Ok(match rules.expiry(claims) {
            Some(expiry) => principal.with_expiry(expiry),
            None => principal,
        })
    }
}

#[async_trait]
impl Authenticator for OAuth {
    async fn authenticate(
        &self,
        credentials: &Credentials<'_>,
    ) -> Result<Option<Principal>, AuthError> {
        let Some(token) = credentials.bearer().and_then(Token::read) else {
            return Ok(None);
        };
        if token.text("iss") != Some(&self.0.issuer) {
            return Ok(None);
        }
        self.check(&token, credentials.resource()).await.map(Some)
    }

    fn challenge(&self) -> Option<String> {
        Some(self.0.resource.challenge())
    }

    fn expects(&self) -> Option<Cow<'static, str>> {
        Some("an access token, as \"Authorization: Bearer …\"".into())
    }

    fn protected_resource(&self) -> Option<&ProtectedResource> {
        Some(&self.0.resource)
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth")
            .field("issuer", &self.0.issuer)
            .field("resource", &self.0.resource)
            .finish_non_exhaustive()
    }
}
