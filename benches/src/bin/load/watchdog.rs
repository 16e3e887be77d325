//! Kills a server that takes too long, so that a blocking read always ends.
//!
//! A thread of its own costs the timed exchange nothing, where a timeout on each
//! read would cost a system call.

use std::process::Child;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A child that its owner and the watchdog can both kill.
pub(crate) type SharedChild = Arc<Mutex<Child>>;

/// Watches one server at a time.
#[derive(Clone)]
pub(crate) struct Watchdog {
    orders: Sender<Order>,
    patience: Duration,
}

enum Order {
    Watch(SharedChild),
    Rest,
}

impl Watchdog {
    /// `patience` is how long one watched step may take.
    pub(crate) fn start(patience: Duration) -> Self {
        let (orders, inbox) = mpsc::channel();
        std::thread::spawn(move || {
            let mut watched: Option<SharedChild> = None;
            loop {
                let order = match &watched {
                    None => inbox.recv().map_err(RecvTimeoutError::from),
                    Some(_) => inbox.recv_timeout(patience),
                };
                watched = match (order, watched) {
                    (Ok(Order::Watch(child)), _) => Some(child),
                    (Ok(Order::Rest), _) => None,
                    (Err(RecvTimeoutError::Timeout), Some(child)) => {
                        kill(&child);
                        None
                    }
                    (Err(_), _) => return,
                };
            }
        });
        Watchdog { orders, patience }
    }

    /// Runs one step, during which `child` is killed when patience ends.
    pub(crate) fn watch<T>(
        &self,
        child: &SharedChild,
        step: impl FnOnce() -> Result<T, String>,
    ) -> Result<T, String> {
        // From before the watchdog's patience begins, so that a process that was killed
        // is known to have taken longer.
        let begin = Instant::now();
        // The thread ends only when every sender is gone.
        let _ = self.orders.send(Order::Watch(Arc::clone(child)));
        let result = step();
        let _ = self.orders.send(Order::Rest);
        if begin.elapsed() < self.patience {
            return result;
        }
        let seconds = self.patience.as_secs();
        Err(format!(
            "the server was killed: it took longer than {seconds} s (`--patience`)"
        ))
    }
}

/// Kills the child unless it has ended already.
pub(crate) fn kill(child: &SharedChild) {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    // It fails only for a child that has been waited for: that one is gone.
    let _ = child.kill();
}
