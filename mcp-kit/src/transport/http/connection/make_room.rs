//! Chooses the connection that is evicted when a new one needs a place and all
//! are taken.
//!
//! A connection without requests costs its client nothing and the server a
//! place: without eviction, a client that opens as many as the limit allows
//! would keep all others out. Sending requests that are refused also costs next
//! to nothing, so they do not count as use.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use crate::caller::Host;
use crate::support::lock::Lock;
use crate::transport::http::connection::activity::Activity;

/// How long a connection must have waited before it is evicted: a new client is
/// about to send its request.
const LEAST: Duration = Duration::from_secs(1);

/// The same time if its host has more than its share.
const LEAST_OF_MANY: Duration = Duration::from_millis(100);

/// The inverse of a host's share of all places, which is at least
/// [`LEAST_SHARE`].
const SHARE: usize = 8;
const LEAST_SHARE: usize = 16;

/// How long the next search waits after one that found no connection.
const PAUSE: Duration = Duration::from_millis(50);

/// The connections that can be evicted.
pub(crate) struct Evictable {
    /// A host with more connections than this has more than its share.
    share: usize,
    state: Lock<State>,
}

#[derive(Default)]
struct State {
    /// By number.
    connections: HashMap<u64, Connection>,
    next: u64,
    /// The number of connections of each host.
    hosts: HashMap<Option<Host>, usize>,
    /// When the next search may begin, after one that found no connection.
    not_before: Option<Instant>,
}

struct Connection {
    /// The client's host. Behind a proxy all connections have one host.
    host: Option<Host>,
    activity: Arc<Activity>,
    waker: Waker,
}

/// A connection that can be evicted until this is dropped.
pub(crate) struct Registered {
    all: Arc<Evictable>,
    number: u64,
}

impl Evictable {
    /// Creates an empty set; `most` is the limit on connections.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            share: (most / SHARE).max(LEAST_SHARE),
            state: Lock::default(),
        })
    }

    /// Adds a connection. `waker` makes it check its activity.
    pub(crate) fn register(
        self: &Arc<Self>,
        peer: Option<IpAddr>,
        activity: Arc<Activity>,
        waker: Waker,
    ) -> Registered {
        let mut state = self.state.lock();
        let number = state.next;
        state.next += 1;
        let connection = Connection {
            host: peer.map(Host::of),
            activity,
            waker,
        };
        *state.hosts.entry(connection.host).or_default() += 1;
        state.connections.insert(number, connection);
        Registered {
            all: Arc::clone(self),
            number,
        }
    }

    /// Evicts a connection that has waited for a request long enough: of the
    /// host with the most connections, the one that has waited longest.
    pub(crate) fn evict(&self, now: Instant) -> bool {
        let mut state = self.state.lock();
        if state.not_before.is_some_and(|at| now < at) {
            return false;
        }
        loop {
            let waiting = state.connections.values().filter_map(|connection| {
                let seen = connection.activity.waiting()?;
                let all = state.hosts.get(&connection.host).copied().unwrap_or(0);
                let least = if all > self.share && !seen.is_stalled {
                    LEAST_OF_MANY
                } else {
                    LEAST
                };
                (seen.since + least <= now).then_some((connection, all, seen))
            });
            let longest = waiting.max_by_key(|(_, all, seen)| (*all, Reverse(seen.since)));
            let Some((connection, _, seen)) = longest else {
                state.not_before = Some(now + PAUSE);
                return false;
            };
            // Unless its activity has just changed.
            if connection.activity.evict(&seen) {
                connection.waker.wake_by_ref();
                return true;
            }
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut state = self.all.state.lock();
        let left = state.connections.remove(&self.number);
        if let Some(host) = left.as_ref().map(|left| left.host)
            && let Some(all) = state.hosts.get_mut(&host)
        {
            *all -= 1;
            if *all == 0 {
                state.hosts.remove(&host);
            }
        }
        drop(state);
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn register(all: &Arc<Evictable>, peer: &str) -> (Registered, Arc<Activity>) {
        let activity = Activity::new();
        let peer = Some(peer.parse().unwrap());
        let registered = all.register(peer, Arc::clone(&activity), Waker::noop().clone());
        (registered, activity)
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_waits_longest_gives_way_and_who_has_just_come_does_not() {
        let all = Evictable::new(2);
        let (_first, first) = register(&all, "192.0.2.1");
        assert!(!all.evict(Instant::now()));
        advance(LEAST).await;
        let (_second, second) = register(&all, "192.0.2.1");
        assert!(all.evict(Instant::now()));
        assert!(first.is_evicted() && !second.is_evicted());
        assert!(!all.evict(Instant::now()));
        advance(LEAST).await;
        assert!(all.evict(Instant::now()) && second.is_evicted());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_served_or_has_left_is_passed_over() {
        let all = Evictable::new(2);
        let (_registered, activity) = register(&all, "192.0.2.1");
        let mut serving = activity.serve();
        serving.let_in();
        drop(register(&all, "192.0.2.1"));
        advance(LEAST).await;
        assert!(!all.evict(Instant::now()));
        drop(serving);
        advance(LEAST - Duration::from_millis(1)).await;
        assert!(!all.evict(Instant::now()));
        advance(PAUSE).await;
        assert!(all.evict(Instant::now()) && activity.is_evicted());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_is_no_use_of_a_connection() {
        let all = Evictable::new(2);
        let (_registered, activity) = register(&all, "192.0.2.1");
        advance(LEAST).await;
        let mut serving = activity.serve();
        serving.refuse();
        // Also while its client goes on to send.
        assert!(all.evict(Instant::now()) && activity.is_evicted());
        drop(serving);
        let (_registered, activity) = register(&all, "192.0.2.1");
        advance(LEAST).await;
        activity.serve().refuse();
        assert!(all.evict(Instant::now()) && activity.is_evicted());
    }

    /// Between the look and the mark, or after it: the request is served.
    #[tokio::test(start_paused = true)]
    async fn a_request_that_begins_meanwhile_is_served() {
        let activity = Activity::new();
        let seen = activity.waiting().unwrap();
        let serving = activity.serve();
        assert!(!activity.evict(&seen));
        drop(serving);
        let seen = activity.waiting().unwrap();
        assert!(activity.evict(&seen) && activity.is_evicted() && activity.waiting().is_none());
        let serving = activity.serve();
        assert!(!activity.is_evicted() && activity.is_serving());
        drop(serving);
        assert!(activity.waiting().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_host_that_has_most_gives_way_first() {
        let all = Evictable::new(3);
        let (_lone, lone) = register(&all, "2001:db8:1::1");
        advance(LEAST).await;
        // A /64 is one host.
        let (_one, one) = register(&all, "2001:db8:2::1");
        let (_other, other) = register(&all, "2001:db8:2::2");
        advance(LEAST).await;
        assert!(all.evict(Instant::now()));
        assert!(!lone.is_evicted() && (one.is_evicted() || other.is_evicted()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_more_than_a_share_has_less_time() {
        let all = Evictable::new(LEAST_SHARE * SHARE);
        let most: Vec<_> = (0..=LEAST_SHARE)
            .map(|_| register(&all, "192.0.2.1"))
            .collect();
        let (_lone, lone) = register(&all, "192.0.2.2");
        advance(LEAST_OF_MANY).await;
        assert!(all.evict(Instant::now()));
        drop(most);
        advance(PAUSE).await;
        assert!(!all.evict(Instant::now()) && !lone.is_evicted());
    }
}
