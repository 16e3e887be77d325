//! Decodes and checks the arguments.

use std::borrow::Cow;
use std::future::{Future, ready};
use std::pin::Pin;

use super::{Middleware, Next};
use crate::args::Violations;
use crate::tool::{ErrorKind, ToolCall, ToolError, ToolResult};

/// Decodes the arguments and checks them against every rule. A call that
/// breaks one is answered with the complete report; the handler does not run.
///
/// It stands in every tool's chain and cannot be removed: where a chain had
/// none, the handler would check all the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct Validate;

impl Validate {
    pub(crate) fn refusal(violations: Violations) -> ToolError {
        ToolError::refusal(ErrorKind::InvalidArguments, violations.to_string())
    }
}

// Written out where `#[async_trait]` could stand: checking does not wait, so
// the rest of the chain's future is handed on without a box around it.
impl Middleware for Validate {
    fn handle<'life, 'next, 'async_trait>(
        &'life self,
        mut call: ToolCall,
        next: Next<'next>,
    ) -> Pin<Box<dyn Future<Output = Result<ToolResult, ToolError>> + Send + 'async_trait>>
    where
        'life: 'async_trait,
        'next: 'async_trait,
        Self: 'async_trait,
    {
        match call.validate() {
            Ok(()) => next.run(call),
            Err(violations) => Box::pin(ready(Err(Self::refusal(violations)))),
        }
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("Validate")
    }
}
