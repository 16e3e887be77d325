//! A tokio task that ends with its owner. Dropping a plain `JoinHandle` leaves
//! its task running.

use tokio::task::JoinHandle;

/// A spawned task, which is aborted when this is dropped.
#[derive(Debug)]
pub(crate) struct AbortOnDrop<T>(pub(crate) JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
