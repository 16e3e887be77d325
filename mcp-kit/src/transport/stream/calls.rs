//! A connection's calls: accepts them, and answers each exactly once.

mod runners;

use std::sync::{Arc, MutexGuard, Weak};
use std::task::Waker;

use crate::support::lock::Lock;

use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::batch::{Batch, Kept};
use super::outgoing::Outgoing;
use super::reports::Reports;
use crate::call::{
    Answer, CallContext, CallKey, CallTable, Ended, NotAdmitted, Outbound, Peer, Pending, Refusal,
    Removed, Replaced, TableLimits, Ticked, Ticking,
};
use crate::protocol::{ErrorCode, RequestId, encode};
use crate::server::{Limits, Listener, ServerInner};

/// A connection's calls: those that wait, those that run, and the answers that
/// have not been sent yet.
pub(super) struct Calls {
    pub(super) server: Arc<ServerInner>,
    /// The connection, as the questions to its client know it.
    pub(super) peer: Peer,
    pub(super) runtime: Handle,
    /// The bytes that unfinished batches keep.
    pub(super) kept: Kept,
    /// Lock order: this, then `state`.
    pub(super) outgoing: Lock<Outgoing>,
    /// A reference to itself, for runners, which keep it alive.
    this: Weak<Self>,
    /// Wakes the connection while calls are open, in case no worker does.
    ticking: Ticking,
    state: Lock<State>,
}

#[derive(Default)]
struct State {
    /// Answers, each with its newline.
    out: Vec<u8>,
    /// Bytes that the connection has taken from `out` and not yet written.
    unwritten: usize,
    /// The total number of bytes taken from `out`.
    taken: u64,
    reports: Reports,
    /// Every call that has not been answered.
    calls: CallTable<Open>,
    /// The number of runners at work.
    runners: usize,
    /// The one runner that waits for more calls; others end when nothing is
    /// left.
    idle_runner: Option<Idle>,
    next_runner: u64,
    /// Calls started since the connection began.
    started: u64,
    /// `started` when [`Calls::relieve`] last looked.
    started_at_last_look: u64,
    connection: Option<Waker>,
    /// Whether answers arrived for which the connection was not woken.
    is_untold: bool,
    /// The server's permit of a call that has ended, for the next one that a runner
    /// takes. Most calls are quick: they get and release none themselves.
    spare: Option<OwnedSemaphorePermit>,
}

struct Open {
    call: Pending,
    task: Option<AbortHandle>,
    batch: Option<Arc<Batch>>,
}

struct Idle {
    runner: u64,
    waker: Waker,
}

/// Why a call was refused.
pub(super) enum Refused {
    /// Its id belongs to a call in flight.
    DuplicateId,
    /// No more calls can wait.
    Busy(Pending),
}

impl Calls {
    pub(super) fn new(server: Arc<ServerInner>, outgoing: Outgoing) -> Arc<Self> {
        let limits = TableLimits::from(&server.limits);
        Arc::new_cyclic(|this| Self {
            peer: Peer::new(),
            runtime: Handle::current(),
            kept: Kept::default(),
            outgoing: Lock::new(outgoing),
            this: Weak::clone(this),
            ticking: server.ticker.register(Weak::<Self>::clone(this)),
            server,
            state: Lock::new(State {
                calls: CallTable::new(limits),
                ..State::default()
            }),
        })
    }

    /// Accepts a call, which runs when there is room. Returns when it is due.
    pub(super) fn take(
        &self,
        call: Pending,
        batch: Option<&Arc<Batch>>,
    ) -> Result<Instant, Refused> {
        let due = self.queue(call, batch)?;
        self.ticking.start();
        Ok(due)
    }

    fn queue(&self, call: Pending, batch: Option<&Arc<Batch>>) -> Result<Instant, Refused> {
        let mut state = self.lock();
        let State { calls, reports, .. } = &mut *state;
        let place = match calls.admit(call.id(), call.size(), |id| reports.holds(id)) {
            Ok(place) => place,
            Err(NotAdmitted::DuplicateId) => {
                call.discard(ErrorCode::InvalidRequest);
                return Err(Refused::DuplicateId);
            }
            Err(NotAdmitted::Full | NotAdmitted::Closed) => return Err(Refused::Busy(call)),
        };
        call.context().set_serial(place.key().serial());
        let due = call.due(call.context().received_at());
        if let Some(batch) = batch {
            batch.expect_one();
        }
        let open = Open {
            call,
            task: None,
            batch: batch.cloned(),
        };
        place.fill(open, (), due);
        Ok(due)
    }

    /// Starts runners for waiting calls, as far as there is room.
    pub(super) fn start(&self) {
        let mut state = self.lock();
        self.keep_running(&mut state);
    }

    /// Replaces blocked runners: if none has started a call since the last look
    /// and some calls wait, another runner takes over. Called at each tick;
    /// returns whether calls are open.
    fn relieve(&self) -> bool {
        let mut state = self.lock();
        let is_held_up = state.started == state.started_at_last_look && state.runners > 0;
        state.started_at_last_look = state.started;
        // A blocked runner holds a call. A runner without one waits for a
        // thread, as another would; except for one, which may wait for a thread
        // that is blocked.
        let is_worth_it = state.runners <= state.calls.running() + 1;
        if is_held_up && is_worth_it && self.has_room(&state) {
            self.add_runner(&mut state);
        }
        state.has_open()
    }

    /// Cancels a call: its handler is dropped, and it gets no answer.
    pub(super) fn cancel(&self, id: &RequestId) {
        let (open, ended) = {
            let mut state = self.lock();
            let Some(Removed {
                key, call: open, ..
            }) = state.calls.cancel(id)
            else {
                return state.cancel_held(id);
            };
            state.reports.forget(key.serial());
            let ended = open.call.end();
            (open, ended)
        };
        open.abandon(ended);
        if let Some(answers) = open.batch.and_then(|batch| batch.add(b"")) {
            self.lock().push_line(&answers);
        }
    }

    /// Answers every call whose time has run out while its handler blocked its
    /// thread, or while it waited. Returns when the next one is due.
    pub(super) fn expire(&self, now: Instant) -> Option<Instant> {
        let expired = self.lock().calls.expire(now, |open| open.call.expire(now));
        self.refuse(expired, Refusal::TimedOut);
        self.lock().calls.next_due()
    }

    /// Answers every open call with a refusal, and cancels it.
    pub(super) fn refuse_all(&self, why: Refusal) {
        let all = self.lock().calls.give_up_all(|open| open.call.end());
        self.refuse(all, why);
    }

    /// Cancels every open call without an answer: the client is gone. Closes the
    /// output, since tasks and runners may keep this for longer.
    pub(super) fn close(&self) {
        let left = {
            let mut state = self.lock();
            let left = state.calls.close();
            if let Some(idle) = state.idle_runner.take() {
                state.runners += 1; // it counts itself out
                idle.waker.wake();
            }
            state.reports = Reports::default();
            left
        };
        for Removed { call: open, .. } in left {
            open.abandon(open.call.end());
        }
        self.outgoing.lock().close();
    }

    /// Answers calls that were taken out of the table with a refusal.
    fn refuse(&self, refused: Vec<(Removed<Open, ()>, Ended)>, why: Refusal) {
        // Observers are foreign code, so they do not run under the lock.
        for (
            Removed {
                key, call: open, ..
            },
            ended,
        ) in refused
        {
            if let Some(task) = &open.task {
                task.abort();
            }
            let answer = ended.refuse(why);
            self.lock().answer(key, &open, &answer.json);
        }
    }

    /// Appends an answer that was made elsewhere.
    pub(super) fn push_lines(&self, lines: &[u8]) {
        self.lock().out.extend_from_slice(lines);
    }

    /// Swaps the ready answers for `empty`, which has been written completely.
    /// Returns when a held answer will be ready.
    pub(super) fn swap_out(&self, empty: &mut Vec<u8>) -> Option<Instant> {
        let mut state = self.lock();
        let next = state.release();
        std::mem::swap(&mut state.out, empty);
        state.unwritten = empty.len();
        state.taken += empty.len() as u64;
        self.keep_running(&mut state);
        next
    }

    /// Records how much of the swapped-out answers is not written yet.
    pub(super) fn set_unwritten(&self, bytes: usize) {
        let mut state = self.lock();
        state.unwritten = bytes;
        self.keep_running(&mut state);
    }

    /// Registers the connection's task, to be woken when an answer is ready.
    pub(super) fn register(&self, waker: &Waker) {
        let mut state = self.lock();
        match &mut state.connection {
            Some(known) => known.clone_from(waker),
            unknown => *unknown = Some(waker.clone()),
        }
    }

    /// Whether the client has more unread answers than its limit, including
    /// those of unfinished batches.
    pub(super) fn is_unread(&self) -> bool {
        let most = self.server.limits.unread_bytes;
        self.kept.is_more_than(most) || self.lock().unread() > most
    }

    pub(super) fn has_output(&self) -> bool {
        let state = self.lock();
        !state.out.is_empty() || state.reports.holds_any()
    }

    /// Whether every answer has left.
    pub(super) fn has_written_all(&self) -> bool {
        let outgoing = self.outgoing.lock();
        outgoing.is_flushed() && !self.has_output()
    }

    /// Whether `id` belongs to a call in flight.
    pub(super) fn is_open(&self, id: &RequestId) -> bool {
        let state = self.lock();
        state.calls.contains(id) || state.reports.holds(id)
    }

    /// Records which task a call runs in now. One that was cancelled meanwhile
    /// is aborted.
    pub(super) fn runs_in(&self, key: CallKey, task: &AbortHandle) {
        match self.lock().calls.get_mut(key) {
            Some(open) => open.task = Some(task.clone()),
            None => task.abort(),
        }
    }

    /// Answers a call, unless it was cancelled or answered from outside. The
    /// connection is not woken: see [`tell`](Self::tell).
    pub(super) fn complete(&self, key: CallKey, answer: &mut Answer) {
        let ended = self.lock().complete(key, answer, &self.server.limits);
        drop(ended); // not under the lock
    }

    /// Answers a call whose task unwinds, with a reference.
    pub(super) fn lose(&self, key: CallKey) {
        let call = self.lock().calls.get_mut(key).map(|open| open.call.clone());
        if let Some(call) = call {
            let mut answer = match call.end() {
                Some(ended) => ended.refuse(Refusal::Lost),
                None => call.instead(Replaced::Lost),
            };
            self.complete(key, &mut answer);
        }
        self.tell();
    }

    /// Wakes the connection for answers that it does not know of.
    pub(super) fn tell(&self) {
        self.lock().tell();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    fn unread(&self) -> usize {
        self.out.len() + self.unwritten + self.reports.held_bytes()
    }

    fn has_open(&self) -> bool {
        !self.calls.is_empty() || self.reports.holds_any()
    }

    /// Forgets an answer that is held, if there is one.
    fn cancel_held(&mut self, id: &RequestId) {
        let batch = self.reports.cancel(id).and_then(|held| held.batch);
        if let Some(answers) = batch.and_then(|batch| batch.add(b"")) {
            self.push_line(&answers);
        }
    }

    /// See [`Calls::complete`]. Returns what is to be dropped after the lock is
    /// released.
    fn complete(
        &mut self,
        key: CallKey,
        answer: &mut Answer,
        limits: &Limits,
    ) -> Option<Removed<Open, ()>> {
        let removed = self.calls.finish(key)?;
        let open = &removed.call;
        if let Some(batch) = &open.batch
            && !batch.has_room_for(answer.json.len(), limits.unread_bytes)
        {
            *answer = open.call.instead(Replaced::BatchTooLarge);
        }
        self.answer(key, open, &answer.json);
        self.is_untold = true;
        Some(removed)
    }

    /// Answers a call that is no longer open, once its last report has left.
    fn answer(&mut self, key: CallKey, open: &Open, answer: &[u8]) {
        let Open { call, batch, .. } = open;
        let (id, serial) = (call.id(), key.serial());
        if !self.reports.hold(id, serial, batch.as_ref(), answer) {
            self.push_answer(batch.as_deref(), answer);
        }
    }

    /// Answers calls whose answers were held long enough, now that all taken
    /// bytes are written. Returns when there will be more.
    fn release(&mut self) -> Option<Instant> {
        let (due, next) = self.reports.release(self.taken);
        for held in due {
            self.push_answer(held.batch.as_deref(), &held.answer);
        }
        next
    }

    fn push_answer(&mut self, batch: Option<&Batch>, answer: &[u8]) {
        match batch {
            None => self.push_line(answer),
            Some(batch) => {
                if let Some(answers) = batch.add(answer) {
                    self.push_line(&answers);
                }
            }
        }
    }

    fn push_line(&mut self, line: &[u8]) {
        self.out.extend_from_slice(line);
        self.out.push(b'\n');
    }

    /// Wakes the connection if there is something that it does not know of.
    fn tell(&mut self) {
        if std::mem::take(&mut self.is_untold) {
            self.wake_connection();
        }
    }

    fn wake_connection(&self) {
        if let Some(connection) = &self.connection {
            connection.wake_by_ref();
        }
    }
}

impl Open {
    /// Cancels a call that gets no answer, unless it has already ended. This
    /// runs the observers, so it is not done under the lock.
    fn abandon(&self, ended: Option<Ended>) {
        if let Some(ended) = ended {
            ended.cancel();
        }
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Drops the progress of a call whose client reads slowly: the next report is
/// more recent.
impl Outbound for Calls {
    fn notify(&self, call: &CallContext, method: &str, params: &Value) {
        {
            let mut state = self.lock();
            let is_read = state.unread() <= self.server.limits.unread_bytes;
            if !is_read || state.calls.is_closed() || call.has_ended() {
                return;
            }
            encode::notification(&mut state.out, method, params);
            state.out.push(b'\n');
            if let Some(serial) = call.serial() {
                let end = state.taken + state.out.len() as u64;
                state.reports.add(serial, end);
            }
        }
        // Woken from here, the connection would be next on this worker, which the
        // handler may block.
        self.ticking.wake();
    }

    fn send(&self, json: &[u8]) -> bool {
        {
            let mut state = self.lock();
            let is_read = state.unread() <= self.server.limits.unread_bytes;
            if !is_read || state.calls.is_closed() {
                return false;
            }
            state.push_line(json);
        }
        self.ticking.wake();
        true
    }
}

impl Ticked for Calls {
    fn tick(&self) -> bool {
        let has_open = self.relieve();
        if has_open {
            self.wake();
        } else {
            self.lock().calls.shrink();
        }
        has_open
    }

    fn has_open(&self) -> bool {
        self.lock().has_open()
    }

    fn wake(&self) {
        self.lock().wake_connection();
    }
}

/// Wakes the connection, which takes what its client follows.
impl Listener for Calls {
    fn changed(&self) {
        // From outside of the runtime: a handler may have made the change, and
        // block its worker afterwards.
        self.ticking.wake();
    }
}
