//! The feed of one client: what it follows, and what it has not been notified
//! of yet.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, OnceLock, Weak};

use super::Subscription;
use super::completed_urls::CompletedUrls;
use super::notifications::{list_changed, updated, url_completed};
use super::tasks::TaskNotices;
use crate::call::UrlFollower;
use crate::caller::Principal;
use crate::limits::CallerBudget;
use crate::primitive::Kind;
use crate::protocol::{RequestId, RpcError};
use crate::registry::{
    Follower, Following, List, ListChanges, Lists, ResourceUpdates, ResourceWatches, Store, Watcher,
};
use crate::server::ServerInner;
use crate::support::lock::Lock;

/// About how many bytes are taken at a time; the rest waits for the next
/// [`Feed::take`].
const MOST_TAKEN: usize = 64 * 1024;

/// The transport of a client, which takes what its feed has.
pub(crate) trait Listener: Send + Sync {
    /// There is something to take. Called under no lock, from any thread.
    fn changed(&self);
}

/// What a client follows: a connection, a session, or one subscription over
/// HTTP.
pub(crate) struct Feed {
    /// Whether there is something to take: read without the lock, since
    /// transports look before each write.
    is_due: AtomicBool,
    /// Whether something was taken since the last transport came.
    has_taken: AtomicBool,
    store: Arc<Store>,
    updates: ResourceUpdates,
    /// The most URIs that one subscription watches.
    most_uris: usize,
    /// The bytes of the ends of tasks that clients have not read.
    pub(super) unread_ends: Arc<CallerBudget>,
    /// Set once the client follows something.
    following: OnceLock<Following>,
    pub(super) this: Weak<Self>,
    state: Lock<State>,
}

pub(super) struct State {
    pub(super) principal: Principal,
    pub(super) followed: Vec<Followed>,
    listener: Option<Weak<dyn Listener>>,
}

/// A subscription, or what a legacy client follows.
pub(super) struct Followed {
    /// `None` for the legacy client.
    pub(super) id: Option<RequestId>,
    /// Whether its notifications may leave: for a legacy client once its
    /// handshake is complete.
    is_open: bool,
    lists: Lists,
    /// Those of `lists` that have changed since the client was notified.
    changed: Lists,
    /// Those whose change was taken, and that the client has not listed since.
    taken: Lists,
    /// `None` until it watches a resource, as most never do.
    watches: Option<Box<dyn ResourceWatches>>,
    /// `None` unless it follows tasks.
    pub(super) tasks: Option<Box<dyn TaskNotices>>,
    /// `None` until an interaction at a URL that a legacy client has opened is complete.
    completed_urls: Option<Box<CompletedUrls>>,
}

impl Feed {
    /// Creates the feed of a client that follows nothing yet.
    pub(crate) fn new(server: &ServerInner, principal: Principal) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            is_due: AtomicBool::new(false),
            has_taken: AtomicBool::new(false),
            store: Arc::clone(&server.registry),
            updates: server.updates.clone(),
            most_uris: server.limits.uris_per_subscription,
            unread_ends: Arc::clone(server.tasks.unread_ends()),
            following: OnceLock::new(),
            this: Weak::clone(this),
            state: Lock::new(State {
                principal,
                followed: Vec::new(),
                listener: None,
            }),
        })
    }

    /// Follows what a subscription asks for. It must be acknowledged before the
    /// next [`take`](Self::take).
    ///
    /// # Errors
    ///
    /// Returns an error if the server has no room for further URIs. The
    /// subscription is not open then.
    pub(crate) fn add(&self, subscription: &mut Subscription) -> Result<(), RpcError> {
        let id = Some(&subscription.id);
        self.follow(id, subscription.lists);
        for uri in &subscription.uris {
            if let Err(error) = self.watch_in(id, uri) {
                self.remove(&subscription.id);
                return Err(error);
            }
        }
        self.follow_tasks(subscription);
        Ok(())
    }

    /// Follows every list that the server has, for a legacy client that has
    /// completed its handshake.
    pub(crate) fn add_legacy(&self) {
        let current = self.store.current();
        let lists = current.capabilities().filter_map(List::of).collect();
        drop(current);
        self.follow(None, lists);
    }

    fn follow(&self, id: Option<&RequestId>, lists: Lists) {
        {
            let mut state = self.lock();
            let followed = state.followed(id);
            if followed.is_open {
                return;
            }
            followed.is_open = true;
            followed.lists = lists;
            // A legacy client may have watched resources before.
            self.tell(state);
        }
        self.following.get_or_init(|| {
            let this = Weak::<Self>::clone(&self.this);
            self.store.followers().add(this)
        });
    }

    /// Ends a subscription. Nothing of it can be taken any more.
    pub(crate) fn remove(&self, id: &RequestId) {
        let mut state = self.lock();
        let at = state
            .followed
            .iter()
            .position(|one| one.id.as_ref() == Some(id));
        if let Some(at) = at {
            state.followed.swap_remove(at);
            self.is_due.store(state.is_due(), Ordering::Release);
        }
    }

    /// Watches a URI for a legacy client, which may read it.
    pub(crate) fn watch(&self, uri: &str) -> Result<(), RpcError> {
        self.watch_in(None, uri)
    }

    /// Stops watching a URI for a legacy client.
    pub(crate) fn unwatch(&self, uri: &str) {
        let mut state = self.lock();
        if let Some(watches) = &mut state.followed(None).watches {
            watches.unwatch(uri);
            self.is_due.store(state.is_due(), Ordering::Release);
        }
    }

    fn watch_in(&self, id: Option<&RequestId>, uri: &str) -> Result<(), RpcError> {
        let Some(code) = self.store.current().resource_code() else {
            return Ok(());
        };
        let mut state = self.lock();
        let watches = (state.followed(id).watches).get_or_insert_with(|| {
            let this = Weak::<Self>::clone(&self.this);
            (code.watches)(&self.updates, this, self.most_uris)
        });
        watches.watch(uri)
    }

    /// Sets the transport that takes from the feed, in place of the one before,
    /// and its caller. What the one before took may have been lost with it, so it
    /// is due again, unless the client has listed or read it since.
    pub(crate) fn listen(&self, listener: Weak<dyn Listener>, principal: Option<Principal>) {
        let mut state = self.lock();
        state.listener = Some(listener);
        if let Some(principal) = principal {
            state.principal = principal;
        }
        for followed in &mut state.followed {
            followed.take_again();
        }
        self.has_taken.store(false, Ordering::Release);
        self.is_due.store(state.is_due(), Ordering::Release);
    }

    /// Whether notifications were taken of which the client may not know.
    #[cfg(feature = "http")]
    pub(crate) fn has_taken(&self) -> bool {
        self.has_taken.load(Ordering::Acquire)
    }

    /// Records that the client lists the primitives of a kind: it knows of the
    /// changes so far.
    pub(crate) fn listed(&self, kind: Kind) {
        let Some(list) = List::of(kind) else { return };
        for followed in &mut self.lock().followed {
            followed.taken = followed.taken.without(list);
        }
    }

    /// Records that the client reads a URI: it knows of the updates so far.
    pub(crate) fn read(&self, uri: &str) {
        for followed in &mut self.lock().followed {
            if let Some(watches) = &mut followed.watches {
                watches.read(uri);
            }
        }
    }

    /// Whether notifications are due.
    fn is_due(&self) -> bool {
        self.is_due.load(Ordering::Acquire)
    }

    /// Takes notifications that are due: `write` receives each as JSON, while the
    /// feed is locked. It may leave some for the next time.
    pub(crate) fn take(&self, mut write: impl FnMut(&[u8])) {
        if !self.is_due() {
            return;
        }
        let mut state = self.lock();
        self.has_taken.store(true, Ordering::Release);
        let State {
            principal,
            followed,
            ..
        } = &mut *state;
        let mut json = Vec::new();
        let mut taken = 0;
        for followed in followed.iter_mut().filter(|one| one.is_open) {
            let id = followed.id.as_ref();
            followed.taken = followed.taken.or(followed.changed);
            for list in std::mem::take(&mut followed.changed).iter() {
                json.clear();
                list_changed(&mut json, list, id);
                write(&json);
            }
            if let Some(tasks) = &mut followed.tasks {
                json.clear();
                while taken < MOST_TAKEN && tasks.take(principal, id, &mut json) {
                    taken += json.len();
                    write(&json);
                    json.clear();
                }
            }
            if let Some(completed_urls) = &mut followed.completed_urls {
                completed_urls.take(|id| {
                    json.clear();
                    url_completed(&mut json, id);
                    write(&json);
                });
            }
            let Some(watches) = &mut followed.watches else {
                continue;
            };
            while taken < MOST_TAKEN
                && let Some(uri) = watches.take()
            {
                json.clear();
                updated(&mut json, &uri, id);
                taken += json.len();
                write(&json);
            }
        }
        self.is_due.store(state.is_due(), Ordering::Release);
    }

    /// Makes what was changed due, and wakes the transport if it was not.
    pub(super) fn tell(&self, state: MutexGuard<'_, State>) {
        let is_due = state.is_due();
        let was_due = self.is_due.swap(is_due, Ordering::AcqRel);
        if was_due || !is_due {
            return;
        }
        let listener = state.listener.as_ref().and_then(Weak::upgrade);
        drop(state);
        if let Some(listener) = listener {
            listener.changed();
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    /// Returns what this subscription follows, or the legacy client.
    pub(super) fn followed(&mut self, id: Option<&RequestId>) -> &mut Followed {
        let at = self.followed.iter().position(|one| one.id.as_ref() == id);
        let at = at.unwrap_or_else(|| {
            // Most clients follow one thing, and there are many idle sessions.
            self.followed.reserve_exact(1);
            self.followed.push(Followed {
                id: id.cloned(),
                is_open: false,
                lists: Lists::NONE,
                changed: Lists::NONE,
                taken: Lists::NONE,
                watches: None,
                tasks: None,
                completed_urls: None,
            });
            self.followed.len() - 1
        });
        &mut self.followed[at]
    }

    fn is_due(&self) -> bool {
        let mut open = self.followed.iter().filter(|followed| followed.is_open);
        open.any(|followed| {
            !followed.changed.is_empty()
                || followed
                    .watches
                    .as_deref()
                    .is_some_and(|watches| watches.is_due())
                || followed.tasks.as_deref().is_some_and(TaskNotices::is_due)
                || followed
                    .completed_urls
                    .as_deref()
                    .is_some_and(CompletedUrls::is_due)
        })
    }
}

impl Followed {
    /// Makes due again what was taken.
    fn take_again(&mut self) {
        self.changed = self.changed.or(std::mem::take(&mut self.taken));
        if let Some(watches) = &mut self.watches {
            watches.take_again();
        }
        if let Some(completed_urls) = &mut self.completed_urls {
            completed_urls.take_again();
        }
    }

    fn waits_for(&self, uri: &str) -> bool {
        let watches = self.watches.as_deref();
        watches.is_some_and(|watches| watches.waits_for(uri))
    }
}

impl Watcher for Feed {
    fn updated(&self, uri: &str) {
        let principal = {
            let state = self.lock();
            if !state
                .followed
                .iter()
                .any(|followed| followed.waits_for(uri))
            {
                return;
            }
            state.principal.clone()
        };
        // The registry or the rule may have changed since the client asked. The
        // rule may be the code of a user, so it does not run under the lock.
        if !self.store.current().may_read(&principal, uri) {
            return;
        }
        let mut state = self.lock();
        for followed in &mut state.followed {
            if let Some(watches) = &mut followed.watches {
                watches.make_due(uri);
            }
        }
        self.tell(state);
    }
}

impl Follower for Feed {
    fn lists_changed(&self, changes: &ListChanges) {
        let principal = self.lock().principal.clone();
        let lists = changes.seen_by(&principal);
        if lists.is_empty() {
            return;
        }
        let mut state = self.lock();
        for followed in &mut state.followed {
            followed.changed = followed.changed.or(followed.lists.and(lists));
        }
        self.tell(state);
    }
}

impl UrlFollower for Feed {
    fn url_completed(&self, id: &Arc<str>) {
        let mut state = self.lock();
        let followed = state.followed(None);
        followed.completed_urls.get_or_insert_default().add(id);
        self.tell(state);
    }
}
