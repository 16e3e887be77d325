//! The runners of a connection: they take waiting calls, and start and end with
//! them.

use std::task::{Context, Poll, Waker};

use tokio::sync::OwnedSemaphorePermit;

use super::{Calls, Idle, State};
use crate::call::{ReturnPlace, ShareGiver};
use crate::support::task::spawn_on;
use crate::transport::stream::runner::{Runner, Taken};

impl Calls {
    pub(super) fn has_room(&self, state: &State) -> bool {
        state.calls.can_start() && state.unread() <= self.server.limits.unread_bytes
    }

    pub(super) fn keep_running(&self, state: &mut State) {
        if state.runners == 0 && self.has_room(state) {
            self.add_runner(state);
        }
    }

    pub(super) fn add_runner(&self, state: &mut State) {
        state.runners += 1;
        match state.idle_runner.take() {
            Some(idle) => idle.waker.wake(),
            None => {
                if let Some(calls) = self.this.upgrade() {
                    let runner = Runner::new(calls, state.next_runner);
                    state.next_runner += 1;
                    spawn_on(&self.runtime, runner.run());
                }
            }
        }
    }

    /// Answers the call that the runner has run, and returns the next waiting one,
    /// once one may start; `None` if another runner already waits, or no call will
    /// come.
    pub(in super::super) fn poll_next(
        &self,
        runner: &mut Runner,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Taken>> {
        // Declared before the lock, so that they are dropped after it is released.
        let _ended;
        let _spare;
        let mut state = self.lock();
        _ended = (runner.done.take()).and_then(|(key, mut answer)| {
            let ended = state.complete(key, &mut answer, &self.server.limits);
            runner.reuse(answer);
            ended
        });
        let is_closed = state.calls.is_closed();
        if !runner.at_work {
            match &mut state.idle_runner {
                // It was not called: a handler was polled here first, and its
                // task was woken since.
                Some(idle) if idle.runner == runner.name && !is_closed => {
                    idle.waker.clone_from(cx.waker());
                    return Poll::Pending;
                }
                _ => runner.at_work = true,
            }
        }
        if self.has_room(&state)
            && let Some((key, ())) = state.calls.start()
            && let Some(open) = state.calls.get_mut(key)
        {
            let call = open.call.clone();
            state.started += 1;
            return Poll::Ready(Some(Taken {
                key,
                call,
                server: state.spare.take(),
                waiting: state.calls.waiting(),
            }));
        }
        _spare = state.spare.take();
        state.runners -= 1;
        state.tell();
        if state.idle_runner.is_some() || is_closed {
            return Poll::Ready(None);
        }
        runner.at_work = false;
        runner.unwritten = 0;
        state.idle_runner = Some(Idle {
            runner: runner.name,
            waker: cx.waker().clone(),
        });
        Poll::Pending
    }

    /// Writes the answers that are ready, for a runner that has more calls to run;
    /// the rest is left to the connection. Returns false if only the connection may
    /// write.
    pub(in super::super) fn write_ready(&self) -> bool {
        let Some(mut outgoing) = self.outgoing.try_lock() else {
            return true; // the connection writes
        };
        if !outgoing.is_direct() {
            return false;
        }
        if !outgoing.is_written() {
            return true; // the client does not read
        }
        let connection = {
            let state = self.lock();
            // Held answers are released by the connection, which has the alarm.
            if state.out.is_empty() || state.reports.holds_any() {
                return true;
            }
            state.connection.clone()
        };
        if let Some(connection) = connection {
            outgoing.take(self);
            outgoing.write_for(self, &connection);
        }
        true
    }

    /// Starts another runner, if the last call was not quick and more wait.
    pub(in super::super) fn help(&self) {
        let mut state = self.lock();
        let most = self.runtime.metrics().num_workers();
        if state.runners < most && self.has_room(&state) {
            self.add_runner(&mut state);
        }
    }

    /// Handles the unwinding of a runner at work: it no longer counts, and
    /// another takes the waiting calls.
    pub(in super::super) fn lose_runner(&self) {
        let mut state = self.lock();
        state.runners -= 1;
        self.keep_running(&mut state);
        state.tell();
    }

    /// Counts a runner that a test made.
    #[cfg(test)]
    pub(in super::super) fn count_runner(&self) {
        self.lock().runners += 1;
    }
}

impl ShareGiver for Calls {
    fn given_back(&self, permit: Option<OwnedSemaphorePermit>) {
        // It belongs to others if some may wait for it.
        let is_plenty = self.server.permits().available_permits() > 0;
        let mut permit = permit.filter(|_| is_plenty);
        let returning = {
            let mut state = self.lock();
            let returning = state.calls.release();
            if state.spare.is_none() && state.runners > 0 && state.calls.can_start() {
                state.spare = permit.take();
            }
            self.keep_running(&mut state);
            returning
        };
        drop(permit);
        if let Some(returning) = returning {
            returning.wake();
        }
    }

    fn retake(&self, place: &mut Option<ReturnPlace>, waker: &Waker) -> bool {
        self.lock().calls.retake(place, waker)
    }

    fn leave(&self, place: ReturnPlace) {
        let returning = {
            let mut state = self.lock();
            let returning = state.calls.leave(place);
            self.keep_running(&mut state);
            returning
        };
        if let Some(returning) = returning {
            returning.wake();
        }
    }
}
