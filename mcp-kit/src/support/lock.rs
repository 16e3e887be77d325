//! A mutex without poisoning.
//!
//! std's mutex is poisoned when a thread panics while it holds the guard, and
//! every later `lock()` fails. In mcp-kit a panic must not end the server, and
//! each change under a [`Lock`] leaves the data consistent at every step, so
//! the lock is always granted.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// A [`Mutex`] whose `lock` never fails.
///
/// The guard is std's, so [`Condvar`](std::sync::Condvar) works with it.
#[derive(Debug, Default)]
pub(crate) struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns `None` while another thread holds the guard.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_under_the_lock_does_not_keep_others_out() {
        let lock = Lock::new(1);
        let panicked = std::thread::scope(|scope| {
            let holds = scope.spawn(|| {
                let _held = lock.lock();
                std::panic::resume_unwind(Box::new("while it is held"));
            });
            holds.join()
        });
        assert!(panicked.is_err());
        assert_eq!(*lock.lock(), 1);
    }
}
