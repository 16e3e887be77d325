//! Updates of resources: who watches which URI, and the handle that announces
//! that one has changed.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Arc, Weak};

use super::feed::Feed;
use crate::call::{Call, Error};
use crate::extract::FromCall;
use crate::primitive::normalised;
use crate::server::{Server, ServerBuilder, ServerInner};
use crate::support::lock::Lock;

/// The most bytes that the watches of all clients of a server hold together.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// About how many bytes a watch holds in addition to its URI: its places in the
/// index and in its feed, among those that are due, and in the allocator.
pub(super) const PER_WATCH: usize = 256;

/// Announces that a resource has changed, to the clients that watch its URI
/// (`notifications/resources/updated`).
///
/// A handler takes it as a parameter, [`Server::updates`] returns it, and
/// [`ServerBuilder::resource_updates`] gives a server one that was made before, for code
/// that begins first. Cloning is cheap and returns the same handle; it can be
/// used from any thread, inside and outside of a runtime.
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
    index: Lock<Index>,
}

#[derive(Default)]
struct Index {
    /// By URI, in its normal form, and by the number of the feed.
    feeds: BTreeMap<(Arc<str>, u64), Weak<Feed>>,
    bytes: usize,
    next_feed: u64,
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
        let key = |feed| (Arc::<str>::from(&*uri), feed);
        let feeds: Vec<_> = {
            let index = self.0.index.lock();
            let watching = index.feeds.range(key(0)..=key(u64::MAX));
            watching.map(|(_, feed)| Weak::clone(feed)).collect()
        };
        for feed in feeds.iter().filter_map(Weak::upgrade) {
            feed.updated(&uri);
        }
    }

    /// Returns a number for another feed.
    pub(super) fn next_feed(&self) -> u64 {
        let mut index = self.0.index.lock();
        index.next_feed += 1;
        index.next_feed
    }

    /// Adds a feed to those that watch a URI, for a watch that holds so many bytes.
    /// Returns whether there was room.
    pub(super) fn watch(
        &self,
        uri: &Arc<str>,
        (number, feed): (u64, &Weak<Feed>),
        bytes: usize,
    ) -> bool {
        let mut index = self.0.index.lock();
        if index.bytes + bytes > MOST_BYTES {
            return false;
        }
        index.bytes += bytes;
        let key = (Arc::clone(uri), number);
        if index.feeds.insert(key, Weak::clone(feed)).is_none() {
            self.0.number.fetch_add(1, Ordering::Relaxed);
        }
        fence(Ordering::SeqCst);
        true
    }

    /// Releases what a watch held; removes its feed from those that watch the URI
    /// if no other watch of the feed does.
    pub(super) fn unwatch(&self, uri: &Arc<str>, number: u64, bytes: usize, is_last: bool) {
        let mut index = self.0.index.lock();
        index.bytes = index.bytes.saturating_sub(bytes);
        if is_last && index.feeds.remove(&(Arc::clone(uri), number)).is_some() {
            self.0.number.fetch_sub(1, Ordering::Relaxed);
        }
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.0.index.lock().bytes
    }
}

impl fmt::Debug for ResourceUpdates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceUpdates")
            .field("watched", &self.0.number.load(Ordering::Relaxed))
            .finish()
    }
}

impl Server {
    /// Returns the handle that announces updates of resources.
    #[must_use]
    pub fn updates(&self) -> ResourceUpdates {
        self.inner.updates.clone()
    }
}

impl ServerBuilder {
    /// Announces updates of resources with a handle that was made before, for
    /// example by a task that has already begun. Without it the server makes
    /// one: [`Server::updates`].
    ///
    /// ```
    /// use mcp_kit::Server;
    /// use mcp_kit::server::ResourceUpdates;
    ///
    /// let updates = ResourceUpdates::new();
    /// let watcher = updates.clone(); // moves into the code that sees changes
    /// let server = Server::builder("shop", "1.0.0").resource_updates(updates).build()?;
    /// watcher.notify("shop://visitors");
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    pub fn resource_updates(mut self, updates: ResourceUpdates) -> Self {
        self.updates = updates;
        self
    }
}

/// Extracts the handle of the server that runs the handler.
impl FromCall for ResourceUpdates {
    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        let home: Arc<dyn Any + Send + Sync> = Arc::clone(&call.context().home) as _;
        match home.downcast::<ServerInner>() {
            Ok(inner) => Ok(inner.updates.clone()),
            Err(_) => Err(Error::internal("the call was made without a server")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Principal;

    /// Short URIs count for what they hold, and not only for their few bytes.
    #[test]
    fn many_short_uris_reach_the_limit_of_the_server() {
        let server = Server::builder("test", "1")
            .limits(|limits| limits.uris_per_subscription = usize::MAX)
            .build()
            .unwrap();
        let inner = server.inner();
        let mut watched = 0;
        let mut feeds = Vec::new();
        let error = 'full: loop {
            let feed = Feed::new(inner, Principal::new("me", [""; 0]));
            feeds.push(Arc::clone(&feed));
            for number in 0..10_000 {
                let uri = format!("{}:{number:x}", if number % 2 == 0 { "u" } else { "U" });
                if let Err(error) = feed.watch(&uri) {
                    break 'full error;
                }
                watched += 1;
            }
        };
        assert!(error.message.contains("busy"), "{error:?}");
        assert!(
            watched > 100_000 && watched <= MOST_BYTES / PER_WATCH,
            "{watched}"
        );
        // Watched twice, a URI counts once; each is released once.
        feeds[0].watch("u:0").unwrap();
        feeds[0].unwatch("u:0");
        feeds[0].unwatch("u:0");
        assert!(feeds[0].watch("u:0").is_ok());
        drop(feeds);
        assert_eq!(server.updates().held(), 0);
    }
}
