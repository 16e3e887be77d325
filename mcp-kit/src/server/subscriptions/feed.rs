//! The feed of one client: what it follows, and what it has not been notified
//! of yet.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, OnceLock, Weak};

use super::Subscription;
use crate::caller::Principal;
use crate::protocol::RequestId;
use crate::registry::{Follower, Following, List, ListChanges, Lists, Store};
use crate::server::ServerInner;
use crate::support::lock::Lock;

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
    store: Arc<Store>,
    /// Set once the client follows something.
    following: OnceLock<Following>,
    this: Weak<Self>,
    state: Lock<State>,
}

struct State {
    principal: Principal,
    followed: Vec<Followed>,
    listener: Option<Weak<dyn Listener>>,
}

/// A subscription, or what a legacy client follows.
struct Followed {
    /// `None` for the legacy client.
    id: Option<RequestId>,
    lists: Lists,
    /// Those of `lists` that have changed since the client was notified.
    changed: Lists,
}

impl Feed {
    /// Creates the feed of a client that follows nothing yet.
    pub(crate) fn new(server: &ServerInner, principal: Principal) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            is_due: AtomicBool::new(false),
            store: Arc::clone(&server.registry),
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
    pub(crate) fn add(&self, subscription: &Subscription) {
        let id = Some(subscription.id.clone());
        self.follow(id, subscription.lists);
    }

    /// Follows every list that the server has, for a legacy client that has
    /// completed its handshake.
    pub(crate) fn add_legacy(&self) {
        let lists = self.store.current().capabilities().map(List::of).collect();
        self.follow(None, lists);
    }

    fn follow(&self, id: Option<RequestId>, lists: Lists) {
        {
            let mut state = self.lock();
            if state.followed.iter().any(|followed| followed.id == id) {
                return;
            }
            // Most clients follow one thing, and there are many idle sessions.
            state.followed.reserve_exact(1);
            state.followed.push(Followed {
                id,
                lists,
                changed: Lists::NONE,
            });
        }
        self.following.get_or_init(|| {
            let this = Weak::<Self>::clone(&self.this);
            self.store.followers().add(this)
        });
    }

    /// Ends a subscription. Nothing of it can be taken any more.
    pub(crate) fn remove(&self, id: &RequestId) {
        let mut state = self.lock();
        state
            .followed
            .retain(|followed| followed.id.as_ref() != Some(id));
        self.is_due.store(state.is_due(), Ordering::Release);
    }

    /// Sets the transport that takes from the feed, in place of the one before,
    /// and its caller.
    pub(crate) fn listen(&self, listener: Weak<dyn Listener>, principal: Option<Principal>) {
        let mut state = self.lock();
        state.listener = Some(listener);
        if let Some(principal) = principal {
            state.principal = principal;
        }
    }

    /// Whether there is something to take.
    pub(crate) fn is_due(&self) -> bool {
        self.is_due.load(Ordering::Acquire)
    }

    /// Takes every notification that is due: `write` receives each as JSON.
    pub(crate) fn take(&self, mut write: impl FnMut(&[u8])) {
        if !self.is_due() {
            return;
        }
        let mut state = self.lock();
        let mut json = Vec::new();
        for Followed { id, changed, .. } in &mut state.followed {
            for list in std::mem::take(changed).iter() {
                json.clear();
                list_changed(&mut json, list, id.as_ref());
                write(&json);
            }
        }
        self.is_due.store(false, Ordering::Release);
    }

    /// Makes what was changed due, and wakes the transport if it was not.
    fn tell(&self, state: MutexGuard<'_, State>) {
        let was_due = self.is_due.swap(state.is_due(), Ordering::AcqRel);
        if was_due || !self.is_due() {
            return;
        }
        let listener = state.listener.as_ref().and_then(Weak::upgrade);
        drop(state);
        if let Some(listener) = listener {
            listener.changed();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    fn is_due(&self) -> bool {
        self.followed
            .iter()
            .any(|followed| !followed.changed.is_empty())
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

/// Writes `notifications/…/list_changed`.
fn list_changed(out: &mut Vec<u8>, list: List, subscription: Option<&RequestId>) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"notifications/"#);
    out.extend_from_slice(list.capability().as_bytes());
    out.extend_from_slice(br#"/list_changed""#);
    if let Some(id) = subscription {
        out.extend_from_slice(br#","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"#);
        id.write(out);
        out.extend_from_slice(b"}}");
    }
    out.push(b'}');
}
