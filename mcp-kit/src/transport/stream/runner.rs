//! Runs a connection's calls.
//!
//! Most calls end at their first poll. A *runner* is a task that takes waiting
//! calls one after the other and polls each once; one that is not ready moves
//! into a task of its own. So a quick call costs no spawn, and all answers of a
//! batch leave in one write, while nothing is ever polled by the task that
//! reads: a handler that blocks its thread holds up neither control messages
//! nor deadlines. If a runner is blocked, others take over
//! ([`Calls::relieve`]).
//!
//! A runner notifies the connection of its answers only at the end of a batch.
//! A task that is woken from a worker is the next one on that worker, and no
//! other can take it: if the runner's next handler blocked, the connection
//! would be stuck behind it. If it is not notified, the ticker can wake it
//! elsewhere.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::calls::Calls;
use crate::call::{CallKey, Pending, Refusal, Replaced, RunPermit, Running, Share};

/// A longer first poll is not quick: other runners help, and the answers so far
/// leave.
const SLOW_POLL: Duration = Duration::from_micros(200);

/// The longest batch of quick calls whose answers leave together.
const LONGEST_BATCH: Duration = Duration::from_millis(1);

/// A task that runs calls. If it unwinds, it is counted out and another takes
/// over.
pub(super) struct Runner {
    calls: Arc<Calls>,
    pub(super) name: u64,
    /// Whether it runs calls, as opposed to waiting for more.
    pub(super) at_work: bool,
}

impl Runner {
    /// A runner that goes to work at once.
    pub(super) fn new(calls: Arc<Calls>, name: u64) -> Self {
        Self {
            calls,
            name,
            at_work: true,
        }
    }

    pub(super) async fn run(mut self) {
        let calls = Arc::clone(&self.calls);
        let mut scratch = Vec::new();
        let mut batch_began = Instant::now();
        let mut poll_began = batch_began;
        while let Some((key, call)) = poll_fn(|cx| calls.poll_next(&mut self, cx)).await {
            // The clock is read once per call. A poll begins where the last one
            // ended; after a pause, where its message was read.
            let read = call.context().received_at().into_std();
            if read > poll_began {
                batch_began = read;
                poll_began = read;
            }
            run_once(&calls, key, call, &mut scratch).await;
            let now = Instant::now();
            let was_slow = now - poll_began > SLOW_POLL;
            poll_began = now;
            if was_slow {
                calls.help();
            }
            if was_slow || now - batch_began > LONGEST_BATCH {
                calls.tell();
                step_back().await;
                batch_began = Instant::now();
                poll_began = batch_began;
            }
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if self.at_work && std::thread::panicking() {
            self.calls.lose_runner();
        }
    }
}

/// A running call: if its task unwinds, the client is answered with a
/// reference.
struct Answered<'a> {
    calls: &'a Calls,
    key: CallKey,
    call: &'a Pending,
}

impl Drop for Answered<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let answer = match self.call.end() {
                Some(ended) => ended.refuse(Refusal::Lost),
                None => self.call.instead(Replaced::Lost),
            };
            self.calls.complete(self.key, self.call, answer);
            self.calls.tell();
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

/// Polls a call once. A call that is not ready moves into a task of its own.
async fn run_once(calls: &Arc<Calls>, key: CallKey, call: Pending, scratch: &mut Vec<u8>) {
    let share = calls.share();
    let Ok(server) = Arc::clone(calls.server.permits()).try_acquire_owned() else {
        return spawn_waiting(calls, key, call, share);
    };
    let permit = RunPermit::new(server, Some(share));
    let answered = Answered {
        calls,
        key,
        call: &call,
    };
    let Some(mut running) = call.run(Some(permit)) else {
        return; // it was cancelled or refused meanwhile
    };
    running = running.with_buffer(std::mem::take(scratch));
    match poll_fn(|cx| Poll::Ready(Pin::new(&mut running).poll(cx))).await {
        Poll::Ready(answer) => {
            drop(running);
            if let Some(answer) = answer {
                *scratch = calls.complete(key, &call, answer);
            }
        }
        Poll::Pending => {
            drop(answered);
            spawn_running(calls, key, call, running);
        }
    }
}

/// Gives a call that waits for something a task of its own.
fn spawn_running(calls: &Arc<Calls>, key: CallKey, call: Pending, running: Running) {
    let its_calls = Arc::clone(calls);
    let task = calls
        .runtime
        .spawn(async move { finish(&its_calls, key, &call, running).await });
    calls.runs_in(key, &task.abort_handle());
}

/// Moves a call into a task of its own, to wait because the server as a whole
/// is full.
fn spawn_waiting(calls: &Arc<Calls>, key: CallKey, call: Pending, share: Share) {
    let its_calls = Arc::clone(calls);
    let task = calls.runtime.spawn(async move {
        let permits = Arc::clone(its_calls.server.permits());
        let Ok(server) = permits.acquire_owned().await else {
            return; // the semaphore is never closed
        };
        if let Some(running) = call.run(Some(RunPermit::new(server, Some(share)))) {
            finish(&its_calls, key, &call, running).await;
        }
    });
    calls.runs_in(key, &task.abort_handle());
}

async fn finish(calls: &Calls, key: CallKey, call: &Pending, running: Running) {
    let _answered = Answered { calls, key, call };
    if let Some(answer) = running.await {
        calls.complete(key, call, answer);
        calls.tell();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::task::Context;

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
        let calls = Calls::new(Arc::clone(server.inner()));
        assert!(calls.take(call(&server, 1), None).is_ok());
        calls.count_runner();
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let mut runner = Runner::new(Arc::clone(&calls), u64::MAX);
            let mut cx = Context::from_waker(std::task::Waker::noop());
            let Poll::Ready(Some((key, call))) = calls.poll_next(&mut runner, &mut cx) else {
                panic!("a call waits");
            };
            let _share = calls.share();
            let _answered = Answered {
                calls: &calls,
                key,
                call: &call,
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
