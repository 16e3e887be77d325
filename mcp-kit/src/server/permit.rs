//! The right to run, which a running call holds.

use std::sync::Weak;

use tokio::sync::OwnedSemaphorePermit;

/// A running call's share of the server, and of the connection that it came
/// from where that counts its calls. It lives in the call, so a blocking handler
/// keeps it until it ends, whatever its caller was answered.
pub(crate) struct RunPermit {
    // Given back before the share is: whoever starts for the share needs one.
    _server: OwnedSemaphorePermit,
    _share: Option<Share>,
}

impl RunPermit {
    pub(crate) fn new(server: OwnedSemaphorePermit, share: Option<Share>) -> Self {
        Self {
            _server: server,
            _share: share,
        }
    }
}

/// A call's share of its connection, from when it leaves the queue.
pub(crate) struct Share(Weak<dyn ShareGiver>);

/// Who counts the calls that run on a connection.
pub(crate) trait ShareGiver: Send + Sync {
    /// A call has ended.
    fn given_back(&self);
}

impl Share {
    pub(crate) fn of(giver: Weak<dyn ShareGiver>) -> Self {
        Self(giver)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(giver) = self.0.upgrade() {
            giver.given_back();
        }
    }
}
