//! The messages to the tasks of this process: read from the store by one task of the
//! runtime, while tasks run, and kept until the task that they are for receives them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::{POLL, Process, TaskStoreError, millis};
use crate::limits::Limits;
use crate::server::tasks::store::{StoredTask, TaskMessage};
use crate::support::lock::Lock;

/// How often the process reads its messages.
const PACE: Duration = Duration::from_millis(250);

/// The most messages that are read at once.
const MOST: usize = 100;

/// The most messages that wait for one task. It receives them at once, unless the
/// store keeps it waiting.
const MOST_WAITING: usize = 1_000;

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
#[derive(Default)]
pub(super) struct Inbox(Lock<Boxes>);

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
    messages: Lock<VecDeque<TaskMessage>>,
    filled: Notify,
    /// When the task has ended at the latest.
    until: Lock<Instant>,
}

impl Inbox {
    /// Reads messages to a task that this process runs, from now on.
    pub(super) fn open(process: &Arc<Process>, name: String, task: &StoredTask, lease: Duration) {
        let until = Instant::now() + task.keep_for().min(Limits::LONGEST_TIME);
        let mut boxes = process.inbox.0.lock();
        let mailbox = boxes.tasks.entry(name).or_insert_with(|| {
            Arc::new(Mailbox {
                messages: Lock::default(),
                filled: Notify::new(),
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
        self.0.lock().tasks.remove(name);
    }

    /// Waits for the next message to a task; without end if it does not run here.
    pub(super) async fn receive(&self, name: &str) -> TaskMessage {
        let mailbox = self.0.lock().tasks.get(name).cloned();
        let Some(mailbox) = mailbox else {
            return std::future::pending().await;
        };
        loop {
            // A message that comes before the wait leaves a permit.
            if let Some(message) = mailbox.messages.lock().pop_front() {
                return message;
            }
            mailbox.filled.notified().await;
        }
    }

    /// Whether tasks run. If not, the polling ends.
    fn is_used(&self) -> bool {
        let now = Instant::now();
        let mut boxes = self.0.lock();
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
            let mut boxes = self.0.lock();
            boxes.last = number.parse().unwrap_or(boxes.last);
            let Ok(Letter { to, message }) = serde_json::from_str(letter) else {
                continue;
            };
            let mailbox = boxes.tasks.get(&to).cloned();
            drop(boxes);
            let Some(mailbox) = mailbox else { continue };
            let mut messages = mailbox.messages.lock();
            if messages.len() < MOST_WAITING {
                messages.push_back(message);
            }
            drop(messages);
            mailbox.filled.notify_one();
        }
        texts.len() == MOST
    }
}

/// The task that polls. Another one can begin if the runtime drops it.
struct Polling(Weak<Process>);

impl Drop for Polling {
    fn drop(&mut self) {
        if let Some(process) = self.0.upgrade() {
            process.inbox.0.lock().is_polled = false;
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
        let last = self.inbox.0.lock().last;
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
