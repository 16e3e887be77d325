//! Refuses callers that lack the primitive's scope.

use std::borrow::Cow;

use async_trait::async_trait;

use super::{Middleware, Next};
use crate::call::{Call, Error, Reply};
use crate::primitive::PrimitiveInfo;

/// Refuses callers that lack a scope of the called primitive (`#[tool(scope =
/// "…")]`, [`Router::scope`](crate::Router::scope)), which is not in their list
/// either: the answer is that of an unknown name. The log has the outcome
/// `forbidden`. It is omitted from chains without scopes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Authorize;

#[async_trait]
impl Middleware for Authorize {
    async fn handle(&self, call: Call, next: Next<'_>) -> Result<Reply, Error> {
        if call.info().missing_scope(call.principal()).is_some() {
            return Err(Error::hidden(call.kind(), call.name()));
        }
        next.run(call).await
    }

    fn applies(&self, to: &PrimitiveInfo) -> bool {
        to.scopes().next().is_some()
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("Authorize")
    }
}
