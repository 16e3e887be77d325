//! Starts the calls of a session, as far as they may run, and gives each its share.

use std::sync::{Arc, Weak};
use std::task::Waker;

use tokio::sync::OwnedSemaphorePermit;

use super::{LegacySession, Waiting};
use crate::call::{ReturnPlace, Share, ShareGiver};
use crate::transport::http::calls::call::Call;

impl LegacySession {
    /// Starts waiting calls, as far as they may run.
    pub(super) fn launch(&self) {
        // A runtime that has shut down drops a call when it is launched, which
        // gives its share back at once. The code that is launching then
        // continues, so that calls do not end within each other.
        if std::mem::replace(&mut self.lock().is_launching, true) {
            return;
        }
        while let Some((call, Waiting { holds, runtime })) = self.next_to_run() {
            call.launch(holds, self.share(), &runtime);
        }
    }

    /// Takes the next waiting call, if it may run; otherwise the launching
    /// ends.
    fn next_to_run(&self) -> Option<(Arc<Call>, Waiting)> {
        let mut state = self.lock();
        let started = state.calls.start();
        state.is_launching = started.is_some();
        let (key, waiting) = started?;
        let call = state.calls.get_mut(key)?;
        Some((Arc::clone(call), waiting))
    }

    fn share(&self) -> Share {
        Share::of_session(Weak::<Self>::clone(&self.this))
    }
}

/// Starts the next waiting call when a handler has ended.
impl ShareGiver for LegacySession {
    fn given_back(&self, server: Option<OwnedSemaphorePermit>) {
        drop(server); // first: the next call needs one
        let returning = self.lock().calls.release();
        if let Some(returning) = returning {
            returning.wake();
        }
        self.launch();
    }

    fn retake(&self, place: &mut Option<ReturnPlace>, waker: &Waker) -> bool {
        self.lock().calls.retake(place, waker)
    }

    fn leave(&self, place: ReturnPlace) {
        let returning = self.lock().calls.leave(place);
        if let Some(returning) = returning {
            returning.wake();
        }
        self.launch();
    }
}
