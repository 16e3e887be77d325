//! Reports the progress of a call to the client.

use std::fmt;
use std::sync::{Arc, Weak};

use serde_json::json;

use super::{FromCall, Requirements};
#[cfg(feature = "testing")]
use crate::call::Reported;
use crate::call::{Call, CallContext, Error};

/// Sends progress to the client, if the client requested it.
///
/// Reports cost nothing if the client did not request them. They may be dropped
/// if the client does not read, and are not sent once the call has ended.
///
/// A test that calls the function itself creates one with `testing::progress`
/// (feature `testing`), which records the reports.
#[derive(Clone)]
pub struct Progress(Source);

#[derive(Clone)]
enum Source {
    /// Weak, so that a handler that keeps it does not keep the call.
    Call(Weak<CallContext>),
    #[cfg(feature = "testing")]
    Test(Arc<Record>, Arc<Reported>),
}

/// The function with which a test records a report.
#[cfg(feature = "testing")]
type Record = dyn Fn(f64, Option<f64>, Option<&str>) + Send + Sync;

impl Progress {
    /// For tests of handlers, which have no call.
    #[cfg(feature = "testing")]
    pub(crate) fn of(
        record: impl Fn(f64, Option<f64>, Option<&str>) + Send + Sync + 'static,
    ) -> Self {
        Self(Source::Test(Arc::new(record), Arc::default()))
    }

    /// Reports `progress` of `total`, in any unit, with a message for people.
    ///
    /// A report that is not larger than the call's last one, or not finite, is
    /// not sent.
    pub fn report(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        let total = total.filter(|total| total.is_finite());
        #[cfg(feature = "testing")]
        if let Source::Test(record, reported) = &self.0 {
            return reported.advance(progress, || record(progress, total, message));
        }
        #[cfg_attr(
            not(feature = "testing"),
            expect(irrefutable_let_patterns, reason = "the one source without `testing`")
        )]
        let Source::Call(call) = &self.0 else {
            return;
        };
        let Some(call) = call.upgrade() else { return };
        let (Some(token), Some(outbound)) = (&call.progress_token, &call.outbound) else {
            return;
        };
        if call.is_cancelled() {
            return;
        }
        call.reported.advance(progress, || {
            let mut params = json!({"progressToken": token, "progress": progress});
            if let Some(total) = total {
                params["total"] = json!(total);
            }
            if let Some(message) = message {
                params["message"] = json!(message);
            }
            outbound.notify(&call, "notifications/progress", &params);
        });
    }
}

impl FromCall for Progress {
    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        Ok(Self(Source::Call(Arc::downgrade(call.context()))))
    }

    fn requires(_: &mut Requirements) {}
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}
