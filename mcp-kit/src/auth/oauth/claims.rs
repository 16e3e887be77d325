//! Checks the claims of a token whose signature is valid: whether it is for
//! this server and this time, and who its holder is.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::auth::AuthError;
use crate::support::text::is_unsafe;

/// The requirements for a token's claims.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub(super) audiences: Vec<String>,
    /// The claims that name this server in tokens without `aud`.
    pub(super) audience_claims: Vec<Expected>,
    pub(super) required_claims: Vec<Expected>,
    /// Claims that hold scopes, in addition to `scope` and `scp`.
    pub(super) scope_claims: Vec<String>,
    pub(super) name_claim: String,
    pub(super) leeway: Duration,
    /// The prefix of the names of this issuer's holders.
    pub(super) name_prefix: String,
}

/// A claim, and the values of which it must have one.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) claim: String,
    pub(super) values: Vec<String>,
}

type Claims = Map<String, Value>;

impl Expected {
    fn is_in(&self, claims: &Claims) -> bool {
        let is_one = |value: &Value| match value {
            Value::String(text) => self.values.contains(text),
            Value::Bool(_) | Value::Number(_) => self.values.contains(&value.to_string()),
            _ => false,
        };
        match find(claims, &self.claim) {
            Some(Value::Array(values)) => values.iter().any(is_one),
            Some(value) => is_one(value),
            None => false,
        }
    }
}

/// Returns the claim of this name, or the value at a path such as
/// `/realm_access/roles`: names of claims may contain dots and slashes, but do
/// not begin with one.
fn find<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    let Some(path) = name.strip_prefix('/') else {
        return claims.get(name);
    };
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let value = claims.get(first)?;
    rest.split('/')
        .filter(|member| !member.is_empty())
        .try_fold(value, |value, member| value.get(member))
}

impl Rules {
    /// Checks that the token is for this server and this time (RFC 7519,
    /// sections 4.1.3 to 4.1.5). `resource` is another URL of this server, at
    /// which the token was sent.
    pub(super) fn check(&self, claims: &Claims, resource: Option<&str>) -> Result<(), AuthError> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs_f64();
        let leeway = self.leeway.as_secs_f64();
        let time = |claim: &str| claims.get(claim).map(Value::as_f64);
        match time("exp") {
            Some(Some(end)) if now < end + leeway => {}
            Some(Some(_)) => return Err(AuthError::invalid("the token has expired")),
            _ => return Err(AuthError::invalid("the token does not say when it expires")),
        }
        match time("nbf") {
            None => {}
            Some(Some(begin)) if begin - leeway <= now => {}
            Some(_) => return Err(AuthError::invalid("the token is not valid yet")),
        }
        let is_ours = |value: &Value| {
            value.as_str().is_some_and(|audience| {
                let is_at = |url: &str| url.trim_end_matches('/') == audience.trim_end_matches('/');
                self.audiences.iter().any(|one| one == audience) || resource.is_some_and(is_at)
            })
        };
        let is_for_us = match claims.get("aud") {
            Some(Value::Array(audiences)) => audiences.iter().any(is_ours),
            Some(audience) => is_ours(audience),
            None => self.audience_claims.iter().any(|one| one.is_in(claims)),
        };
        if !is_for_us {
            return Err(AuthError::invalid(
                "the token is for another audience than this server",
            ));
        }
        if !self.required_claims.iter().all(|one| one.is_in(claims)) {
            return Err(AuthError::invalid(
                "the token lacks a claim that this server requires, or has it with another value",
            ));
        }
        Ok(())
    }

    /// Returns when a token that is valid now expires; `None` for a time that
    /// no clock will reach.
    pub(super) fn expiry(&self, claims: &Claims) -> Option<SystemTime> {
        let end = claims.get("exp")?.as_f64()? + self.leeway.as_secs_f64();
        SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(end).ok()?)
    }

    /// Returns the holder's name: that of the issuer, `#`, and the claim. An
    /// issuer's URL has no `#`, so no holder can choose a claim that makes the
    /// name another issuer's; and no API key's name has one.
    pub(super) fn name(&self, claims: &Claims) -> Result<String, AuthError> {
        /// In bytes. Names appear in logs and in the tables of limits.
        const LONGEST: usize = 256;
        let name = claims.get(&self.name_claim).and_then(Value::as_str);
        let name = name.ok_or(AuthError::invalid(
            "the token lacks the claim that names its holder",
        ))?;
        let is_plain = !name.is_empty() && name.trim() == name && !name.contains(is_unsafe);
        if name.len() > LONGEST || !is_plain {
            return Err(AuthError::invalid(
                "the claim that names the token's holder is not a plain name",
            ));
        }
        Ok(format!("{}#{name}", self.name_prefix))
    }
}

/// Returns the scopes of `scope` (RFC 8693, section 4.2), or of `scp`, as some
/// issuers name it: a text separated by spaces, or a list.
pub(super) fn scopes(claims: &Claims) -> Vec<&str> {
    let Some(scopes) = claims.get("scope").or_else(|| claims.get("scp")) else {
        return Vec::new();
    };
    texts(scopes)
        .into_iter()
        .flat_map(|text| text.split(' '))
        .filter(|scope| !scope.is_empty())
        .collect()
}

impl Rules {
    /// Returns the values of the claims that were configured as scopes. Members
    /// of a list are whole: a group `files admin` is not the scope `admin`.
    pub(super) fn more_scopes<'a>(&'a self, claims: &'a Claims) -> impl Iterator<Item = &'a str> {
        let values = self
            .scope_claims
            .iter()
            .filter_map(|name| find(claims, name));
        let scopes = values.flat_map(|value| match value {
            Value::String(text) => text.split(' ').collect(),
            other => texts(other),
        });
        scopes.filter(|scope| !scope.is_empty())
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    }
}
