//! The stream of a session: all messages to its client, in order, until the
//! client reads them.

use std::collections::{HashMap, VecDeque};
use std::future::Future as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, OnceLock, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::support::lock::Lock;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits::{ByteBudget, Claim};
use crate::server::{Feed, Listener};
use crate::transport::http::calls::response::MOST_UNREAD_EVENTS;
use crate::transport::http::calls::sink::Sink;
use crate::transport::http::connection::activity::Progress;
use crate::transport::http::message::body::LARGE;
use crate::transport::http::message::events::{EventSource, ReadSide};

/// Messages up to this size are added even if there is no room: the error that
/// reports the lack of room must be.
const SMALL: usize = 512;

/// The bytes that an event counts for in addition to its data.
const PER_EVENT: usize = 128;

/// How long an answer waits after its call's last progress report. It is longer
/// than over stdio: HTTP clients pass messages through several queues before
/// they parse them.
const AFTER_REPORT: Duration = Duration::from_millis(20);

/// A session's stream.
pub(crate) struct Stream {
    /// Above this many unread bytes, nothing large is added.
    most: usize,
    /// The budget of unread events, which count once they are large together.
    all_unread: Arc<ByteBudget>,
    next_call: AtomicU64,
    /// What the client follows, once it may be notified.
    feed: OnceLock<Arc<Feed>>,
    this: Weak<Self>,
    /// Woken when the last accepted message has been handled.
    handled: Notify,
    state: Lock<State>,
}

#[derive(Default)]
struct State {
    /// The messages of the client that are being handled.
    handling: usize,
    /// The end of the stream waits for those that are being handled, and for no
    /// further ones.
    is_closing: bool,
    events: VecDeque<Event>,
    /// When the last progress report of each open call left.
    reports: HashMap<u64, Instant>,
    /// The wait until an answer may follow its call's last report.
    pause: Option<Pin<Box<Sleep>>>,
    unread: usize,
    has_ended: bool,
    reader: ReadSide,
}

struct Event {
    bytes: Bytes,
    claim: Option<Claim>,
    of: Of,
}

/// The call that an event belongs to.
#[derive(Clone, Copy)]
enum Of {
    Nothing,
    /// A progress report of this call.
    Report(u64),
    /// The answer of this call.
    Answer(u64),
}

impl Stream {
    pub(super) fn new(most: usize, all_unread: &Arc<ByteBudget>) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            most,
            all_unread: Arc::clone(all_unread),
            next_call: AtomicU64::new(0),
            feed: OnceLock::new(),
            this: Weak::clone(this),
            handled: Notify::new(),
            state: Lock::default(),
        })
    }

    /// Sends the address for messages.
    pub(super) fn endpoint(&self, url: &str) {
        self.push(
            &mut self.lock(),
            b"endpoint",
            url.as_bytes(),
            None,
            Of::Nothing,
        );
    }

    /// Whether the client has so much unread that its further requests are
    /// refused.
    pub(super) fn is_full(&self) -> bool {
        let unread = self.lock().unread;
        unread >= self.most || (unread > LARGE && self.all_unread.is_nearly_full())
    }

    /// Adds a message. Cuts the stream when there are too many: even small
    /// answers fill it once there are enough of them.
    pub(super) fn message(&self, json: &[u8]) {
        self.push(&mut self.lock(), b"message", json, None, Of::Nothing);
    }

    /// Counts a message of the client as being handled until the result is dropped:
    /// the stream does not [end](Self::close_to_messages) meanwhile, so that what
    /// answers the message can be sent.
    pub(super) fn handle(self: &Arc<Self>) -> Option<Handling> {
        let mut state = self.lock();
        if state.is_closing {
            return None;
        }
        state.handling += 1;
        Some(Handling(Arc::clone(self)))
    }

    /// Waits for the messages that are being handled. Later ones are not waited for.
    pub(super) async fn close_to_messages(&self) {
        loop {
            let handled = self.handled.notified();
            tokio::pin!(handled);
            // Registered before the look, so that no end is missed.
            handled.as_mut().enable();
            {
                let mut state = self.lock();
                state.is_closing = true;
                if state.handling == 0 {
                    return;
                }
            }
            handled.await;
        }
    }

    /// Accepts no more messages; what is there can still be read.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.has_ended = true;
        state.reader.wake();
    }

    /// Closes the stream: its reader is gone.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.cut();
        state.reader.unwatch();
    }

    fn push(&self, state: &mut State, kind: &[u8], data: &[u8], claim: Option<Claim>, of: Of) {
        if state.has_ended {
            return;
        }
        let event = [b"event: ", kind, b"\ndata: ", data, b"\n\n"].concat();
        state.unread += event.len() + PER_EVENT;
        if state.unread > self.most.saturating_mul(2) && !state.events.is_empty() {
            let _ = crate::support::panics::contain(|| {
                tracing::warn!(target: "mcp_kit::http", "a stream is cut: its client does not read");
            });
            state.cut();
        } else {
            let claim =
                claim.or_else(|| (state.unread > LARGE).then(|| self.all_unread.hold(event.len())));
            let bytes = event.into();
            state.events.push_back(Event { bytes, claim, of });
            state.reader.begin();
        }
        state.reader.wake();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

/// A message of the client that is being handled.
pub(super) struct Handling(Arc<Stream>);

impl Drop for Handling {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.handling -= 1;
        if state.handling == 0 {
            self.0.handled.notify_waiters();
        }
    }
}

impl Sink for Stream {
    fn next_call(&self) -> u64 {
        self.next_call.fetch_add(1, Ordering::Relaxed)
    }

    /// Adds the answer of a call. It leaves a moment after the call's last
    /// report: a client that reads both at once treats the report as one of an
    /// unknown call.
    fn answer(&self, call: u64, json: &[u8], claim: Option<Claim>) {
        let of = Of::Answer(call);
        self.push(&mut self.lock(), b"message", json, claim, of);
    }

    fn forget(&self, call: u64) {
        self.lock().reports.remove(&call);
    }

    /// Adds a call's report, unless the client has enough to read: the next one
    /// is more recent.
    fn notify(&self, call: u64, json: &[u8]) {
        let mut state = self.lock();
        if state.unread + json.len() <= self.most.min(MOST_UNREAD_EVENTS) {
            self.push(&mut state, b"message", json, None, Of::Report(call));
        }
    }

    fn send(&self, json: &[u8]) -> bool {
        if !self.has_room(json.len()) {
            return false;
        }
        let mut state = self.lock();
        self.push(&mut state, b"message", json, None, Of::Nothing);
        !state.has_ended
    }

    fn has_room(&self, bytes: usize) -> bool {
        let unread = self.lock().unread;
        // A message that is too large by itself must not wait forever.
        if bytes <= SMALL || unread == 0 {
            return true;
        }
        let all = unread.saturating_add(bytes);
        // A large message comes with its own claim.
        let is_counted = all <= LARGE || bytes > LARGE;
        all <= self.most && (is_counted || self.all_unread.has_room(bytes))
    }

    fn follow(&self, feed: &Arc<Feed>) {
        if self.feed.set(Arc::clone(feed)).is_ok() {
            let listener: Weak<dyn Listener> = Weak::<Self>::clone(&self.this);
            feed.listen(listener, None);
        }
    }

    fn has_ended(&self) -> bool {
        self.lock().has_ended
    }
}

/// Wakes the reader, which takes what its client follows.
impl Listener for Stream {
    fn changed(&self) {
        let mut state = self.lock();
        if !state.has_ended {
            state.reader.begin();
            state.reader.wake();
        }
    }
}

/// The client reads the stream once, from the first event on.
impl EventSource for Arc<Stream> {
    fn watch(&self, progress: Progress) {
        let mut state = self.lock();
        let has_events = !state.events.is_empty();
        state.reader.watch(progress, has_events);
    }

    fn begin(&self) {
        self.lock().reader.begin();
    }

    fn advance(&self) {
        self.lock().reader.advance();
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Bytes, Option<Claim>)>> {
        let mut state = self.lock();
        if state.events.is_empty()
            && let Some(feed) = self.feed.get()
        {
            let state = &mut *state;
            feed.take(|json| self.push(state, b"message", json, None, Of::Nothing));
        }
        if let Some(Event { bytes, claim, of }) = state.take(cx) {
            state.unread -= bytes.len() + PER_EVENT;
            match of {
                Of::Nothing => {}
                Of::Report(call) => {
                    state.reports.insert(call, Instant::now());
                }
                Of::Answer(call) => {
                    state.reports.remove(&call);
                }
            }
            if state.events.is_empty() {
                state.events = VecDeque::new();
            }
            state.reader.advance();
            return Poll::Ready(Some((bytes, claim)));
        }
        if !state.events.is_empty() {
            state.reader.wait(cx); // what comes next may leave before them
            return Poll::Pending;
        }
        state.reader.rest();
        if state.has_ended {
            return Poll::Ready(None);
        }
        state.reader.wait(cx);
        Poll::Pending
    }
}

impl State {
    /// Takes the first event that may leave.
    fn take(&mut self, cx: &mut Context<'_>) -> Option<Event> {
        if self.reports.is_empty() {
            return self.events.pop_front();
        }
        let (now, mut next) = (Instant::now(), None);
        let at = self.events.iter().position(|event| {
            let Of::Answer(call) = event.of else {
                return true;
            };
            let due = self
                .reports
                .get(&call)
                .map(|left_at| *left_at + AFTER_REPORT);
            next = [next, due].into_iter().flatten().min();
            due.is_none_or(|due| due <= now)
        });
        if let Some(event) = at.and_then(|at| self.events.remove(at)) {
            return Some(event);
        }
        let mut pause = Box::pin(sleep_until(next?));
        if pause.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        self.pause = Some(pause);
        None
    }

    /// Ends the stream, and forgets what is unread.
    fn cut(&mut self) {
        self.has_ended = true;
        self.events = VecDeque::new();
        self.reports.clear();
        self.pause = None;
        self.unread = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// An answer of a message that was accepted before the drain is sent, however
    /// long it takes.
    #[test]
    fn end_waits_for_the_messages_that_are_being_handled() {
        let mut stream = Stream::new(1_000, &ByteBudget::new(1_000));
        let (first, second) = (stream.handle(), stream.handle());
        let ending = Arc::clone(&stream);
        let mut ending = Box::pin(async move {
            ending.close_to_messages().await;
            ending.end();
        });
        let mut cx = Context::from_waker(Waker::noop());
        assert!(ending.as_mut().poll(&mut cx).is_pending());
        assert!(stream.handle().is_none(), "later ones are refused");
        drop(first);
        assert!(ending.as_mut().poll(&mut cx).is_pending());
        stream.message(b"answer");
        drop(second);
        assert!(ending.as_mut().poll(&mut cx).is_ready());
        let read = stream.poll_next(&mut cx);
        assert!(matches!(read, Poll::Ready(Some((bytes, _))) if bytes.ends_with(b"answer\n\n")));
        assert!(matches!(stream.poll_next(&mut cx), Poll::Ready(None)));
    }
}
