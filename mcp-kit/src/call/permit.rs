//! The permits that a running call holds: one of the server, over HTTP one of
//! its caller, and a share of its connection or session.

#[cfg(feature = "http")]
use std::collections::HashMap;
#[cfg(feature = "http")]
use std::sync::Arc;
use std::sync::Weak;

use tokio::sync::OwnedSemaphorePermit;
#[cfg(feature = "http")]
use tokio::sync::Semaphore;

#[cfg(feature = "http")]
use crate::caller::Principal;
#[cfg(feature = "http")]
use crate::support::lock::Lock;

/// A running call's share of the server, of its caller's calls if those are
/// counted, and of its connection if that counts its calls. It lives in the
/// call, so a blocking handler keeps it until it ends, whatever its caller
/// received.
pub(crate) struct RunPermit {
    // Released before the share is: the call that starts with the share needs
    // one of each.
    _server: OwnedSemaphorePermit,
    _principal: Option<OwnedSemaphorePermit>,
    _share: Option<Share>,
}

impl RunPermit {
    pub(crate) fn new(server: OwnedSemaphorePermit, share: Option<Share>) -> Self {
        Self {
            _server: server,
            _principal: None,
            _share: share,
        }
    }

    /// Adds a permit of its caller.
    #[cfg(feature = "http")]
    pub(crate) fn of_principal(mut self, permit: OwnedSemaphorePermit) -> Self {
        self._principal = Some(permit);
        self
    }
}

/// How many calls each principal may run at once. A principal without a name of
/// its own counts as its host.
#[cfg(feature = "http")]
pub(crate) struct PrincipalPermits {
    most: usize,
    known: Lock<Known>,
}

#[cfg(feature = "http")]
struct Known {
    /// Hashed quickly: there are few, since those without calls are forgotten.
    permits: HashMap<Box<[u8]>, Arc<Semaphore>, foldhash::fast::RandomState>,
    /// With this many entries, those that no call uses are forgotten.
    sweep_at: usize,
}

#[cfg(feature = "http")]
impl PrincipalPermits {
    const LEAST_SWEPT: usize = 64;

    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: most.min(Semaphore::MAX_PERMITS),
            known: Lock::new(Known {
                permits: HashMap::default(),
                sweep_at: Self::LEAST_SWEPT,
            }),
        }
    }

    /// Returns the permits of `principal`: one for each call that may run at
    /// once.
    pub(crate) fn of(&self, principal: &Principal) -> Arc<Semaphore> {
        let key = principal.limit_key();
        let mut known = self.known.lock();
        if let Some(permits) = known.permits.get(key) {
            return Arc::clone(permits);
        }
        if known.permits.len() >= known.sweep_at {
            // A call that holds a permit, or waits for one, also holds the semaphore.
            let is_used = |permits: &Arc<Semaphore>| Arc::strong_count(permits) > 1;
            known.permits.retain(|_, permits| is_used(permits));
            known.sweep_at = Self::LEAST_SWEPT.max(2 * known.permits.len());
        }
        let permits = Arc::new(Semaphore::new(self.most));
        known.permits.insert(key.into(), Arc::clone(&permits));
        permits
    }
}

/// A call's share of its connection, from when it leaves the queue.
pub(crate) struct Share(Weak<dyn ShareGiver>);

/// Counts the calls that run on a connection.
pub(crate) trait ShareGiver: Send + Sync {
    /// Records that a call has ended.
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

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn principals_that_run_nothing_are_forgotten() {
        let permits = PrincipalPermits::new(1);
        let named = |name: &str| permits.of(&Principal::new(name, [""; 0]));
        let held = named("held").try_acquire_owned().unwrap();
        for number in 0..1_000 {
            let permit = named(&number.to_string()).try_acquire_owned();
            assert!(permit.is_ok());
        }
        let known = permits.known.lock().permits.len();
        assert!(known <= PrincipalPermits::LEAST_SWEPT, "{known}");
        assert!(named("held").try_acquire_owned().is_err());
        drop(held);
        assert!(named("held").try_acquire_owned().is_ok());
    }
}
