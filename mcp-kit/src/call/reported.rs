//! The progress that a call has reported.

use std::sync::{Mutex, PoisonError};

/// The last report. Every later one must be larger, even if a call has several
/// [`Progress`].
pub(crate) struct Reported(Mutex<f64>);

impl Default for Reported {
    fn default() -> Self {
        Self(Mutex::new(f64::NEG_INFINITY))
    }
}

impl Reported {
    /// Runs `send` if `progress` may follow the last report. The lock is held
    /// meanwhile, so that two reports cannot overtake each other.
    pub(crate) fn advance(&self, progress: f64, send: impl FnOnce()) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.is_finite() && progress > *last {
            *last = progress;
            send();
        }
    }
}
