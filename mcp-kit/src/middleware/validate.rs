//! Decodes and checks the arguments, and checks structured results.

use std::borrow::Cow;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Middleware, Next};
use crate::call::{Call, Error, Reply};
use crate::content::ToolResult;
use crate::schema::RunTime;

/// Decodes the arguments and checks them against every rule. A call that
/// breaks one is answered with the complete report; the handler does not run.
///
/// It is in every tool's chain and cannot be removed: without it the handler
/// would check the arguments itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Validate;

// `#[async_trait]` written out: checking does not wait, so the rest of the
// chain's future is passed on without a box around it.
impl Middleware for Validate {
    fn handle<'life, 'next, 'async_trait>(
        &'life self,
        mut call: Call,
        next: Next<'next>,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send + 'async_trait>>
    where
        'life: 'async_trait,
        'next: 'async_trait,
        Self: 'async_trait,
    {
        match call.validate() {
            Ok(()) => next.run(call),
            Err(error) => Box::pin(ready(Err(error))),
        }
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("Validate")
    }
}

/// Checks the result of a tool that has an output schema. A result that breaks
/// the schema, or has no structured content, is an internal error: the client
/// reads a reference, and the log has what is wrong and where, without values.
///
/// It is in the chain of every tool with an output schema, outside of your own
/// middlewares. A result that reports a failure (`isError`) is not checked.
#[derive(Clone, Debug)]
pub struct ValidateOutput {
    schema: Arc<RunTime>,
}

impl ValidateOutput {
    pub(crate) fn new(schema: &Arc<RunTime>) -> Self {
        Self {
            schema: Arc::clone(schema),
        }
    }
}

#[async_trait]
impl Middleware for ValidateOutput {
    async fn handle(&self, call: Call, next: Next<'_>) -> Result<Reply, Error> {
        let reply = next.run(call).await?;
        match &reply {
            Reply::Tool(result) if !result.is_error() => check(&self.schema, result)?,
            _ => {}
        }
        Ok(reply)
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("ValidateOutput")
    }
}

/// The most mistakes of a result that are reported.
const MOST_TOLD: usize = 5;

fn check(schema: &RunTime, result: &ToolResult) -> Result<(), Error> {
    let Some(structured) = result.structured_content() else {
        return Err(Error::internal(
            "the tool has an output schema, and its result has no structured content",
        ));
    };
    if schema.admits(structured.get()) {
        return Ok(());
    }
    let findings = schema.findings(structured.get());
    let told = findings.iter().take(MOST_TOLD).map(ToString::to_string);
    let told = told.collect::<Vec<_>>().join("; ");
    Err(Error::internal(format!(
        "the structured content breaks the output schema: {told}"
    )))
}
