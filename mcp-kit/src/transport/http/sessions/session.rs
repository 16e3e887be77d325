//! A session: the calls of one client, and the streams that it may resume.
//!
//! It allocates nothing before it is needed: an idle session is this struct.

mod guards;
mod launch;
mod replay;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, MutexGuard, OnceLock, Weak};
use std::time::Duration;

use crate::support::lock::Lock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

pub(crate) use guards::{InUse, Listening};

use super::batch::BatchReply;
use super::common::Common;
use super::id::SessionId;
use crate::call::Peer;
use crate::call::{CallKey, CallTable, NotAdmitted, Origin, Pending, TableLimits};
use crate::caller::Principal;
use crate::limits::ByteBudget;
use crate::observe::OpenSession;
use crate::protocol::{ClientDetails, ProtocolVersion, RequestId, SetLevel};
use crate::server::Feed;
use crate::transport::http::calls::call::{Call, Holds, Waiting as Awaited};
use crate::transport::http::calls::mcp::Mcp;
use crate::transport::http::calls::place::{Answer, Answers, Owner, Place};
use crate::transport::http::calls::response::{Exchange, NotResumed, Reader, StreamName};
use crate::transport::http::calls::sink::Sink;
use crate::transport::stream::Kept;

/// The limit of ended streams of one session that a client may still request.
const MOST_FINISHED: usize = 16;

/// How long a client may take to request the rest of a stream that has ended.
const COME_BACK: Duration = Duration::from_secs(5 * 60);

/// An open stream keeps its session for this multiple of the time that a
/// session may otherwise go unused.
const LISTENING: u64 = 48;

/// A client's session.
pub(crate) struct LegacySession {
    pub(super) id: SessionId,
    /// The name of the principal that opened it.
    pub(super) owner: Arc<str>,
    /// The identity that limits count that principal as.
    pub(super) counts_as: Arc<[u8]>,
    pub(crate) version: ProtocolVersion,
    /// The digest of the id, once a request has needed it.
    name: OnceLock<Arc<str>>,
    /// What the client sent in `initialize`, if this replica opened the
    /// session.
    client: OnceLock<Arc<ClientDetails>>,
    /// The level from which on the client receives log messages.
    pub(super) log_level: SetLevel,
    last_used: AtomicU64,
    /// Requests that are being handled.
    requests: AtomicUsize,
    /// The event bytes that are kept for the session.
    kept: AtomicUsize,
    common: Arc<Common>,
    /// A reference to itself, for the calls that wait.
    this: Weak<Self>,
    /// What the client follows, once it may be notified.
    feed: OnceLock<Arc<Feed>>,
    /// The stream that receives all answers, if there is one. The session ends
    /// with it.
    pub(super) sink: Option<Arc<dyn Sink>>,
    state: Lock<State>,
    _counted: OpenSession,
}

#[derive(Default)]
struct State {
    /// Every call that has not been answered. Handlers that block on after
    /// their call has ended also hold permits.
    calls: CallTable<Arc<Call>, Waiting>,
    /// The time by which all of them are answered, unless their clocks pause.
    busy_until: u64,
    /// Waiting calls are being started.
    is_launching: bool,
    /// Streams opened so far, counted from a random number, so that those of
    /// another replica have different numbers.
    streams: u64,
    /// Streams that have ended, in the order in which they ended.
    finished: VecDeque<Finished>,
    /// The stream that belongs to no request.
    standalone: Option<Arc<Exchange>>,
    /// The bytes that unfinished batches keep.
    batches: Option<Kept>,
}

/// The parts that start a waiting call.
struct Waiting {
    holds: Holds,
    runtime: Handle,
}

struct Finished {
    at: u64,
    exchange: Arc<Exchange>,
}

/// Why a call was refused.
pub(super) enum Unfit {
    /// Its id belongs to a call in flight.
    Duplicate(Pending),
    /// No more calls can wait.
    Busy(Pending),
    /// It would wait, and occupy a connection that others need.
    NoRoom(Pending),
    /// The session has ended meanwhile.
    Ended(Pending),
}

impl LegacySession {
    pub(super) fn new(
        id: SessionId,
        (owner, counts_as): (Arc<str>, Arc<[u8]>),
        version: ProtocolVersion,
        sink: Option<Arc<dyn Sink>>,
        common: &Arc<Common>,
        counted: OpenSession,
    ) -> Arc<Self> {
        let now = common.now();
        // The id could not have been made without randomness.
        let streams = u64::from(getrandom::u32().unwrap_or_default()) << 16;
        Arc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            id,
            owner,
            counts_as,
            version,
            name: OnceLock::new(),
            client: OnceLock::new(),
            log_level: SetLevel::default(),
            last_used: AtomicU64::new(now),
            requests: AtomicUsize::new(0),
            kept: AtomicUsize::new(0),
            common: Arc::clone(common),
            feed: OnceLock::new(),
            sink,
            state: Lock::new(State {
                calls: CallTable::new(TableLimits::from(&common.mcp.server.limits)),
                streams,
                ..State::default()
            }),
            _counted: counted,
        })
    }

    /// Counts a request of the session as being handled until the result is
    /// dropped.
    pub(super) fn enter(self: &Arc<Self>) -> InUse {
        self.requests.fetch_add(1, Ordering::AcqRel);
        InUse(Arc::clone(self))
    }

    /// Returns the digest of the id. The id itself is a secret: it opens the
    /// session.
    pub(super) fn name(&self) -> Arc<str> {
        let name = self.name.get_or_init(|| {
            let digest = Sha256::digest(self.id.text());
            URL_SAFE_NO_PAD.encode(&digest[..12]).into()
        });
        Arc::clone(name)
    }

    /// Returns the session as the questions to its client know it.
    pub(super) fn peer(&self) -> Peer {
        self.id.peer()
    }

    /// Returns what the client sent in `initialize`.
    pub(super) fn client(&self) -> Option<Arc<ClientDetails>> {
        self.client.get().cloned()
    }

    /// Stores what the client sent in `initialize`.
    pub(crate) fn set_client(&self, client: Option<Arc<ClientDetails>>) {
        if let Some(client) = client {
            let _ = self.client.set(client);
        }
    }

    /// Returns what the client follows.
    pub(super) fn feed(&self, principal: &Principal) -> &Arc<Feed> {
        let server = &self.common.mcp.server;
        (self.feed).get_or_init(|| {
            let feed = Feed::new(server, principal.clone());
            if let Some(sink) = &self.sink {
                sink.follow(&feed);
            }
            feed
        })
    }

    /// Returns what the client follows on a stream that it may replace; the one
    /// that receives all answers cannot be.
    pub(super) fn follows(&self) -> Option<Arc<Feed>> {
        let feed = self.feed.get().filter(|_| self.sink.is_none());
        feed.filter(|feed| feed.has_taken()).cloned()
    }

    /// Notifies the client of changes from now on: its handshake is complete.
    pub(super) fn initialized(&self, principal: &Principal) {
        self.feed(principal).add_legacy();
    }

    /// Returns the origin of a call, as traces record it.
    pub(super) fn traced(&self, origin: Origin) -> Origin {
        origin.in_session(|| self.name())
    }

    /// When a request of the session was last handled, or a call of it ended.
    pub(super) fn last_used(&self) -> u64 {
        self.last_used.load(Ordering::Relaxed)
    }

    /// Since when the session is idle: no request is being handled, no call is
    /// in flight, and no stream is open. Otherwise the error is the earliest
    /// time at which it may be idle, as far as that is known.
    pub(super) fn idle_since(&self, now: u64) -> Result<u64, u64> {
        if self.requests.load(Ordering::Acquire) > 0 {
            return Err(now);
        }
        let used = self.last_used();
        let state = self.lock();
        if !state.calls.is_empty() {
            Err(state.busy_until)
        } else if state.standalone.is_some() {
            Err(self.listens_until())
        } else {
            Ok(used)
        }
    }

    /// Whether the session has gone unused for longer than it may. One with a
    /// call in flight has not; an open stream, which may have no reader any
    /// more, counts as use for a while.
    pub(super) fn has_expired(&self, now: u64) -> bool {
        let unused = now.saturating_sub(self.last_used());
        if self.requests.load(Ordering::Acquire) > 0 || unused <= self.common.idle {
            return false;
        }
        let state = self.lock();
        state.calls.is_empty() && (state.standalone.is_none() || now > self.listens_until())
    }

    /// When the open stream no longer counts as use.
    fn listens_until(&self) -> u64 {
        let may_listen = self.common.idle.saturating_mul(LISTENING);
        self.last_used().saturating_add(may_listen)
    }

    /// Whether any of its calls or streams is open.
    pub(super) fn is_open(&self) -> bool {
        let state = self.lock();
        !state.calls.is_empty() || state.standalone.is_some()
    }

    /// Whether `id` belongs to a call in flight.
    pub(crate) fn has_call(&self, id: &RequestId) -> bool {
        self.lock().calls.contains(id)
    }

    /// Returns an exchange for a call, whose stream can be resumed.
    pub(super) fn exchange(self: &Arc<Self>) -> Arc<Exchange> {
        if let Some(sink) = &self.sink {
            return Exchange::into_sink(sink);
        }
        let number = {
            let mut state = self.lock();
            state.streams += 1;
            state.streams
        };
        let name = StreamName {
            number,
            is_primed: self.version >= ProtocolVersion::V2025_11_25,
            budget: Weak::<Self>::clone(&self.this),
        };
        Exchange::resumable(name)
    }

    /// Accepts a call, which runs when there is room.
    pub(super) fn take(
        self: &Arc<Self>,
        mcp: &Mcp,
        call: Pending,
        exchange: Arc<Exchange>,
        awaited: Awaited,
        batch: Option<&Arc<BatchReply>>,
    ) -> Result<Arc<Call>, Unfit> {
        let mut state = self.lock();
        let State {
            calls, busy_until, ..
        } = &mut *state;
        let was_idle = calls.is_empty();
        let entry = match calls.admit(call.id(), call.size(), |_| false) {
            Ok(entry) => entry,
            Err(NotAdmitted::Closed) => return Err(Unfit::Ended(call)),
            Err(NotAdmitted::DuplicateId) => return Err(Unfit::Duplicate(call)),
            Err(NotAdmitted::Full) => return Err(Unfit::Busy(call)),
        };
        let keeps_connection = batch.is_none() && self.sink.is_none();
        if entry.must_wait() && keeps_connection && mcp.edge.requests.is_half_full() {
            return Err(Unfit::NoRoom(call));
        }
        let place = Place::new(
            Arc::<Self>::clone(self),
            entry.key(),
            batch.map(|batch| Arc::<BatchReply>::clone(batch) as Arc<dyn Answers>),
        );
        if let Some(batch) = batch {
            batch.expect_one();
        }
        let (call, holds) = Call::prepare(mcp, call, exchange, awaited, Some(place));
        let due = call.pending().due(call.received_at());
        let until = self.common.at(due);
        *busy_until = if was_idle {
            until
        } else {
            until.max(*busy_until)
        };
        let runtime = Handle::current();
        let waiting = Waiting { holds, runtime };
        entry.fill(Arc::clone(&call), waiting, due);
        drop(state);
        self.launch();
        Ok(call)
    }

    /// Cancels a call: its handler is dropped, and it gets no answer.
    pub(super) fn cancel(&self, id: &RequestId) {
        let call = self.lock().calls.find(id).cloned();
        // This wakes the waiting task, so it is not done under the lock.
        if let Some(call) = call {
            call.cancel();
        }
    }

    /// The bytes that the session's unfinished batches keep.
    pub(super) fn batches(&self) -> Kept {
        self.lock().batches.get_or_insert_default().clone()
    }

    /// Opens the stream that belongs to no request, and replaces the one
    /// before.
    pub(super) fn listen(self: &Arc<Self>, principal: &Principal) -> Option<Listening> {
        let feed = self.feed(principal);
        let exchange = Exchange::following(feed);
        // Under one lock, so that of two streams that are opened at the same time the
        // one that stays is the one that is woken; and the one before takes nothing
        // any more once the other has begun to listen.
        let before = {
            let mut state = self.lock();
            if state.calls.is_closed() {
                return None;
            }
            let before = state.standalone.replace(Arc::clone(&exchange));
            if let Some(before) = &before {
                before.end();
            }
            exchange.listen(feed, principal.clone());
            before
        };
        drop(before);
        Some(Listening {
            session: Arc::clone(self),
            exchange,
        })
    }

    /// Returns the rest of the stream `number` after its event `last`.
    pub(super) fn resume(
        &self,
        (number, last): (u64, u64),
        unread: &Arc<ByteBudget>,
    ) -> Result<Reader, NotResumed> {
        let exchange = {
            let state = self.lock();
            let running = state.calls.calls().map(|call| &call.exchange);
            let finished = state.finished.iter().map(|finished| &finished.exchange);
            (running.chain(finished))
                .find(|exchange| exchange.stream_number() == Some(number))
                .cloned()
        };
        let exchange = exchange.ok_or(NotResumed::Forgotten)?;
        exchange.resume(last, unread)
    }

    /// Ends the stream that belongs to no request.
    pub(super) fn end_listening(&self) {
        let standalone = self.lock().standalone.take();
        if let Some(standalone) = standalone {
            standalone.end();
        }
    }

    /// Ends the session: cancels its calls and ends its streams.
    pub(crate) fn end(&self) {
        let (calls, finished) = {
            let mut state = self.lock();
            if state.calls.is_closed() {
                return;
            }
            (state.calls.close(), std::mem::take(&mut state.finished))
        };
        drop(finished);
        self.end_listening();
        for ended in calls {
            ended.call.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl Owner for LegacySession {
    fn settle(
        &self,
        call: &Call,
        key: CallKey,
        answer: Option<Answer>,
        batch: Option<&dyn Answers>,
    ) {
        if call.exchange.has_ended() {
            return;
        }
        let now = self.common.now();
        let left = {
            let mut state = self.lock();
            // Another task may have answered first.
            if call.exchange.has_ended() {
                return;
            }
            // The id is free before the client has the answer, and the stream
            // can be requested all along, so both happen under one lock.
            let is_stream = match (answer, batch) {
                (Some((json, _)), None) if !call.exchange.takes(json.len()) => {
                    call.exchange.answer(call.without_room(), None)
                }
                (Some((json, claim)), None) => call.exchange.answer(json, claim),
                (answer, batch) => {
                    call.exchange.end();
                    if let Some(batch) = batch {
                        batch.add(answer);
                    }
                    false
                }
            };
            let ended = state.calls.finish(key);
            if is_stream && let Some(ended) = &ended {
                state.finished.push_back(Finished {
                    at: now,
                    exchange: Arc::clone(&ended.call.exchange),
                });
            }
            state.calls.shrink();
            ended
        };
        drop(left);
        self.last_used.store(now, Ordering::Relaxed);
        let has_too_much = || {
            self.kept.load(Ordering::Relaxed) > self.common.replay
                || self.common.kept.load(Ordering::Relaxed) > self.common.replay_in_all
        };
        self.forget_while(|_, count| count > MOST_FINISHED || has_too_much());
        if (self.sink.as_ref()).is_some_and(|sink| sink.has_ended()) {
            self.end();
        }
    }
}

/// Releases what the session still counts for: exchanges that outlive it no
/// longer find it.
impl Drop for LegacySession {
    fn drop(&mut self) {
        let kept = *self.kept.get_mut();
        self.common.kept.fetch_sub(kept, Ordering::Relaxed);
    }
}
