//! The client's end of the connection: two tasks, one of which writes lines
//! while the other reads them and hands each to whom it is for.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, split,
};
use tokio::sync::{Notify, mpsc, oneshot};

use super::call::{Request, cancelled_request};
use crate::context::Principal;
use crate::server::Server;
use crate::transport::memory;

pub(super) struct Link {
    /// `None` once the client sends nothing more.
    lines: Mutex<Option<mpsc::UnboundedSender<Vec<u8>>>>,
    next_id: AtomicU64,
    inbox: Arc<Inbox>,
}

/// What has come and was not taken yet.
#[derive(Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// Requests that have no answer yet.
    open: HashMap<u64, Open>,
    /// What answers no request of this client.
    others: VecDeque<Value>,
    has_ended: bool,
}

struct Open {
    answer: oneshot::Sender<Answer>,
    progress: Vec<Value>,
}

/// An answer, and the progress that came before it.
pub(super) struct Answer {
    pub(super) message: Value,
    pub(super) progress: Vec<Value>,
}

impl Link {
    pub(super) fn open(server: &Server, principal: Option<Principal>) -> Self {
        let (stream, serving) = memory::connect(server, principal);
        let (input, output) = split(stream);
        let (lines, queue) = mpsc::unbounded_channel();
        let inbox = Arc::new(Inbox::default());
        tokio::spawn(write_lines(queue, output));
        let reading = Arc::clone(&inbox);
        tokio::spawn(async move {
            reading.read(input).await;
            let _ = serving.await; // how it ended is in what it wrote
            reading.end();
        });
        Self {
            lines: Mutex::new(Some(lines)),
            next_id: AtomicU64::new(1),
            inbox,
        }
    }

    pub(super) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn request(&self, id: u64, method: &str, params: &str) -> Request {
        let (sender, answer) = oneshot::channel();
        let mut state = self.inbox.lock();
        // After the end nothing would answer.
        if !state.has_ended {
            let open = Open {
                answer: sender,
                progress: Vec::new(),
            };
            state.open.insert(id, open);
        }
        drop(state);
        let method = Value::from(method);
        self.write(format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":{method},"params":{params}}}"#
        ));
        let lines = lock(&self.lines).clone();
        Request::new(id, answer, lines)
    }

    /// Sends a line. One that comes after the end is lost, as on a pipe.
    pub(super) fn write(&self, line: impl Into<Vec<u8>>) {
        if let Some(lines) = &*lock(&self.lines) {
            let _ = lines.send(line.into());
        }
    }

    pub(super) async fn next_message(&self) -> Option<Value> {
        self.inbox
            .wait(|state| match state.others.pop_front() {
                Some(message) => Some(Some(message)),
                None => state.has_ended.then_some(None),
            })
            .await
    }

    pub(super) async fn close(&self) {
        lock(&self.lines).take();
        self.inbox.wait(|state| state.has_ended.then_some(())).await;
    }
}

impl Inbox {
    async fn read(&self, input: impl AsyncRead + Unpin) {
        let mut lines = BufReader::new(input).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            match serde_json::from_str(&line) {
                Ok(message) => self.take(message),
                // Never seen from a server that keeps the protocol; a test
                // should see it.
                Err(_) => self.take(Value::String(line)),
            }
        }
    }

    fn take(&self, message: Value) {
        let mut state = self.lock();
        if let Some(id) = cancelled_request(&message) {
            if let Some(open) = state.open.remove(&id) {
                let _ = open.answer.send(Answer {
                    message: Value::Null,
                    progress: open.progress,
                });
            }
            return;
        }
        let answered = message.get("id").and_then(Value::as_u64);
        if let Some(open) = answered.and_then(|id| state.open.remove(&id)) {
            let _ = open.answer.send(Answer {
                message,
                progress: open.progress,
            });
            return;
        }
        if message["method"] == "notifications/progress"
            && let Some(token) = message["params"]["progressToken"].as_u64()
            && let Some(open) = state.open.get_mut(&token)
        {
            open.progress.push(message["params"].clone());
            return;
        }
        state.others.push_back(message);
        drop(state);
        self.changed.notify_waiters();
    }

    fn end(&self) {
        let mut state = self.lock();
        state.has_ended = true;
        state.open.clear();
        drop(state);
        self.changed.notify_waiters();
    }

    async fn wait<T>(&self, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before the look, so that a change in between is not
            // missed.
            changed.as_mut().enable();
            if let Some(found) = look(&mut self.lock()) {
                return found;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

async fn write_lines(
    mut lines: mpsc::UnboundedReceiver<Vec<u8>>,
    mut output: impl AsyncWrite + Unpin,
) {
    while let Some(mut line) = lines.recv().await {
        line.push(b'\n');
        if output.write_all(&line).await.is_err() {
            return;
        }
    }
    let _ = output.shutdown().await; // the server may have ended already
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
