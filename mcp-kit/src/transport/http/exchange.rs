//! A request and what goes back for it: first nothing, then one answer, or a
//! stream of events that ends with it.
//!
//! The task that runs the call writes here, the connection's task reads. Which
//! of both forms the response takes is open until the first event or the
//! answer is there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use serde_json::Value;

use super::pressure::Claim;
use crate::protocol::encode;
use crate::tool::{CallContext, Outbound};

/// What a call's task and the request's connection share.
pub(super) struct Exchange {
    /// Events beyond this many bytes that nobody has read are dropped.
    most_unread: usize,
    /// Under which number the stream's events are known to the client, where a
    /// client that lost it may ask for the rest.
    stream: Option<u64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The answer, as JSON.
    answer: Option<Vec<u8>>,
    /// Events, as they are written on the wire.
    events: Vec<u8>,
    /// Where each event of a stream begins that can be resumed. The rest is
    /// kept until [`Exchange::forget`].
    starts: Vec<usize>,
    /// What the answer counts for, until it is read.
    claim: Option<Claim>,
    /// How far the present reader has come.
    read: usize,
    /// The response is a stream.
    is_stream: bool,
    /// Nothing more will come.
    has_ended: bool,
    /// Counts readers: one that was replaced reads nothing more.
    reader: u64,
    waker: Option<Waker>,
}

/// How a response begins.
#[derive(Debug)]
pub(super) enum Begun {
    /// With the answer, which is all of it.
    Answer(Vec<u8>, Option<Claim>),
    /// With an event.
    Stream,
    /// There will be none: the call was cancelled.
    Nothing,
}

impl Exchange {
    /// An exchange whose stream, if it becomes one, cannot be resumed.
    pub(super) fn new(most_unread: usize) -> Arc<Self> {
        Self::with_stream(most_unread, None)
    }

    /// An exchange whose events carry ids of the stream `stream`.
    pub(super) fn resumable(most_unread: usize, stream: u64) -> Arc<Self> {
        Self::with_stream(most_unread, Some(stream))
    }

    fn with_stream(most_unread: usize, stream: Option<u64>) -> Arc<Self> {
        Arc::new(Self {
            most_unread,
            stream,
            state: Mutex::default(),
        })
    }

    /// Gives the answer. Nothing comes after it. `claim` is what it counts for
    /// until it has left.
    pub(super) fn answer(&self, json: Vec<u8>, claim: Option<Claim>) {
        let mut state = self.lock();
        if state.has_ended {
            return;
        }
        state.has_ended = true;
        if state.is_stream {
            self.push(&mut state, &json);
        } else {
            state.answer = Some(json);
        }
        state.claim = claim;
        state.wake();
    }

    /// Ends it without an answer.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.has_ended = true;
        state.wake();
    }

    /// Sends an event whatever is unread, which makes the response a stream.
    pub(super) fn event(&self, json: &[u8]) {
        let mut state = self.lock();
        if !state.has_ended {
            state.is_stream = true;
            self.push(&mut state, json);
            state.wake();
        }
    }

    /// Makes the response a stream, before there is anything to send. One that
    /// can be resumed begins with an event without data, so that the client
    /// has an id to resume from (2025-11-25, "Resumability and Redelivery").
    pub(super) fn open_stream(&self) {
        let mut state = self.lock();
        if state.is_stream || state.has_ended {
            return;
        }
        state.is_stream = true;
        if self.stream.is_some() {
            self.push(&mut state, b"");
        }
        state.wake();
    }

    pub(super) fn is_stream(&self) -> bool {
        self.lock().is_stream
    }

    /// How many bytes of events it holds.
    pub(super) fn size(&self) -> usize {
        self.lock().events.len()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.lock().has_ended
    }

    /// Whether all of it has been read, up to its end.
    pub(super) fn is_spent(&self) -> bool {
        let state = self.lock();
        state.has_ended && state.answer.is_none() && state.read == state.events.len()
    }

    /// Waits until it is known how the response begins.
    pub(super) fn poll_begun(&self, cx: &mut Context<'_>) -> Poll<Begun> {
        let mut state = self.lock();
        if let Some(answer) = state.answer.take() {
            return Poll::Ready(Begun::Answer(answer, state.claim.take()));
        }
        if state.is_stream {
            return Poll::Ready(Begun::Stream);
        }
        if state.has_ended {
            return Poll::Ready(Begun::Nothing);
        }
        state.wait(cx);
        Poll::Pending
    }

    /// A reader of the events: from the first that was not read, or from the
    /// one after `last`. It takes the place of the reader before it.
    pub(super) fn read(self: &Arc<Self>, last: Option<u64>) -> Reader {
        let mut state = self.lock();
        state.reader += 1;
        if let Some(last) = last {
            let next = usize::try_from(last).map_or(usize::MAX, |last| last.saturating_add(1));
            state.read = (state.starts.get(next).copied()).unwrap_or(state.events.len());
        }
        state.wake(); // the one before sees that it is none any more
        Reader {
            number: state.reader,
            exchange: Arc::clone(self),
        }
    }

    fn push(&self, state: &mut State, json: &[u8]) {
        if let Some(stream) = self.stream {
            let number = state.starts.len();
            state.starts.push(state.events.len());
            state.events.extend_from_slice(b"id: ");
            encode::integer(&mut state.events, stream);
            state.events.push(b'-');
            encode::integer(&mut state.events, number);
            state.events.push(b'\n');
            if number == 0 {
                state.events.extend_from_slice(b"retry: 1000\n");
            }
        }
        state.events.extend_from_slice(b"data: ");
        state.events.extend_from_slice(json);
        state.events.extend_from_slice(b"\n\n");
    }

    /// A poisoned lock holds nothing half-done here: every change is one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wait(&mut self, cx: &Context<'_>) {
        match &mut self.waker {
            Some(known) => known.clone_from(cx.waker()),
            unknown => *unknown = Some(cx.waker().clone()),
        }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Notifications of a client that reads slowly are dropped: the next one says
/// more.
impl Outbound for Exchange {
    fn notify(&self, call: &CallContext, method: &'static str, params: &Value) {
        let mut json = Vec::new();
        encode::notification(&mut json, method, params);
        let mut state = self.lock();
        let kept = match self.stream {
            Some(_) => state.events.len(),
            None => state.events.len() - state.read,
        };
        if !state.has_ended && !call.is_answered() && kept + json.len() <= self.most_unread {
            state.is_stream = true;
            self.push(&mut state, &json);
            state.wake();
        }
    }
}

/// Reads a stream's events.
pub(super) struct Reader {
    number: u64,
    exchange: Arc<Exchange>,
}

impl Reader {
    /// The events that have come since the last look; `None` at the end. What
    /// comes with them is to be kept until they have left.
    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<(Bytes, Option<Claim>)>> {
        let exchange = &*self.exchange;
        let mut state = exchange.lock();
        if state.reader != self.number {
            return Poll::Ready(None);
        }
        if state.read < state.events.len() {
            let events = if exchange.stream.is_some() {
                let events = Bytes::copy_from_slice(&state.events[state.read..]);
                state.read = state.events.len();
                events
            } else {
                Bytes::from(std::mem::take(&mut state.events))
            };
            return Poll::Ready(Some((events, state.claim.take())));
        }
        if state.has_ended {
            return Poll::Ready(None);
        }
        state.wait(cx);
        Poll::Pending
    }
}
