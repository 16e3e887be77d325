//! The right to run, which a running call holds.

use std::sync::Weak;

use tokio::sync::OwnedSemaphorePermit;

/// A running call's share of the server, and of the connection that it came
/// from. It lives in the call, so a blocking handler keeps it until it ends,
/// whatever its caller was answered.
pub(crate) struct RunPermit {
    giver: Weak<dyn PermitGiver>,
    _server: OwnedSemaphorePermit,
}

/// Who counts the calls that run on a connection.
pub(crate) trait PermitGiver: Send + Sync {
    /// A call's handler has ended.
    fn given_back(&self);
}

impl RunPermit {
    pub(crate) fn new(giver: Weak<dyn PermitGiver>, server: OwnedSemaphorePermit) -> Self {
        Self {
            giver,
            _server: server,
        }
    }
}

impl Drop for RunPermit {
    fn drop(&mut self) {
        if let Some(giver) = self.giver.upgrade() {
            giver.given_back();
        }
    }
}
