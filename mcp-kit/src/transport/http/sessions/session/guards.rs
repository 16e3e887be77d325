//! Guards that keep a session in use: of a request that is being handled, and
//! of an open stream.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::LegacySession;
use crate::transport::http::calls::response::Exchange;

/// A session with a request that is being handled.
pub(crate) struct InUse(pub(super) Arc<LegacySession>);

impl InUse {
    pub(in super::super) fn session(&self) -> &Arc<LegacySession> {
        &self.0
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let session = &self.0;
        let now = session.common.now();
        session.last_used.store(now, Ordering::Relaxed);
        session.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A stream that belongs to no request, open until this is dropped.
pub(crate) struct Listening {
    pub(super) session: Arc<LegacySession>,
    pub(super) exchange: Arc<Exchange>,
}

impl Listening {
    pub(in super::super) fn exchange(&self) -> &Arc<Exchange> {
        &self.exchange
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let session = &self.session;
        let mut state = session.lock();
        let is_ours = (state.standalone.as_ref())
            .is_some_and(|standalone| Arc::ptr_eq(standalone, &self.exchange));
        if is_ours {
            state.standalone = None;
            drop(state);
            // The client was listening until now.
            let now = session.common.now();
            session.last_used.store(now, Ordering::Relaxed);
        }
    }
}
