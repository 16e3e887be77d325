//! The response to a request: first nothing, then one answer, or a stream of
//! events that ends with the answer.
//!
//! The task that runs the call writes here, and the connection's task reads.
//! The response has neither form until the first event or the answer arrives.

mod reader;

use std::sync::{Arc, MutexGuard, Weak};
use std::task::{Context, Poll};

use crate::support::lock::Lock;

use serde_json::Value;

pub(crate) use reader::Reader;

use crate::call::{CallContext, Outbound};
use crate::caller::Principal;
use crate::limits::{ByteBudget, Claim};
use crate::protocol::encode;
use crate::server::{Feed, Listener};
use crate::transport::http::calls::sink::{ReplayBudget, Sink};
use crate::transport::http::message::body::LARGE;
use crate::transport::http::message::events::ReadSide;

/// The limit of unread event bytes in a response. Above it further
/// notifications are dropped.
pub(crate) const MOST_UNREAD_EVENTS: usize = 64 * 1024;

/// The state that a call's task and the request's connection share.
pub(crate) struct Exchange {
    /// Events above this many unread bytes are dropped.
    most_unread: usize,
    /// The stream's name, if a client that lost it may request the rest.
    name: Option<StreamName>,
    /// The stream that receives everything if the request has no response of
    /// its own.
    sink: Option<SharedStream>,
    /// What the client of the stream follows, if the stream belongs to no call.
    feed: Option<Arc<Feed>>,
    state: Lock<State>,
}

/// A stream that many calls share, and the number of this call on it.
struct SharedStream {
    sink: Arc<dyn Sink>,
    call: u64,
}

/// A stream that can be resumed: its events carry ids, and are kept.
pub(crate) struct StreamName {
    pub(crate) number: u64,
    /// The stream begins with an event without data, so that the client has an
    /// id to resume from, however early it is cut off (2025-11-25,
    /// "Resumability and Redelivery").
    pub(crate) is_primed: bool,
    /// The budget that its events count against.
    pub(crate) budget: Weak<dyn ReplayBudget>,
}

#[derive(Default)]
struct State {
    /// The answer, as JSON.
    answer: Option<Vec<u8>>,
    /// Events in wire format.
    events: Vec<u8>,
    /// The offset of each event in `events`, of a stream that can be resumed.
    starts: Vec<usize>,
    /// The number of earlier events, which are forgotten.
    forgotten: u64,
    /// The bytes that the answer counts for, until it is read.
    claim: Option<Claim>,
    /// The position of the present reader.
    read: usize,
    /// The response is a stream.
    is_stream: bool,
    /// Nothing more will come.
    has_ended: bool,
    /// Counts readers: one that was replaced reads nothing more.
    readers: u64,
    /// The last reader is still there.
    has_reader: bool,
    reader: ReadSide,
}

/// The bytes that an event counts for in addition to its own.
const PER_EVENT: usize = size_of::<usize>();

/// The most bytes that an event has in addition to its data.
const FRAME: usize = 80;

/// Why the rest of a stream is not available.
pub(crate) enum NotResumed {
    /// The event does not exist, or what follows it is forgotten.
    Forgotten,
    /// Too much is unread already.
    Busy,
}

/// How a response begins.
#[derive(Debug)]
pub(crate) enum Begun {
    /// With the answer, which is all of it.
    Answer(Vec<u8>, Option<Claim>),
    /// With an event.
    Stream,
    /// Not at all: the call was cancelled.
    Nothing,
}

impl Exchange {
    /// Creates an exchange whose stream, if it becomes one, cannot be resumed.
    pub(crate) fn new(most_unread: usize) -> Arc<Self> {
        Self::with_name(most_unread, None)
    }

    /// Creates a stream of what a client follows, which is woken once it
    /// [listens](Self::listen). It ends with [`answer`](Self::answer) or
    /// [`end`](Self::end).
    pub(crate) fn following(feed: &Arc<Feed>) -> Arc<Self> {
        Arc::new(Self {
            most_unread: MOST_UNREAD_EVENTS,
            name: None,
            sink: None,
            feed: Some(Arc::clone(feed)),
            state: Lock::new(State {
                is_stream: true,
                ..State::default()
            }),
        })
    }

    /// Becomes the stream that takes from `feed`, for this caller.
    pub(crate) fn listen(self: &Arc<Self>, feed: &Feed, principal: Principal) {
        let listener: Weak<dyn Listener> = Arc::downgrade(self) as _;
        feed.listen(listener, Some(principal));
    }

    /// Creates an exchange whose stream, if it becomes one, can be resumed.
    pub(crate) fn resumable(name: StreamName) -> Arc<Self> {
        Self::with_name(usize::MAX, Some(name))
    }

    fn with_name(most_unread: usize, name: Option<StreamName>) -> Arc<Self> {
        Arc::new(Self {
            most_unread,
            name,
            sink: None,
            feed: None,
            state: Lock::default(),
        })
    }

    /// Creates an exchange whose events and answer go to `sink`.
    pub(crate) fn into_sink(sink: &Arc<dyn Sink>) -> Arc<Self> {
        Arc::new(Self {
            most_unread: 0,
            name: None,
            sink: Some(SharedStream {
                sink: Arc::clone(sink),
                call: sink.next_call(),
            }),
            feed: None,
            state: Lock::default(),
        })
    }

    /// Whether there is room for an answer of so many bytes at its destination.
    pub(crate) fn takes(&self, bytes: usize) -> bool {
        (self.sink.as_ref()).is_none_or(|SharedStream { sink, .. }| sink.has_room(bytes))
    }

    /// The number under which the client knows the stream.
    pub(crate) fn stream_number(&self) -> Option<u64> {
        self.name.as_ref().map(|name| name.number)
    }

    /// Whether the stream begins with an event without data.
    fn is_primed(&self) -> bool {
        self.name.as_ref().is_some_and(|name| name.is_primed)
    }

    /// Sends the answer, after which nothing can be sent. Returns whether it
    /// went to a stream. `claim` is what it counts for until it has left.
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
        // What waits for a client that has left counts among the kept events.
        let is_awaited = !state.is_stream || self.name.is_none() || state.has_reader;
        state.claim = claim.filter(|_| is_awaited);
        state.reader.wake();
        state.is_stream
    }

    /// Ends the response without an answer.
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

    /// Sends an event regardless of unread bytes, which makes the response a
    /// stream.
    pub(crate) fn event(&self, json: &[u8]) {
        let mut state = self.lock();
        if !state.has_ended {
            self.begin(&mut state);
            self.push(&mut state, json);
            state.reader.wake();
        }
    }

    /// Sends the first event, whatever its size. `claim` is what it counts for until
    /// it has left.
    pub(crate) fn first_event(&self, json: &[u8], claim: Option<Claim>) {
        self.event(json);
        self.lock().claim = claim;
    }

    /// Makes the response a stream before there is anything to send.
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

    /// Returns a reader of the events, from the first unread one. It replaces
    /// the reader before it.
    pub(crate) fn read(self: &Arc<Self>) -> Reader {
        self.reader(&mut self.lock())
    }

    /// Returns a reader of the events after `last`. Large answers count as
    /// `unread`.
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
        event(&mut state.events, json);
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

    /// Forgets the events that were read. A client that has just lost the
    /// stream receives an error if it requests them.
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    /// Returns the offset of the events after `last`.
    fn after(&self, last: u64) -> Option<usize> {
        let next = last.checked_add(1)?.checked_sub(self.forgotten)?;
        let next = usize::try_from(next).ok()?;
        match self.starts.get(next) {
            None if next == self.starts.len() => Some(self.events.len()),
            start => start.copied(),
        }
    }
}

/// Writes an event.
fn event(events: &mut Vec<u8>, json: &[u8]) {
    events.extend_from_slice(b"data: ");
    events.extend_from_slice(json);
    events.extend_from_slice(b"\n\n");
}

/// Releases what is kept of a stream's events.
impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(budget) = self.budget() {
            let state = self.lock();
            budget.release(state.events.len() + state.starts.len() * PER_EVENT);
        }
    }
}

/// Drops the notifications of a client that reads slowly: the next one is more
/// recent.
impl Outbound for Exchange {
    fn notify(&self, call: &CallContext, method: &str, params: &Value) {
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

    fn send(&self, json: &[u8]) -> bool {
        if let Some(SharedStream { sink, .. }) = &self.sink {
            let state = self.lock(); // nothing comes after the answer
            return !state.has_ended && sink.send(json);
        }
        if !self.has_room(json.len() + FRAME) {
            return false;
        }
        let mut state = self.lock();
        if state.has_ended {
            return false;
        }
        self.begin(&mut state);
        self.push(&mut state, json);
        state.reader.wake();
        true
    }
}

/// Wakes the reader, which takes what its client follows.
impl Listener for Exchange {
    fn changed(&self) {
        let mut state = self.lock();
        if !state.has_ended {
            state.reader.begin();
            state.reader.wake();
        }
    }
}
