//! Updates of resources: who watches which URI, and the handle that announces
//! that one has changed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, OnceLock, Weak};

use crate::primitive::normalised;
use crate::support::lock::Lock;
use crate::support::sort::order;

/// The most bytes that the watches of all clients of a server hold together.
pub(crate) const MOST_BYTES: usize = 64 * 1024 * 1024;

/// About how many bytes a watch holds in addition to its URI: its places in the
/// index and in its feed, among those that are due, and in the allocator.
pub(crate) const PER_WATCH: usize = 256;

/// Announces that a resource has changed, to the clients that watch its URI
/// (`notifications/resources/updated`).
///
/// A handler takes it as a parameter, [`Server::updates`](crate::Server::updates)
/// returns it, and
/// [`ServerBuilder::resource_updates`](crate::server::ServerBuilder::resource_updates)
/// gives a server one that was made before, for code that begins first. Cloning is cheap and
/// returns the same handle; it can be used from any thread, inside and outside of a runtime.
///
/// An announcement has no content: the client reads the resource again. So a
/// client that reads slowly receives one for many changes, and always one after
/// the last.
///
/// ```
/// use mcp_kit::prelude::*;
/// use mcp_kit::server::ResourceUpdates;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// /// The number of visitors.
/// #[resource(uri = "shop://visitors")]
/// async fn visitors(State(count): State<Arc<AtomicU64>>) -> String {
///     count.load(Relaxed).to_string()
/// }
///
/// /// Counts a visitor.
/// #[tool]
/// async fn enter(State(count): State<Arc<AtomicU64>>, updates: ResourceUpdates) -> String {
///     let number = count.fetch_add(1, Relaxed) + 1;
///     updates.notify("shop://visitors");
///     format!("You are visitor {number}.")
/// }
///
/// let server = Server::builder("shop", "1.0.0")
///     .state(Arc::new(AtomicU64::new(0)))
///     .resource::<visitors>()
///     .tool::<enter>()
///     .build()?;
/// server.updates().notify("shop://visitors");
/// # Ok::<(), mcp_kit::server::BuildError>(())
/// ```
#[derive(Clone, Default)]
pub struct ResourceUpdates(Arc<Watched>);

#[derive(Default)]
struct Watched {
    /// How many URIs are watched, by how many clients: zero on most servers.
    number: AtomicUsize,
    /// Made by the first watch.
    index: OnceLock<Box<dyn WatchIndex>>,
    next_number: AtomicU64,
}

/// What is notified of the update of a resource: the feed of a client.
pub(crate) trait Watcher: Send + Sync {
    /// The resource with this URI, in normal form, has changed.
    fn updated(&self, normal: &str);
}

/// Who watches what. Only a watch makes one, so a server without resources does not
/// contain it.
trait WatchIndex: Send + Sync {
    /// Adds a watch that holds so many bytes; returns whether there was room.
    fn add(&self, uri: &Arc<str>, number: u64, watcher: &Weak<dyn Watcher>, bytes: usize) -> bool;

    /// Returns whether it had the watch.
    fn remove(&self, uri: &Arc<str>, number: u64, bytes: usize) -> bool;

    /// Returns each that watches a URI once, however many of its subscriptions have it.
    fn watching(&self, uri: &str) -> Vec<Arc<dyn Watcher>>;

    #[cfg(test)]
    fn held(&self) -> usize;
}

#[derive(Default)]
struct Index {
    /// By URI, in its normal form, and by the number of the watches.
    watchers: BTreeMap<(Arc<str>, u64), Weak<dyn Watcher>>,
    bytes: usize,
}

impl ResourceUpdates {
    /// Creates a handle for a server that is built later.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Announces that the resource with this URI has changed. Call it after the
    /// change, so that a client that reads at once sees it.
    ///
    /// Costs a few nanoseconds while no client watches a resource. A URI that no
    /// client watches, or that is not valid, changes nothing.
    pub fn notify(&self, uri: impl AsRef<str>) {
        // A client that watches from now on reads the changed resource: the
        // other side of this is in `watch`.
        fence(Ordering::SeqCst);
        if self.0.number.load(Ordering::Relaxed) == 0 {
            return;
        }
        let Ok(uri) = normalised(uri.as_ref()) else {
            return;
        };
        let watching = self.0.index.get().map(|index| index.watching(&uri));
        for watcher in watching.unwrap_or_default() {
            watcher.updated(&uri);
        }
    }

    /// Returns a number for the watches of another subscription.
    pub(super) fn next_number(&self) -> u64 {
        self.0.next_number.fetch_add(1, Ordering::Relaxed)
    }

    /// Adds a watch of a URI, which holds so many bytes. Returns whether there was room.
    pub(super) fn watch(
        &self,
        uri: &Arc<str>,
        (number, watcher): (u64, &Weak<dyn Watcher>),
        bytes: usize,
    ) -> bool {
        let index = self
            .0
            .index
            .get_or_init(|| Box::new(Lock::<Index>::default()));
        let has_room = index.add(uri, number, watcher, bytes);
        if has_room {
            self.0.number.fetch_add(1, Ordering::Relaxed);
            fence(Ordering::SeqCst);
        }
        has_room
    }

    /// Removes a watch, which held so many bytes.
    pub(super) fn unwatch(&self, uri: &Arc<str>, number: u64, bytes: usize) {
        let index = self.0.index.get();
        if index.is_some_and(|index| index.remove(uri, number, bytes)) {
            self.0.number.fetch_sub(1, Ordering::Relaxed);
        }
    }

    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.0.index.get().map_or(0, |index| index.held())
    }
}

impl WatchIndex for Lock<Index> {
    fn add(&self, uri: &Arc<str>, number: u64, watcher: &Weak<dyn Watcher>, bytes: usize) -> bool {
        let mut index = self.lock();
        if index.bytes + bytes > MOST_BYTES {
            return false;
        }
        index.bytes += bytes;
        let key = (Arc::clone(uri), number);
        index.watchers.insert(key, Weak::clone(watcher));
        true
    }

    fn remove(&self, uri: &Arc<str>, number: u64, bytes: usize) -> bool {
        let mut index = self.lock();
        let removed = index.watchers.remove(&(Arc::clone(uri), number));
        if removed.is_some() {
            index.bytes = index.bytes.saturating_sub(bytes);
        }
        removed.is_some()
    }

    fn watching(&self, uri: &str) -> Vec<Arc<dyn Watcher>> {
        let key = |number| (Arc::<str>::from(uri), number);
        let watching: Vec<_> = {
            let index = self.lock();
            let watching = index.watchers.range(key(0)..=key(u64::MAX));
            watching
                .filter_map(|(_, watcher)| watcher.upgrade())
                .collect()
        };
        let address = |at: usize| Arc::as_ptr(&watching[at]).cast::<()>();
        let order = order(watching.len(), &|a, b| address(a).cmp(&address(b)));
        let mut different: Vec<Arc<dyn Watcher>> = Vec::new();
        for watcher in order.into_iter().map(|at| &watching[at]) {
            if (different.last()).is_none_or(|last| !Arc::ptr_eq(last, watcher)) {
                different.push(Arc::clone(watcher));
            }
        }
        different
    }

    #[cfg(test)]
    fn held(&self) -> usize {
        self.lock().bytes
    }
}

impl fmt::Debug for ResourceUpdates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceUpdates")
            .field("watched", &self.0.number.load(Ordering::Relaxed))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Notified(AtomicUsize);

    impl Watcher for Notified {
        fn updated(&self, _: &str) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn client_with_many_subscriptions_of_a_resource_is_notified_once() {
        let updates = ResourceUpdates::new();
        let clients: [Arc<Notified>; 3] = Default::default();
        let uri: Arc<str> = "docs://index".into();
        for _ in 0..5 {
            for client in &clients {
                let watcher: Weak<dyn Watcher> = Arc::downgrade(client) as _;
                assert!(updates.watch(&uri, (updates.next_number(), &watcher), 1));
            }
        }
        updates.notify("docs://index");
        updates.notify("docs://other");
        assert!(clients.iter().all(|one| one.0.load(Ordering::Relaxed) == 1));
    }
}
