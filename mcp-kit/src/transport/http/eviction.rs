//! Which connection gives its place to another when all are taken.
//!
//! A connection on which nothing is asked costs its client nothing and the
//! server a place: without this, whoever opens as many as there may be would
//! keep everybody else out.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use super::clock::Clock;
use crate::context::Host;

/// How long a connection has waited at least: who has just come is about to ask.
const LEAST: Duration = Duration::from_secs(1);

/// How long nobody is looked for again where none was found.
const PAUSE: Duration = Duration::from_millis(250);

/// The connections that can be asked to give way.
#[derive(Default)]
pub(super) struct Evictable(Mutex<State>);

#[derive(Default)]
struct State {
    /// By number.
    connections: HashMap<u64, Connection>,
    next: u64,
    /// Nobody was found, and is looked for again from then on.
    not_before: Option<Instant>,
}

struct Connection {
    /// Whose it is: behind a proxy all of them are one's.
    host: Option<Host>,
    clock: Arc<Clock>,
    waker: Waker,
}

/// A connection that can be asked to give way until this is dropped.
pub(super) struct Registered {
    all: Arc<Evictable>,
    number: u64,
}

impl Evictable {
    /// Knows a connection from now on. `waker` has it look at its clock.
    pub(super) fn register(
        self: &Arc<Self>,
        peer: Option<IpAddr>,
        clock: Arc<Clock>,
        waker: Waker,
    ) -> Registered {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        let connection = Connection {
            host: peer.map(Host::of),
            clock,
            waker,
        };
        state.connections.insert(number, connection);
        Registered {
            all: Arc::clone(self),
            number,
        }
    }

    /// Ends a connection that waits for its client, if one has done so for a
    /// while: of the host that has most, the one that has waited longest.
    pub(super) fn evict(&self, now: Instant) -> bool {
        let mut state = self.lock();
        if state.not_before.is_some_and(|at| now < at) {
            return false;
        }
        let mut of_host: HashMap<_, usize> = HashMap::new();
        for connection in state.connections.values() {
            *of_host.entry(connection.host).or_default() += 1;
        }
        loop {
            let waiting = state.connections.values().filter_map(|connection| {
                let since = connection.clock.waits_since()?;
                (since + LEAST <= now).then_some((connection, since))
            });
            let longest = waiting
                .max_by_key(|(connection, since)| (of_host[&connection.host], Reverse(*since)));
            let Some((connection, _)) = longest else {
                state.not_before = Some(now + PAUSE);
                return false;
            };
            // Unless it has begun to serve a request just now.
            if connection.clock.evict() {
                connection.waker.wake_by_ref();
                return true;
            }
        }
    }

    /// A poisoned lock holds nothing half-done here: every change is one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let left = self.all.lock().connections.remove(&self.number);
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(all: &Arc<Evictable>, peer: &str) -> (Registered, Arc<Clock>) {
        let clock = Clock::new();
        let peer = Some(peer.parse().unwrap());
        let registered = all.register(peer, Arc::clone(&clock), Waker::noop().clone());
        (registered, clock)
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_waits_longest_gives_way_and_who_has_just_come_does_not() {
        let all = Arc::<Evictable>::default();
        let (_first, first) = register(&all, "192.0.2.1");
        assert!(!all.evict(Instant::now()));
        tokio::time::advance(LEAST).await;
        let (_second, second) = register(&all, "192.0.2.1");
        assert!(all.evict(Instant::now()));
        assert!(first.is_evicted() && !second.is_evicted());
        assert!(!all.evict(Instant::now()));
        tokio::time::advance(LEAST).await;
        assert!(all.evict(Instant::now()) && second.is_evicted());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_served_or_has_left_is_passed_over() {
        let all = Arc::<Evictable>::default();
        let (_registered, clock) = register(&all, "192.0.2.1");
        let serving = clock.serve();
        drop(register(&all, "192.0.2.1"));
        tokio::time::advance(LEAST).await;
        assert!(!all.evict(Instant::now()));
        drop(serving);
        tokio::time::advance(LEAST).await;
        assert!(all.evict(Instant::now()) && clock.is_evicted());
    }

    #[tokio::test(start_paused = true)]
    async fn the_host_that_has_most_gives_way_first() {
        let all = Arc::<Evictable>::default();
        let (_lone, lone) = register(&all, "2001:db8:1::1");
        tokio::time::advance(LEAST).await;
        // A /64 is one host.
        let (_one, one) = register(&all, "2001:db8:2::1");
        let (_other, other) = register(&all, "2001:db8:2::2");
        tokio::time::advance(LEAST).await;
        assert!(all.evict(Instant::now()));
        assert!(!lone.is_evicted() && (one.is_evicted() || other.is_evicted()));
    }
}
