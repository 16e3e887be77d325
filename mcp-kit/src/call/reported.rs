//! The progress that a call has reported.

use crate::support::lock::Lock;

/// The last report. Every later one must be larger, even if a call has several
/// [`Progress`].
pub(crate) struct Reported(Lock<f64>);

impl Default for Reported {
    fn default() -> Self {
        Self(Lock::new(f64::NEG_INFINITY))
    }
}

impl Reported {
    /// Runs `send` if `progress` may follow the last report. The lock is held
    /// meanwhile, so that two reports cannot overtake each other.
    pub(crate) fn advance(&self, progress: f64, send: impl FnOnce()) {
        let mut last = self.0.lock();
        if progress.is_finite() && progress > *last {
            *last = progress;
            send();
        }
    }
}
