//! Counts a tool's calls.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;

use crate::call::{Call, CallContext, ToolError};
use crate::call::{CallOutcome, Middleware, Next};
use crate::content::ToolResult;
use crate::observe::metrics::{Metrics, ToolSeries};

/// Counts calls by outcome, their time, and how many run now, in
/// [`Metrics`].
///
/// [`ServerBuilder::metrics`](crate::server::ServerBuilder::metrics) puts it
/// around every tool, each under its own name. A call that is cancelled and one
/// that panics are counted as well.
#[derive(Clone, Debug)]
pub struct Measure {
    series: Arc<ToolSeries>,
}

impl Measure {
    /// Counts calls under the label `tool`, which is yours to choose and never
    /// a client's.
    #[must_use]
    pub fn new(metrics: &Metrics, tool: &str) -> Self {
        Self {
            series: metrics.tool(tool),
        }
    }
}

#[async_trait]
impl Middleware for Measure {
    async fn handle(&self, call: Call, next: Next<'_>) -> Result<ToolResult, ToolError> {
        self.series.begin();
        let mut measured = Measured {
            series: &self.series,
            context: Arc::clone(call.context()),
            outcome: None,
        };
        let outcome = next.run(call).await;
        measured.outcome = Some(CallOutcome::of(&outcome, &measured.context));
        drop(measured);
        outcome
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("Measure")
    }
}

/// A call that runs. It is counted when this is dropped.
struct Measured<'a> {
    series: &'a ToolSeries,
    context: Arc<CallContext>,
    outcome: Option<CallOutcome>,
}

impl Drop for Measured<'_> {
    fn drop(&mut self) {
        let outcome = self
            .outcome
            .unwrap_or_else(|| CallOutcome::of_dropped(&self.context));
        self.series.end(outcome, self.context.received_at.elapsed());
    }
}
