//! The connection's side of a response that is a stream.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::{Exchange, event};
use crate::limits::Claim;
use crate::server::Feed;
use crate::transport::http::connection::activity::Progress;
use crate::transport::http::message::events::EventSource;

/// Reads a stream's events.
pub(crate) struct Reader {
    pub(super) number: u64,
    pub(super) exchange: Arc<Exchange>,
}

/// Reads events. Only the last reader reads: a replaced one finds the end.
impl EventSource for Reader {
    fn watch(&self, progress: Progress) {
        let mut state = self.exchange.lock();
        if state.readers == self.number {
            let has_events = state.read < state.events.len();
            state.reader.watch(progress, has_events);
        }
    }

    fn begin(&self) {
        let mut state = self.exchange.lock();
        if state.readers == self.number {
            state.reader.begin();
        }
    }

    fn advance(&self) {
        let mut state = self.exchange.lock();
        if state.readers == self.number {
            state.reader.advance();
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Bytes, Option<Claim>)>> {
        let exchange = &*self.exchange;
        let mut state = exchange.lock();
        if state.readers != self.number {
            return Poll::Ready(None);
        }
        if state.read < state.events.len() {
            let events = if exchange.name.is_some() {
                let events = Bytes::copy_from_slice(&state.events[state.read..]);
                state.read = state.events.len();
                events
            } else {
                Bytes::from(std::mem::take(&mut state.events))
            };
            state.reader.advance();
            return Poll::Ready(Some((events, state.claim.take())));
        }
        if !state.has_ended
            && let Some(events) = exchange.feed.as_deref().and_then(events)
        {
            state.reader.advance();
            return Poll::Ready(Some((events, None)));
        }
        state.reader.rest();
        if state.has_ended {
            return Poll::Ready(None);
        }
        state.reader.wait(cx);
        Poll::Pending
    }
}

/// Takes what is due, as events.
fn events(feed: &Feed) -> Option<Bytes> {
    let mut events = Vec::new();
    feed.take(|json| event(&mut events, json));
    (!events.is_empty()).then(|| events.into())
}

/// Makes sure that no task waits for a client that has left.
impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.exchange.lock();
        if state.readers == self.number {
            state.has_reader = false;
            state.reader.unwatch();
            state.claim = None;
        }
    }
}
