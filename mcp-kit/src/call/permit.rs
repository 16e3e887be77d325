//! The permits that a running call holds: one of the server, over HTTP one of
//! its caller, and a share of its connection or session. A call that asks its
//! client gives them back meanwhile (`lent`).

#[cfg(feature = "http")]
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
#[cfg(feature = "http")]
use std::sync::Weak;
use std::task::{Context, Poll, Waker};

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
    /// Set until it is dropped.
    pub(super) server: Option<OwnedSemaphorePermit>,
    pub(super) principal: Option<OwnedSemaphorePermit>,
    pub(super) share: Option<Share>,
}

impl RunPermit {
    pub(crate) fn new(server: OwnedSemaphorePermit, share: Option<Share>) -> Self {
        Self {
            server: Some(server),
            principal: None,
            share,
        }
    }

    /// Adds a permit of its caller.
    #[cfg(feature = "http")]
    pub(crate) fn of_principal(mut self, permit: OwnedSemaphorePermit) -> Self {
        self.principal = Some(permit);
        self
    }
}

impl Drop for RunPermit {
    fn drop(&mut self) {
        self.principal = None;
        // The call that starts with the share needs one of each.
        if let Some(share) = self.share.take() {
            share.give_back(self.server.take());
        }
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
pub(crate) struct Share(Option<Giver>);

/// A session may end while its handlers run. A connection is kept by each of them.
#[derive(Clone)]
enum Giver {
    Connection(Arc<dyn ShareGiver>),
    #[cfg(feature = "http")]
    Session(Weak<dyn ShareGiver>),
}

/// Counts the calls that run on a connection.
pub(crate) trait ShareGiver: Send + Sync {
    /// Records that a call has ended, or runs no longer while it asks its client.
    /// `server` is its permit of the server: it is released before another call
    /// starts, or passed on to that call.
    fn given_back(&self, server: Option<OwnedSemaphorePermit>);

    /// Takes a share again for a call that gave it back. Returns false if there is
    /// none: then `place` is the call's place among those that wait, and `waker` is
    /// woken when it may take its share.
    fn retake(&self, place: &mut Option<ReturnPlace>, waker: &Waker) -> bool;

    /// Gives up a place among the calls that wait.
    fn leave(&self, place: ReturnPlace);
}

/// The place of a call among those that wait for a share that they gave back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReturnPlace(pub(super) u64);

impl Share {
    /// A share of a connection.
    pub(crate) fn of(giver: Arc<dyn ShareGiver>) -> Self {
        Self(Some(Giver::Connection(giver)))
    }

    /// A share of a session.
    #[cfg(feature = "http")]
    pub(crate) fn of_session(giver: Weak<dyn ShareGiver>) -> Self {
        Self(Some(Giver::Session(giver)))
    }

    /// Gives it back, with the server's permit of the call that has it.
    fn give_back(mut self, server: Option<OwnedSemaphorePermit>) {
        self.end(server);
    }

    fn end(&mut self, server: Option<OwnedSemaphorePermit>) {
        if let Some(giver) = self.0.take() {
            giver.with(|giver| giver.given_back(server));
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.end(None);
    }
}

impl Giver {
    /// Calls `run`, unless it is a session that has ended.
    fn with<T>(&self, run: impl FnOnce(&dyn ShareGiver) -> T) -> Option<T> {
        match self {
            Self::Connection(giver) => Some(run(&**giver)),
            #[cfg(feature = "http")]
            Self::Session(giver) => giver.upgrade().map(|giver| run(&*giver)),
        }
    }
}

/// A share that a call gave back for a while. As a future it takes one again, before
/// the calls that wait for their first.
pub(super) struct LentShare {
    giver: Giver,
    place: Option<ReturnPlace>,
}

impl LentShare {
    /// Returns the right to take a share of the same giver.
    pub(super) fn of(share: &Share) -> Option<Self> {
        let giver = share.0.clone()?;
        Some(Self { giver, place: None })
    }

    /// Returns another right to the same share, without a place.
    pub(super) fn another(&self) -> Self {
        Self {
            giver: self.giver.clone(),
            place: None,
        }
    }
}

impl Future for LentShare {
    type Output = Share;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Share> {
        let Self { giver, place } = &mut *self;
        match giver.with(|giver| giver.retake(place, cx.waker())) {
            Some(false) => Poll::Pending,
            _ => Poll::Ready(Share(Some(giver.clone()))),
        }
    }
}

impl Drop for LentShare {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.giver.with(|giver| giver.leave(place));
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
