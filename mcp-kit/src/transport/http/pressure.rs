//! Bytes that many clients hold together, and what to do when there are too
//! many.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// What has fewer bytes is not counted: it leaves at once, or with what is
/// large.
pub(super) const LARGE: usize = 16 * 1024;

/// Counts bytes that are held against a bound.
#[derive(Debug)]
pub(super) struct Pressure {
    most: usize,
    held: AtomicUsize,
    fallen: Notify,
}

/// Bytes that are held until it is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    pressure: Arc<Pressure>,
    bytes: AtomicUsize,
}

impl Pressure {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            held: AtomicUsize::new(0),
            fallen: Notify::new(),
        })
    }

    /// Holds `bytes` more, whatever the bound says.
    pub(super) fn claim(self: &Arc<Self>, bytes: usize) -> Claim {
        self.held.fetch_add(bytes, Ordering::Relaxed);
        Claim {
            pressure: Arc::clone(self),
            bytes: AtomicUsize::new(bytes),
        }
    }

    pub(super) fn is_high(&self) -> bool {
        self.held.load(Ordering::Relaxed) > self.most
    }

    /// Waits until there is room, or `most` has passed; whether there is.
    pub(super) async fn eased(&self, most: Duration) -> bool {
        let eased = async {
            loop {
                let fallen = self.fallen.notified();
                tokio::pin!(fallen);
                // Registered before the look, so that no fall is missed.
                fallen.as_mut().enable();
                if !self.is_high() {
                    return;
                }
                fallen.await;
            }
        };
        tokio::time::timeout(most, eased).await.is_ok()
    }
}

impl Claim {
    /// Holds `bytes` in all, if there is room for them.
    pub(super) fn grow_to(&self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes.load(Ordering::Relaxed));
        let held = self.pressure.held.fetch_add(more, Ordering::Relaxed) + more;
        self.bytes.fetch_add(more, Ordering::Relaxed);
        held <= self.pressure.most
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let bytes = self.bytes.load(Ordering::Relaxed);
        let before = self.pressure.held.fetch_sub(bytes, Ordering::Relaxed);
        if before > self.pressure.most && before - bytes <= self.pressure.most {
            self.pressure.fallen.notify_waiters();
        }
    }
}
