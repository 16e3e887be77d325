//! A request and what goes back for it: first nothing, then one answer, or a
//! stream of events that ends with it.
//!
//! The task that runs the call writes here, the connection's task reads. Which
//! of both forms the response takes is open until the first event or the
//! answer is there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use serde_json::Value;

use crate::call::{CallContext, Outbound};
use crate::limits::{ByteBudget, Claim};
use crate::protocol::encode;
use crate::transport::http::calls::sink::{ReplayBudget, Sink};
use crate::transport::http::connection::activity::Progress;
use crate::transport::http::message::body::LARGE;
use crate::transport::http::message::events::{EventSource, ReadSide};

/// A response that carries more than this of events that are not read drops
/// further notifications.
pub(crate) const MOST_UNREAD_EVENTS: usize = 64 * 1024;

/// What a call's task and the request's connection share.
pub(crate) struct Exchange {
    /// Events beyond this many bytes that nobody has read are dropped.
    most_unread: usize,
    /// What its stream is called, where a client that lost it may ask for the
    /// rest.
    name: Option<StreamName>,
    /// The stream that everything goes to if the request has no response of its
    /// own.
    sink: Option<SharedStream>,
    state: Mutex<State>,
}

/// A stream that many calls share, and the number of this one on it.
struct SharedStream {
    sink: Arc<dyn Sink>,
    call: u64,
}

/// A stream that can be resumed: its events carry ids, and are kept.
pub(crate) struct StreamName {
    pub(crate) number: u64,
    /// It begins with an event without data, so that the client has an id to
    /// resume from, however early it is cut off (2025-11-25, "Resumability and
    /// Redelivery").
    pub(crate) is_primed: bool,
    /// The budget that its events count against.
    pub(crate) budget: Weak<dyn ReplayBudget>,
}

#[derive(Default)]
struct State {
    /// The answer, as JSON.
    answer: Option<Vec<u8>>,
    /// Events, as they are written on the wire.
    events: Vec<u8>,
    /// Where each event in it begins, of a stream that can be resumed.
    starts: Vec<usize>,
    /// Events before those, which are forgotten.
    forgotten: u64,
    /// What the answer counts for, until it is read.
    claim: Option<Claim>,
    /// How far the present reader has come.
    read: usize,
    /// The response is a stream.
    is_stream: bool,
    /// Nothing more will come.
    has_ended: bool,
    /// Counts readers: one that was replaced reads nothing more.
    readers: u64,
    /// The last of them is still there.
    has_reader: bool,
    reader: ReadSide,
}

/// What is counted for an event beside its bytes.
const PER_EVENT: usize = size_of::<usize>();

/// What an event has beside its data, at most.
const FRAME: usize = 80;

/// Why the rest of a stream cannot be had.
pub(crate) enum NotResumed {
    /// There is no such event, or what follows it is forgotten.
    Forgotten,
    /// Too much is unread as it is.
    Busy,
}

/// How a response begins.
#[derive(Debug)]
pub(crate) enum Begun {
    /// With the answer, which is all of it.
    Answer(Vec<u8>, Option<Claim>),
    /// With an event.
    Stream,
    /// There will be none: the call was cancelled.
    Nothing,
}

impl Exchange {
    /// An exchange whose stream, if it becomes one, cannot be resumed.
    pub(crate) fn new(most_unread: usize) -> Arc<Self> {
        Self::with_name(most_unread, None)
    }

    /// An exchange whose stream, if it becomes one, can be resumed.
    pub(crate) fn resumable(name: StreamName) -> Arc<Self> {
        Self::with_name(usize::MAX, Some(name))
    }

    fn with_name(most_unread: usize, name: Option<StreamName>) -> Arc<Self> {
        Arc::new(Self {
            most_unread,
            name,
            sink: None,
            state: Mutex::default(),
        })
    }

    /// An exchange whose events and whose answer go to `sink`.
    pub(crate) fn into_sink(sink: &Arc<dyn Sink>) -> Arc<Self> {
        Arc::new(Self {
            most_unread: 0,
            name: None,
            sink: Some(SharedStream {
                sink: Arc::clone(sink),
                call: sink.next_call(),
            }),
            state: Mutex::default(),
        })
    }

    /// Whether there is room for an answer of so many bytes where it goes.
    pub(crate) fn takes(&self, bytes: usize) -> bool {
        (self.sink.as_ref()).is_none_or(|SharedStream { sink, .. }| sink.has_room(bytes))
    }

    /// The number under which the stream is known to its client.
    pub(crate) fn stream_number(&self) -> Option<u64> {
        self.name.as_ref().map(|name| name.number)
    }

    /// Whether its stream begins with an event without data.
    fn is_primed(&self) -> bool {
        self.name.as_ref().is_some_and(|name| name.is_primed)
    }

    /// Gives the answer; whether it went to a stream. Nothing comes after it.
    /// `claim` is what it counts for until it has left.
    pub(crate) fn answer(&self, json: Vec<u8>, claim: Option<Claim>) -> bool {
        let mut state = self.lock();
        if state.has_ended {
            return false;
        }
        state.has_ended = true;
        if let Some(SharedStream { sink, call }) = &self.sink {
            sink.answer(*call, &json, claim);
            return false;
        }
        if state.is_stream {
            self.push(&mut state, &json);
        } else {
            state.answer = Some(json);
        }
        // What waits for a client that has left counts among what is kept.
        let is_awaited = !state.is_stream || self.name.is_none() || state.has_reader;
        state.claim = claim.filter(|_| is_awaited);
        state.reader.wake();
        state.is_stream
    }

    /// Ends it without an answer.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        if let Some(SharedStream { sink, call }) = &self.sink
            && !state.has_ended
        {
            sink.forget(*call);
        }
        state.has_ended = true;
        state.reader.wake();
    }

    /// Sends an event whatever is unread, which makes the response a stream.
    pub(crate) fn event(&self, json: &[u8]) {
        let mut state = self.lock();
        if !state.has_ended {
            self.begin(&mut state);
            self.push(&mut state, json);
            state.reader.wake();
        }
    }

    /// Makes the response a stream, before there is anything to send.
    pub(crate) fn open_stream(&self) {
        let mut state = self.lock();
        if !state.has_ended {
            self.begin(&mut state);
            state.reader.wake();
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.lock().has_ended
    }

    /// Waits until it is known how the response begins.
    pub(crate) fn poll_begun(&self, cx: &mut Context<'_>) -> Poll<Begun> {
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
        state.reader.wait(cx);
        Poll::Pending
    }

    /// A reader of the events, from the first that was not read. It takes the
    /// place of the reader before it.
    pub(crate) fn read(self: &Arc<Self>) -> Reader {
        self.reader(&mut self.lock())
    }

    /// A reader of the events after `last`. What is large counts as `unread`.
    pub(crate) fn resume(
        self: &Arc<Self>,
        last: u64,
        unread: &Arc<ByteBudget>,
    ) -> Result<Reader, NotResumed> {
        let mut state = self.lock();
        let start = state.after(last).ok_or(NotResumed::Forgotten)?;
        let bytes = state.events.len() - start;
        let mut claim = None;
        if bytes > LARGE {
            claim = Some(unread.claim(bytes).ok_or(NotResumed::Busy)?);
        }
        state.claim = claim;
        state.read = start;
        Ok(self.reader(&mut state))
    }

    fn reader(self: &Arc<Self>, state: &mut State) -> Reader {
        state.readers += 1;
        state.has_reader = true;
        state.reader.unwatch();
        state.reader.wake(); // the one before sees that it is none any more
        Reader {
            number: state.readers,
            exchange: Arc::clone(self),
        }
    }

    fn begin(&self, state: &mut State) {
        if std::mem::replace(&mut state.is_stream, true) {
            return;
        }
        if self.is_primed() {
            self.push(state, b"");
        }
    }

    fn push(&self, state: &mut State, json: &[u8]) {
        let before = state.events.len();
        if let Some(name) = &self.name {
            let number = state.forgotten + state.starts.len() as u64;
            state.starts.push(before);
            state.events.extend_from_slice(b"id: ");
            encode::integer(&mut state.events, name.number);
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
        state.reader.begin();
        if let Some(budget) = self.budget() {
            budget.keep(state.events.len() - before + PER_EVENT);
        }
    }

    /// Whether a notification of so many bytes can be kept, or be left unread.
    fn has_room(&self, bytes: usize) -> bool {
        if self.name.is_none() {
            let state = self.lock();
            return state.events.len() - state.read + bytes <= self.most_unread;
        }
        let Some(budget) = self.budget() else {
            return false; // it has ended
        };
        budget.has_room(bytes) || {
            self.forget_read(&*budget);
            budget.has_room(bytes)
        }
    }

    /// Forgets what was read: a client that lost the stream just now is told
    /// so, where it asks for that.
    fn forget_read(&self, budget: &dyn ReplayBudget) {
        let mut state = self.lock();
        let state = &mut *state;
        let read = state.read;
        let events = state.starts.partition_point(|start| *start < read);
        state.starts.drain(..events);
        for start in &mut state.starts {
            *start -= read;
        }
        state.events.drain(..read);
        state.forgotten += events as u64;
        state.read = 0;
        budget.release(read + events * PER_EVENT);
    }

    fn budget(&self) -> Option<Arc<dyn ReplayBudget>> {
        self.name.as_ref().and_then(|name| name.budget.upgrade())
    }

    /// A poisoned lock holds nothing half-done here: every change is one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Where the events after `last` begin.
    fn after(&self, last: u64) -> Option<usize> {
        let next = last.checked_add(1)?.checked_sub(self.forgotten)?;
        let next = usize::try_from(next).ok()?;
        match self.starts.get(next) {
            None if next == self.starts.len() => Some(self.events.len()),
            start => start.copied(),
        }
    }
}

/// What is kept of a stream's events is given back with it.
impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(budget) = self.budget() {
            let state = self.lock();
            budget.release(state.events.len() + state.starts.len() * PER_EVENT);
        }
    }
}

/// Notifications of a client that reads slowly are dropped: the next one says
/// more.
impl Outbound for Exchange {
    fn notify(&self, call: &CallContext, method: &'static str, params: &Value) {
        let mut json = Vec::new();
        encode::notification(&mut json, method, params);
        if let Some(SharedStream { sink, call: number }) = &self.sink {
            let state = self.lock(); // nothing comes after the answer
            if !state.has_ended && !call.has_ended() {
                sink.notify(*number, &json);
            }
            return;
        }
        if !self.has_room(json.len() + FRAME) {
            return;
        }
        let mut state = self.lock();
        if !state.has_ended && !call.has_ended() {
            self.begin(&mut state);
            self.push(&mut state, &json);
            state.reader.wake();
        }
    }
}

/// Reads a stream's events.
pub(crate) struct Reader {
    number: u64,
    exchange: Arc<Exchange>,
}

/// Only the last reader reads: one that was replaced finds the end.
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
        state.reader.rest();
        if state.has_ended {
            return Poll::Ready(None);
        }
        state.reader.wait(cx);
        Poll::Pending
    }
}

/// A client that has left keeps nobody waiting for it to read.
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
