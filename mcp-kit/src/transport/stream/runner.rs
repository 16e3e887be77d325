//! Runs a connection's calls.
//!
//! Most calls end at their first poll. A *runner* is a task that takes waiting
//! calls one after the other and polls each once; one that is not ready moves
//! into a task of its own. So a quick call costs no spawn, and the answers of a
//! run leave together, while nothing is ever polled by the task that
//! reads: a handler that blocks its thread holds up neither control messages
//! nor deadlines. If a runner is blocked, others take over
//! ([`Calls::relieve`]).
//!
//! The answers of a long run leave in two or more writes, so that the client
//! works on the first ones while the server runs the rest. Over stdio the runner
//! makes the early writes itself, between two calls and without waiting for the
//! client.
//!
//! A runner notifies the connection of its answers only at the end of a run.
//! A task that is woken from a worker is the next one on that worker, and no
//! other can take it: if the runner's next handler blocked, the connection
//! would be stuck behind it. If it is not notified, the ticker can wake it
//! elsewhere.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;

use super::calls::Calls;
use crate::call::{Answer, CallKey, Pending, RunPermit, Running, Share};
use crate::support::task::spawn_on;

/// A longer first poll is not quick: other runners help, and the answers so far
/// leave.
const SLOW_POLL: Duration = Duration::from_micros(200);

/// The longest run of quick calls whose answers leave together.
const LONGEST_RUN: Duration = Duration::from_millis(1);

/// The fewest answers that leave before their run has ended. Reading them and
/// writing new requests takes the client about as long as the calls that are left
/// then take here, so neither waits for the other.
const EARLY_ANSWERS: usize = 24;

/// The fewest calls that are left then. For fewer, a second write costs more than
/// it saves.
const EARLY_REST: usize = 16;

/// The longest time for which an answer waits for those of the calls behind it.
const LONGEST_WAIT: Duration = Duration::from_micros(100);

/// A buffer for one answer that grew above this size is freed.
const KEPT_BUFFER: usize = 64 * 1024;

/// A task that runs calls. If it unwinds, it is counted out and another takes
/// over.
pub(super) struct Runner {
    calls: Arc<Calls>,
    pub(super) name: u64,
    /// Whether it runs calls, as opposed to waiting for more.
    pub(super) at_work: bool,
    /// The answer of the last call, until the next one is taken.
    pub(super) done: Option<(CallKey, Answer)>,
    /// How many calls of the run have ended since answers were last written.
    pub(super) unwritten: usize,
    /// When the first of them ended.
    first_ended_at: Instant,
    /// An empty buffer for the next answer.
    buffer: Vec<u8>,
}

/// A call that a runner has taken.
pub(super) struct Taken {
    pub(super) key: CallKey,
    pub(super) call: Pending,
    /// A permit of the server for it, if there is one at hand.
    pub(super) server: Option<OwnedSemaphorePermit>,
    /// How many calls wait behind it.
    pub(super) waiting: usize,
}

impl Runner {
    /// A runner that goes to work at once.
    pub(super) fn new(calls: Arc<Calls>, name: u64) -> Self {
        Self {
            calls,
            name,
            at_work: true,
            unwritten: 0,
            first_ended_at: Instant::now(),
            done: None,
            buffer: Vec::new(),
        }
    }

    pub(super) async fn run(mut self) {
        let calls = Arc::clone(&self.calls);
        let mut run_began = Instant::now();
        let mut poll_began = run_began;
        while let Some(taken) = poll_fn(|cx| calls.poll_next(&mut self, cx)).await {
            // The clock is read once per call, when it ends. A poll begins where
            // the last one ended; after a pause, where its message was read.
            let read = taken.call.context().received_at().into_std();
            if read > poll_began {
                run_began = read;
                poll_began = read;
            }
            let waiting = taken.waiting;
            self.run_once(taken).await;
            let ended_at = (self.done.as_ref()).and_then(|(_, answer)| answer.ended_at);
            let now = ended_at.map_or_else(Instant::now, |ended_at| ended_at.into_std());
            let was_slow = now - poll_began > SLOW_POLL;
            poll_began = now;
            if was_slow || now - run_began > LONGEST_RUN {
                self.hand_over();
                if was_slow {
                    calls.help();
                }
                calls.tell();
                step_back().await;
                self.unwritten = 0;
                run_began = Instant::now();
                poll_began = run_began;
            } else if self.is_write_due(waiting, now) {
                self.hand_over();
                if !calls.write_ready() {
                    calls.tell();
                    step_back().await;
                }
                self.unwritten = 0;
                poll_began = Instant::now();
            }
        }
    }

    /// Counts a call that ended by `now`; returns whether the answers so far leave
    /// while the calls that wait run.
    fn is_write_due(&mut self, waiting: usize, now: Instant) -> bool {
        if self.unwritten == 0 {
            self.first_ended_at = now;
        }
        self.unwritten += 1;
        let is_half = self.unwritten >= EARLY_ANSWERS.max(waiting) && waiting >= EARLY_REST;
        is_half || (waiting > 0 && now - self.first_ended_at > LONGEST_WAIT)
    }

    /// Polls a call once. A call that is not ready moves into a task of its own.
    async fn run_once(&mut self, taken: Taken) {
        let Taken {
            key, call, server, ..
        } = taken;
        let calls = &self.calls;
        let share = Share::of(Arc::clone(calls) as _);
        let server = match server {
            Some(server) => server,
            None => match Arc::clone(calls.server.permits()).try_acquire_owned() {
                Ok(server) => server,
                Err(_) => return spawn_waiting(calls, key, call, share),
            },
        };
        let answered = Answered { calls, key };
        let Some(mut running) = call.run(Some(RunPermit::new(server, Some(share)))) else {
            return; // it was cancelled or refused meanwhile
        };
        running.write_into(std::mem::take(&mut self.buffer));
        match poll_fn(|cx| Poll::Ready(Pin::new(&mut running).poll(cx))).await {
            Poll::Ready(answer) => self.done = answer.map(|answer| (key, answer)),
            Poll::Pending => {
                drop(answered);
                spawn_running(calls, key, running);
            }
        }
    }

    /// Answers the last call before the next one is taken.
    fn hand_over(&mut self) {
        if let Some((key, mut answer)) = self.done.take() {
            self.calls.complete(key, &mut answer);
            self.reuse(answer);
        }
    }

    /// Keeps the buffer of an answer that was sent.
    pub(super) fn reuse(&mut self, answer: Answer) {
        self.buffer = answer.json;
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BUFFER);
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if self.at_work && std::thread::panicking() {
            self.hand_over();
            self.calls.lose_runner();
        }
    }
}

/// A running call: if its task unwinds, the client is answered with a
/// reference.
struct Answered<'a> {
    calls: &'a Calls,
    key: CallKey,
}

impl Drop for Answered<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.calls.lose(self.key);
        }
    }
}

/// Lets other tasks have the worker. Unlike `tokio::task::yield_now`, which
/// keeps the task for this worker, it lets another worker take it: the next
/// task may block this one.
async fn step_back() {
    let mut has_waited = false;
    poll_fn(|cx| {
        if has_waited {
            return Poll::Ready(());
        }
        has_waited = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Gives a call that waits for something a task of its own.
fn spawn_running(calls: &Arc<Calls>, key: CallKey, running: Running) {
    let its_calls = Arc::clone(calls);
    let task = spawn_on(&calls.runtime, async move {
        finish(&its_calls, key, running).await;
    });
    calls.runs_in(key, &task.abort_handle());
}

/// Moves a call into a task of its own, to wait because the server as a whole
/// is full.
fn spawn_waiting(calls: &Arc<Calls>, key: CallKey, call: Pending, share: Share) {
    let its_calls = Arc::clone(calls);
    let task = spawn_on(&calls.runtime, async move {
        let permits = Arc::clone(its_calls.server.permits());
        let Ok(server) = permits.acquire_owned().await else {
            return; // the semaphore is never closed
        };
        if let Some(running) = call.run(Some(RunPermit::new(server, Some(share)))) {
            finish(&its_calls, key, running).await;
        }
    });
    calls.runs_in(key, &task.abort_handle());
}

async fn finish(calls: &Calls, key: CallKey, running: Running) {
    let _answered = Answered { calls, key };
    if let Some(mut answer) = running.await {
        calls.complete(key, &mut answer);
        calls.tell();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::task::Context;

    use super::super::outgoing::Outgoing;
    use super::*;
    use crate::call::{Error, Origin, RequestSource};
    use crate::protocol::message::{Frame, Message, decode};
    use crate::server::{EnteredMessages, Routed, Server, Session};
    use crate::tool::{ToolDefinition, from_fn};

    fn call(server: &Server, id: u8) -> Pending {
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"ping","_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
        );
        let Frame::One(Ok(Message::Request(request))) = decode(line.as_bytes(), 1) else {
            panic!("a request");
        };
        let mut session = Session {
            principal: server.inner().local.clone(),
            version: None,
            client: None,
            log_level: None,
            origin: Origin::default(),
            source: RequestSource::default(),
            has_stream: true,
            follows: None,
            entered: EnteredMessages::default(),
            read_at: tokio::time::Instant::now(),
        };
        let inner = server.inner();
        match inner.request(&mut session, &request, &mut Vec::new()) {
            Routed::Run(call) => call,
            _ => panic!("a call"),
        }
    }

    fn answers(calls: &Calls) -> String {
        let mut out = Vec::new();
        calls.swap_out(&mut out);
        calls.set_unwritten(0);
        String::from_utf8(out).unwrap()
    }

    /// No known code of a tool's author unwinds here: this is for unforeseen
    /// cases.
    #[tokio::test]
    async fn a_runner_that_unwinds_is_counted_out_and_its_call_is_answered() {
        let tool = from_fn(ToolDefinition::new("ping", "Answers."), async |_| {
            Ok::<_, Error>("pong")
        });
        let server = Server::builder("test", "1").add(tool);
        let server = server.build().unwrap();
        let outgoing = Outgoing::new(Box::new(tokio::io::sink()), false, Vec::new());
        let calls = Calls::new(Arc::clone(server.inner()), outgoing);
        assert!(calls.take(call(&server, 1), None).is_ok());
        calls.count_runner();
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let mut runner = Runner::new(Arc::clone(&calls), u64::MAX);
            let mut cx = Context::from_waker(std::task::Waker::noop());
            let Poll::Ready(Some(taken)) = calls.poll_next(&mut runner, &mut cx) else {
                panic!("a call waits");
            };
            let _share = Share::of(Arc::clone(&calls) as _);
            let _answered = Answered {
                calls: &calls,
                key: taken.key,
            };
            panic!("the runner unwinds");
        }));
        assert!(unwound.is_err());
        let lost = answers(&calls);
        assert!(lost.contains(r#""id":1"#), "{lost}");
        assert!(lost.contains("An internal error occurred"), "{lost}");
        assert!(calls.take(call(&server, 2), None).is_ok());
        calls.start();
        while !calls.has_output() {
            tokio::task::yield_now().await;
        }
        let answer = answers(&calls);
        assert!(
            answer.contains("pong") && answer.contains(r#""id":2"#),
            "{answer}"
        );
    }
}
