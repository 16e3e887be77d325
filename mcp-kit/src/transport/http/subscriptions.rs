//! `subscriptions/listen` (2026-07-28): a stream on which a client hears what
//! changes.
//!
//! This server's lists never change, so it honours none of what is asked for
//! and says so. The stream lasts until the client leaves or the server drains.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use tokio::task::JoinHandle;

use super::exchange::Exchange;
use super::limits::HttpLimits;
use super::refusal::{Reason, Refusal, busy};
use crate::context::Principal;
use crate::protocol::params::Params;
use crate::protocol::{RequestId, RpcError, encode};
use crate::server::ServerInner;

/// Counts the subscriptions that are open: they have no end of their own.
#[derive(Default)]
pub(super) struct Subscriptions(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    all: usize,
    /// By what limits count the callers as.
    callers: HashMap<Arc<[u8]>, usize>,
}

/// A subscription's place among those that are open, until this is dropped.
pub(super) struct Place {
    subscriptions: Arc<Subscriptions>,
    caller: Arc<[u8]>,
}

impl Subscriptions {
    /// A place for one more subscription of `caller`.
    pub(super) fn place(
        self: &Arc<Self>,
        caller: &Principal,
        limits: &HttpLimits,
    ) -> Result<Place, Refusal> {
        let caller = caller.limit_key();
        let mut counts = self.lock();
        let known = counts.callers.get_key_value(caller);
        let (caller, theirs) = match known {
            Some((caller, theirs)) => (Arc::clone(caller), *theirs),
            None => (caller.into(), 0),
        };
        if theirs >= limits.streams_per_principal {
            return Err(Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                Reason::Busy,
                "Too many subscriptions of this caller are open. Close one, or try again later.",
            )
            .retry_after(30));
        }
        if counts.all >= limits.requests {
            return Err(busy());
        }
        counts.all += 1;
        counts.callers.insert(Arc::clone(&caller), theirs + 1);
        Ok(Place {
            subscriptions: Arc::clone(self),
            caller,
        })
    }

    /// A poisoned lock holds nothing half-done here: every change is one step.
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
pub(super) struct Subscription {
    task: JoinHandle<()>,
    _place: Place,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Checks what a client wants to hear of.
pub(super) fn check(params: &Params<'_>) -> Result<(), RpcError> {
    match params.notifications {
        Some(filter) if filter.get().starts_with('{') => Ok(()),
        _ => Err(RpcError::invalid_params(
            r#"Invalid params: "notifications" must be given, as an object that says what to hear of"#,
        )),
    }
}

/// Opens the stream.
pub(super) fn open(
    server: &Arc<ServerInner>,
    id: RequestId,
    exchange: Arc<Exchange>,
    place: Place,
) -> Subscription {
    let mut json = br#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{},"_meta":{"io.modelcontextprotocol/subscriptionId":"#.to_vec();
    id.write(&mut json);
    json.extend_from_slice(b"}}}");
    exchange.event(&json);
    let server = Arc::clone(server);
    let task = tokio::spawn(async move {
        server.drain.started().await;
        let mut json = Vec::new();
        encode::result(&mut json, &id, |out| {
            out.extend_from_slice(
                br#"{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":"#,
            );
            id.write(out);
            server.write_server_info(out);
            out.extend_from_slice(b"}}");
        });
        exchange.answer(json, None);
    });
    Subscription {
        task,
        _place: place,
    }
}
