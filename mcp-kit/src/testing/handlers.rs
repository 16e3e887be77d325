//! Extractors for tests that call a tool's function directly.

use std::fmt;
use std::sync::Arc;

use crate::support::lock::Lock;

use crate::call::Cancelled;
use crate::extract::{Cancellation, Progress};

/// Returns a [`Progress`] that records the reports, for a test that calls a
/// tool's function itself.
///
/// ```
/// use mcp_kit::prelude::*;
/// use mcp_kit::testing;
///
/// /// Counts to three.
/// #[tool]
/// async fn count(progress: Progress) -> &'static str {
///     for number in 1..=3 {
///         progress.report(number.into(), Some(3.0), None);
///     }
///     "counted"
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (progress, reports) = testing::progress();
/// assert_eq!(count(progress).await, "counted");
/// let numbers: Vec<_> = reports.all().iter().map(|report| report.progress).collect();
/// assert_eq!(numbers, [1.0, 2.0, 3.0]);
/// # }
/// ```
#[must_use]
pub fn progress() -> (Progress, ProgressReports) {
    let reports = ProgressReports::default();
    let kept = Arc::clone(&reports.0);
    let progress = Progress::of(move |progress, total, message| {
        let report = ProgressReport {
            progress,
            total,
            message: message.map(str::to_owned),
        };
        let mut kept = kept.lock();
        kept.push(report);
    });
    (progress, reports)
}

/// The reports to a [`progress`] of a test.
#[derive(Clone, Debug, Default)]
pub struct ProgressReports(Arc<Lock<Vec<ProgressReport>>>);

/// One report, as a client would receive it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ProgressReport {
    /// The progress of the call.
    pub progress: f64,
    /// The total, if it is known.
    pub total: Option<f64>,
    /// The message for people.
    pub message: Option<String>,
}

impl ProgressReports {
    /// Returns every report so far. A report that is not larger than the one
    /// before it is not sent, so it is not included.
    #[must_use]
    pub fn all(&self) -> Vec<ProgressReport> {
        let reports = self.0.lock();
        reports.clone()
    }
}

/// Returns a [`Cancellation`] and the handle that sets it, for a test that
/// calls a tool's function itself.
///
/// ```
/// let (cancellation, cancel) = mcp_kit::testing::cancellation();
/// assert!(!cancellation.is_cancelled());
/// cancel.cancel();
/// assert!(cancellation.is_cancelled());
/// ```
#[must_use]
pub fn cancellation() -> (Cancellation, CancelHandle) {
    let handle = CancelHandle(Arc::default());
    (Cancellation::of(Arc::clone(&handle.0)), handle)
}

/// Sets a [`cancellation`] of a test.
#[derive(Clone)]
pub struct CancelHandle(Arc<Cancelled>);

impl CancelHandle {
    /// Cancels: the caller no longer waits.
    pub fn cancel(&self) {
        self.0.set();
    }
}

impl fmt::Debug for CancelHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelHandle")
            .field("is_cancelled", &self.0.is_set())
            .finish()
    }
}
