//! Serves `subscriptions/listen` (2026-07-28) over HTTP: a stream of change
//! notifications, which lasts until the client leaves or the server drains.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard};

use crate::support::lock::Lock;

use http::StatusCode;
use tokio::task::JoinHandle;

use crate::caller::Principal;
use crate::server::{Feed, Subscription as Requested};
use crate::transport::http::calls::mcp::Mcp;
use crate::transport::http::calls::response::Exchange;
use crate::transport::http::message::refusal::{Reason, Refusal, busy};

/// Counts the open subscriptions, which have no end of their own.
#[derive(Default)]
pub(crate) struct Subscriptions(Lock<Counts>);

#[derive(Default)]
struct Counts {
    all: usize,
    /// By the identity that limits count a caller as.
    callers: HashMap<Arc<[u8]>, usize>,
}

/// A subscription's place among the open ones, until this is dropped.
pub(crate) struct Place {
    subscriptions: Arc<Subscriptions>,
    caller: Arc<[u8]>,
}

impl Subscriptions {
    /// Takes a place for a subscription of `caller`, within the limits for the
    /// caller and for the server.
    pub(crate) fn place(
        self: &Arc<Self>,
        caller: &Principal,
        (theirs_at_most, all_at_most): (usize, usize),
    ) -> Result<Place, Refusal> {
        let caller = caller.limit_key();
        let mut counts = self.lock();
        let known = counts.callers.get_key_value(caller);
        let (caller, theirs) = match known {
            Some((caller, theirs)) => (Arc::clone(caller), *theirs),
            None => (caller.into(), 0),
        };
        if theirs >= theirs_at_most {
            return Err(Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                Reason::Busy,
                "Too many subscriptions of this caller are open. Close one, or try again later.",
            )
            .retry_after(30));
        }
        if counts.all >= all_at_most {
            return Err(busy());
        }
        counts.all += 1;
        counts.callers.insert(Arc::clone(&caller), theirs + 1);
        Ok(Place {
            subscriptions: Arc::clone(self),
            caller,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.subscriptions.lock();
        counts.all -= 1;
        if let Some(theirs) = counts.callers.get_mut(&self.caller) {
            *theirs -= 1;
            if *theirs == 0 {
                counts.callers.remove(&self.caller);
            }
        }
    }
}

/// A subscription that is open until this is dropped.
pub(crate) struct Subscription {
    task: JoinHandle<()>,
    _place: Place,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens the stream, which begins with the acknowledgement, unless the server
/// has no room for it.
pub(crate) fn open(
    mcp: &Mcp,
    mut requested: Requested,
    caller: Principal,
    place: Place,
) -> Result<(Arc<Exchange>, Subscription), Refusal> {
    let server = &mcp.server;
    // It repeats the URIs, which may be many.
    let mut json = Vec::new();
    requested.acknowledge(&mut json);
    let claim = mcp.claim_unread(json.len())?;
    let feed = Feed::new(server, caller.clone());
    feed.add(&mut requested)
        .map_err(|error| Refusal::of(StatusCode::SERVICE_UNAVAILABLE, None, error))?;
    let exchange = Exchange::following(&feed);
    exchange.listen(&feed, caller);
    exchange.first_event(&json, claim);
    let (server, ending) = (Arc::clone(server), Arc::clone(&exchange));
    let task = tokio::spawn(async move {
        server.drain.started().await;
        // The stream's reader locks the exchange and then the feed, so no event is
        // written while the feed is locked.
        let mut events = Vec::new();
        feed.take(|json| events.push(json.to_vec()));
        for event in events {
            ending.event(&event);
        }
        let mut json = Vec::new();
        server.end_subscription(&mut json, &requested.id);
        ending.answer(json, None);
    });
    let open = Subscription {
        task,
        _place: place,
    };
    Ok((exchange, open))
}
