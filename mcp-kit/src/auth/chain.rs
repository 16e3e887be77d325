//! A chain of authenticators, which are tried in order.

use std::error::Error;
use std::sync::Arc;

use http::HeaderValue;

use super::{AuthError, Authenticator, Credentials, ProtectedResource};
use crate::caller::Principal;
use crate::support::panics::discard_logged;

/// The value of `WWW-Authenticate` for keys. Keys may be sent as bearer tokens,
/// so RFC 6750's scheme is correct.
pub(crate) const PLAIN_CHALLENGE: &str = "Bearer realm=\"mcp\"";

/// The scopes that a token was requested with, if its caller has others from
/// other claims. Only those can be requested again.
#[cfg(feature = "oauth")]
pub(super) struct TokenScopes(pub(super) Vec<Box<str>>);

/// The authenticators of a service, in the order in which they are tried.
#[derive(Clone, Default)]
pub(crate) struct Authenticators(Vec<Arc<dyn Authenticator>>);

/// They are a user's, and are dropped with the service, on whatever thread.
impl Drop for Authenticators {
    fn drop(&mut self) {
        for authenticator in self.0.drain(..) {
            discard_logged(authenticator, "an authenticator");
        }
    }
}

impl Authenticators {
    pub(crate) fn add(&mut self, authenticator: impl Authenticator) {
        self.0.push(Arc::new(authenticator));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the caller from the first authenticator that knows it;
    /// `Ok(None)` for a request without credentials. A failure that is not
    /// returned, since another authenticator knew the caller, is logged.
    pub(crate) async fn authenticate(
        &self,
        credentials: &Credentials<'_>,
    ) -> Result<Option<Principal>, AuthError> {
        let mut unavailable = None;
        for authenticator in &self.0 {
            match authenticator.authenticate(credentials).await {
                Ok(None) => {}
                Err(error) if error.is_unavailable() => {
                    // The first is returned, and the code that answers logs it.
                    if unavailable.is_some() {
                        log(&error);
                    } else {
                        unavailable = Some(error);
                    }
                }
                outcome => {
                    unavailable.iter().for_each(log);
                    let takes_tokens = authenticator.protected_resource().is_some();
                    return outcome.map(|caller| match caller {
                        Some(caller) if takes_tokens => Some(caller.with_token()),
                        caller => caller,
                    });
                }
            }
        }
        if let Some(error) = unavailable {
            return Err(error);
        }
        if credentials.is_empty() {
            return Ok(None);
        }
        Err(AuthError::invalid(if self.has_bearer() {
            "the key or token is not known"
        } else {
            "the credentials are not known"
        }))
    }

    /// Returns the text of a 401 for a caller without credentials.
    pub(crate) fn what_to_send(&self) -> String {
        let expected: Vec<_> = self.0.iter().filter_map(|one| one.expects()).collect();
        if expected.is_empty() {
            return "the request has no credentials that this server accepts".to_owned();
        }
        format!("send {}", expected.join(", or "))
    }

    /// Whether any of them accepts `Authorization: Bearer`.
    fn has_bearer(&self) -> bool {
        let mut challenges = self.0.iter().filter_map(|one| one.challenge());
        challenges.any(|challenge| is_bearer(&challenge))
    }

    /// Returns the server's metadata for OAuth clients; `None` if no
    /// authenticator accepts tokens. Metadata of the same resource is merged.
    pub(crate) fn protected_resource(&self) -> Option<ProtectedResource> {
        let mut all = self.0.iter().filter_map(|one| one.protected_resource());
        let mut resource = all.next()?.clone();
        all.for_each(|other| resource.merge(other));
        Some(resource)
    }

    /// Returns the value of `WWW-Authenticate` for a 403 to a caller that lacks
    /// `scope` and could request a token with it. `None` for every other
    /// caller: it cannot change its scopes, and should read a plain result.
    pub(crate) fn insufficient_scope(
        &self,
        caller: &Principal,
        scope: &str,
    ) -> Option<HeaderValue> {
        if !caller.has_token() {
            return None;
        }
        let resource = self.protected_resource()?;
        #[cfg(feature = "oauth")]
        if let Some(TokenScopes(held)) = caller.extension() {
            let held = held.iter().map(|scope| &**scope);
            return HeaderValue::try_from(resource.insufficient_scope(held, scope)).ok();
        }
        let challenge = resource.insufficient_scope(caller.named_scopes(), scope);
        HeaderValue::try_from(challenge).ok()
    }

    /// Returns the values of `WWW-Authenticate` for a 401. `error` is the
    /// result of [`authenticate`](Self::authenticate); a request without
    /// credentials has none, and receives no error code (RFC 6750, section
    /// 3.1).
    pub(crate) fn challenges(&self, error: Option<&AuthError>) -> Vec<HeaderValue> {
        let mut challenges: Vec<_> = self.0.iter().filter_map(|one| one.challenge()).collect();
        // A challenge that names the source of tokens is more useful than the
        // plain one.
        if challenges.iter().any(|one| one != PLAIN_CHALLENGE) {
            challenges.retain(|one| one != PLAIN_CHALLENGE);
        }
        challenges.dedup();
        let reason = error.and_then(AuthError::reason);
        challenges
            .into_iter()
            .map(|challenge| with_reason(challenge, reason))
            .filter_map(|challenge| HeaderValue::try_from(challenge).ok())
            .collect()
    }
}

fn log(error: &AuthError) {
    let error: &(dyn Error + 'static) = error;
    tracing::error!(target: super::TARGET, error, "a way of authenticating fails");
}

/// Adds the reason for a refused token to a Bearer challenge; other schemes
/// have no parameter for it.
fn with_reason(challenge: String, reason: Option<&'static str>) -> String {
    match reason {
        Some(reason) if is_bearer(&challenge) => {
            let description = reason.replace(['"', '\\'], "'");
            let and = if challenge.contains(' ') { "," } else { "" };
            format!("{challenge}{and} error=\"invalid_token\", error_description=\"{description}\"")
        }
        _ => challenge,
    }
}

fn is_bearer(challenge: &str) -> bool {
    let scheme = challenge.get(..7).unwrap_or(challenge);
    scheme.trim_end().eq_ignore_ascii_case("bearer")
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use http::HeaderMap;

    use super::*;

    struct Fixed(
        fn() -> Result<Option<Principal>, AuthError>,
        Option<&'static str>,
    );

    #[async_trait]
    impl Authenticator for Fixed {
        async fn authenticate(&self, _: &Credentials<'_>) -> Result<Option<Principal>, AuthError> {
            self.0()
        }

        fn challenge(&self) -> Option<String> {
            self.1.map(Into::into)
        }
    }

    const ALICE: fn() -> Result<Option<Principal>, AuthError> =
        || Ok(Some(Principal::new("alice", ["read"])));
    const NOBODY: fn() -> Result<Option<Principal>, AuthError> = || Ok(None);
    const DOWN: fn() -> Result<Option<Principal>, AuthError> =
        || Err(AuthError::unavailable("the database is down"));
    const REFUSED: fn() -> Result<Option<Principal>, AuthError> =
        || Err(AuthError::invalid("it has expired"));

    type Answer = fn() -> Result<Option<Principal>, AuthError>;

    fn chain(answers: &[Answer]) -> Authenticators {
        let mut chain = Authenticators::default();
        for answer in answers {
            chain.add(Fixed(*answer, None));
        }
        chain
    }

    /// Returns the chain's decision on a request with these headers.
    async fn ask(
        chain: &Authenticators,
        headers: &HeaderMap,
    ) -> Result<Option<Principal>, AuthError> {
        chain.authenticate(&Credentials::read(headers)?).await
    }

    fn with_key() -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", HeaderValue::from_static("k"));
        headers
    }

    #[tokio::test]
    async fn the_first_that_knows_the_caller_counts() {
        for known in [&[NOBODY, ALICE][..], &[DOWN, ALICE], &[ALICE, REFUSED]] {
            let outcome = ask(&chain(known), &with_key()).await;
            assert_eq!(outcome.unwrap().unwrap().name(), "alice");
        }
    }

    #[tokio::test]
    async fn a_refusal_is_final_and_a_failure_closes_the_door() {
        let outcome = ask(&chain(&[REFUSED, ALICE]), &with_key()).await;
        assert_eq!(outcome.unwrap_err().reason(), Some("it has expired"));
        let outcome = ask(&chain(&[DOWN, NOBODY]), &with_key()).await;
        assert!(outcome.unwrap_err().is_unavailable());
        let outcome = ask(&chain(&[NOBODY]), &with_key()).await;
        assert!(outcome.unwrap_err().reason().is_some());
        let outcome = ask(&chain(&[NOBODY]), &HeaderMap::new()).await;
        assert!(outcome.unwrap().is_none());
    }

    fn challenges(given: &[Option<&'static str>], error: Option<&AuthError>) -> Vec<String> {
        let mut chain = Authenticators::default();
        for challenge in given {
            chain.add(Fixed(NOBODY, *challenge));
        }
        let challenges = chain.challenges(error);
        challenges
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_401_says_how_to_authenticate_and_what_was_wrong() {
        assert_eq!(challenges(&[None], None), [""; 0]);
        assert_eq!(
            challenges(&[None, Some(PLAIN_CHALLENGE)], None),
            [PLAIN_CHALLENGE]
        );
        let metadata = "Bearer resource_metadata=\"https://a.example/\"";
        let both = &[
            Some(PLAIN_CHALLENGE),
            Some(metadata),
            Some("Basic realm=\"x\""),
        ];
        assert_eq!(challenges(both, None), [metadata, "Basic realm=\"x\""]);
        let error = AuthError::invalid("it is \"odd\"");
        assert_eq!(
            challenges(both, Some(&error)),
            [
                format!("{metadata}, error=\"invalid_token\", error_description=\"it is 'odd'\""),
                "Basic realm=\"x\"".to_owned(),
            ]
        );
    }

    /// Accepts every token, for a resource of its own.
    #[cfg(feature = "oauth")]
    struct Tokens(ProtectedResource);

    #[cfg(feature = "oauth")]
    #[async_trait]
    impl Authenticator for Tokens {
        async fn authenticate(&self, _: &Credentials<'_>) -> Result<Option<Principal>, AuthError> {
            ALICE()
        }

        fn protected_resource(&self) -> Option<&ProtectedResource> {
            Some(&self.0)
        }
    }

    #[cfg(feature = "oauth")]
    #[tokio::test]
    async fn only_a_caller_with_a_token_is_challenged_for_another() {
        let url = "https://mcp.example.com/mcp";
        let resource = |issuer| {
            ProtectedResource::new(url)
                .unwrap()
                .authorization_server(issuer)
        };
        let mut chain = chain(&[NOBODY]);
        let alice = Principal::new("alice", ["read"]).with_token();
        assert_eq!(chain.insufficient_scope(&alice, "write"), None);
        chain.add(Tokens(resource("https://auth.example.com")));
        chain.add(Tokens(resource("https://other.example.com")));
        // Regardless of which authenticator accepts tokens, and of its
        // decision.
        let alice = ask(&chain, &with_key()).await.unwrap().unwrap();
        assert_eq!(
            chain.insufficient_scope(&alice, "write").unwrap(),
            "Bearer error=\"insufficient_scope\", scope=\"read write\", resource_metadata=\
             \"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\""
        );
        let with_key = Principal::new("alice", ["read"]);
        assert_eq!(chain.insufficient_scope(&with_key, "write"), None);
        let document = chain.protected_resource().unwrap().to_json();
        assert!(document.contains("auth.example.com") && document.contains("other.example.com"));
    }
}
