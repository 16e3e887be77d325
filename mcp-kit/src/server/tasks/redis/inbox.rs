//! The messages to the tasks of this process: read from the store by one task of the
//! runtime, while tasks run, and kept until the task that they are for receives them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::{POLL, Process, TaskStoreError, millis};
use crate::limits::{CallerBudget, CallerClaim, Limits};
#[cfg(test)]
use crate::server::tasks::store::TaskKey;
use crate::server::tasks::store::{StoredTask, TaskMessage};
use crate::support::lock::Lock;

/// How often the process reads its messages.
const PACE: Duration = Duration::from_millis(250);

/// The most messages that are read at once.
const MOST: usize = 100;

/// The most messages that wait for one task. It receives them at once, unless the store
/// keeps it waiting.
const MOST_WAITING: usize = 256;

/// The most bytes of messages that wait for all tasks; for those of one caller, a quarter.
const MOST_WAITING_BYTES: usize = 64 << 20;

/// A message as the store has it.
#[derive(Serialize, Deserialize)]
struct Letter {
    /// The name of the task's key.
    to: String,
    message: TaskMessage,
}

pub(super) fn to_text(to: String, message: TaskMessage) -> String {
    serde_json::to_string(&Letter { to, message }).unwrap_or_default()
}

/// The messages to the tasks of this process.
pub(super) struct Inbox {
    boxes: Lock<Boxes>,
    waiting: Arc<CallerBudget>,
}

#[derive(Default)]
struct Boxes {
    /// By the names of the tasks' keys.
    tasks: HashMap<String, Arc<Mailbox>>,
    is_polled: bool,
    /// The number of the last message that was read.
    last: u64,
}

/// The messages to one task.
struct Mailbox {
    messages: Lock<Waiting>,
    filled: Notify,
    /// The caller of the task, as limits identify it.
    caller: Arc<[u8]>,
    /// When the task has ended at the latest.
    until: Lock<Instant>,
}

#[derive(Default)]
struct Waiting {
    /// The client has cancelled the task, which needs no other message then.
    is_cancelled: bool,
    others: VecDeque<(TaskMessage, CallerClaim)>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            boxes: Lock::default(),
            waiting: CallerBudget::new(MOST_WAITING_BYTES),
        }
    }
}

impl Inbox {
    /// Reads messages to a task that this process runs, from now on.
    pub(super) fn open(process: &Arc<Process>, name: String, task: &StoredTask, lease: Duration) {
        let until = Instant::now() + task.keep_for().min(Limits::LONGEST_TIME);
        let mut boxes = process.inbox.boxes.lock();
        let mailbox = boxes.tasks.entry(name).or_insert_with(|| {
            Arc::new(Mailbox {
                messages: Lock::default(),
                filled: Notify::new(),
                caller: task.limit_key().into(),
                until: Lock::new(until),
            })
        });
        *mailbox.until.lock() = until;
        let starts = !std::mem::replace(&mut boxes.is_polled, true);
        // A runtime that shuts down drops the new task at once, which takes the lock.
        drop(boxes);
        if starts {
            tokio::spawn(poll(Polling(Arc::downgrade(process)), lease));
        }
    }

    pub(super) fn close(&self, name: &str) {
        self.boxes.lock().tasks.remove(name);
    }

    /// Waits for the next message to a task; without end if it does not run here.
    pub(super) async fn receive(&self, name: &str) -> TaskMessage {
        let mailbox = self.boxes.lock().tasks.get(name).cloned();
        let Some(mailbox) = mailbox else {
            return std::future::pending().await;
        };
        loop {
            // A message that comes before the wait leaves a permit.
            if let Some(message) = mailbox.messages.lock().take() {
                return message;
            }
            mailbox.filled.notified().await;
        }
    }

    /// Opens the mailbox of a task, without reading messages.
    #[cfg(test)]
    pub(super) fn hold(process: &Arc<Process>, key: &TaskKey, task: &StoredTask) {
        process.inbox.boxes.lock().is_polled = true;
        Self::open(process, process.task(key), task, Duration::ZERO);
    }

    #[cfg(test)]
    pub(super) fn is_polled(&self) -> bool {
        self.boxes.lock().is_polled
    }

    #[cfg(test)]
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting.held()
    }

    /// Whether tasks run. If not, the polling ends.
    pub(super) fn is_used(&self) -> bool {
        let now = Instant::now();
        let mut boxes = self.boxes.lock();
        boxes.tasks.retain(|_, mailbox| *mailbox.until.lock() > now);
        boxes.is_polled = !boxes.tasks.is_empty();
        boxes.is_polled
    }

    /// Hands out what was read; returns whether there may be more.
    pub(super) fn deliver(&self, texts: &[String]) -> bool {
        for text in texts {
            let Some((number, letter)) = text.split_once(' ') else {
                continue;
            };
            let mut boxes = self.boxes.lock();
            boxes.last = number.parse().unwrap_or(boxes.last);
            let Ok(Letter { to, message }) = serde_json::from_str(letter) else {
                continue;
            };
            let mailbox = boxes.tasks.get(&to).cloned();
            drop(boxes);
            let Some(mailbox) = mailbox else { continue };
            mailbox.put(message, letter.len(), &self.waiting);
        }
        texts.len() == MOST
    }
}

impl Mailbox {
    /// Keeps a message of so many bytes until the task receives it. Answers without
    /// room are dropped: the questions stay open, and the client answers again. A
    /// cancellation always has room.
    fn put(&self, message: TaskMessage, bytes: usize, waiting: &Arc<CallerBudget>) {
        {
            let mut messages = self.messages.lock();
            if matches!(message, TaskMessage::Cancel) {
                messages.is_cancelled = true;
            } else if messages.others.len() < MOST_WAITING
                && let Some(held) = waiting.claim(&self.caller, bytes)
            {
                messages.others.push_back((message, held));
            } else {
                tracing::warn!(
                    target: "mcp_kit::tasks",
                    "answers to a task were dropped, because too many wait for it"
                );
                return;
            }
        }
        self.filled.notify_one();
    }
}

impl Waiting {
    fn take(&mut self) -> Option<TaskMessage> {
        if std::mem::take(&mut self.is_cancelled) {
            return Some(TaskMessage::Cancel);
        }
        self.others.pop_front().map(|(message, _)| message)
    }
}

/// The task that polls. Another one can begin if the runtime drops it.
struct Polling(Weak<Process>);

impl Drop for Polling {
    fn drop(&mut self) {
        if let Some(process) = self.0.upgrade() {
            process.inbox.boxes.lock().is_polled = false;
        }
    }
}

/// Reads messages, and renews the lease, as long as tasks run.
async fn poll(mut polling: Polling, lease: Duration) {
    loop {
        let Some(process) = polling.0.upgrade() else {
            return;
        };
        if !process.inbox.is_used() {
            // Another one may poll already, whose end is not this one.
            polling.0 = Weak::new();
            return;
        }
        let has_more = match process.read(lease).await {
            Ok(texts) => process.inbox.deliver(&texts),
            Err(_) => false,
        };
        drop(process);
        if !has_more {
            sleep(PACE).await;
        }
    }
}

impl Process {
    pub(super) async fn read(&self, lease: Duration) -> Result<Vec<String>, TaskStoreError> {
        let last = self.inbox.boxes.lock().last;
        let mut polling = POLL.key(self.of_this("lease"));
        polling
            .key(self.of_this("inbox"))
            .key(self.of_this("inbox-state"))
            .arg(millis(lease))
            .arg(last)
            .arg(MOST);
        self.ask(&polling).await
    }
}
