//! A task that this process runs: its status, and its open questions.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify, oneshot};
use tokio::time::{Instant, timeout};

use super::document::{Document, InputRequest, InputRequests, POLL_INTERVAL, iso8601, millis};
use super::store::{StoredTask, TaskKey, TaskMessage, TaskStore, TaskStoreError};
use crate::call::{Concluded, Error, ErrorKind, Question, readable};
use crate::protocol::params::each_member;
use crate::server::subscriptions::Feed;
use crate::support::json::Members as _;
use crate::support::lock::Lock;

/// The longest status message, in bytes.
const LONGEST_MESSAGE: usize = 1_024;

/// A task.
pub(in crate::server) struct Task {
    pub(super) key: TaskKey,
    /// The scopes of its tool.
    scopes: Vec<String>,
    /// Its caller, as limits identify it.
    limit_key: Arc<[u8]>,
    created_at: SystemTime,
    created: Instant,
    limits: TaskLimits,
    state: Lock<State>,
    /// There is a change to publish.
    pub(super) changed: Notify,
    /// The clients that follow it.
    followers: Lock<Vec<Weak<Feed>>>,
    /// The task has ended from outside: what still runs must stop.
    pub(super) stopped: Notify,
    /// Held while a state is written, so that no older one is written after it.
    publishing: Mutex<()>,
}

/// The limits of a task.
pub(super) struct TaskLimits {
    /// How long it may run.
    pub(super) time: Duration,
    /// How long it is kept once it has ended.
    pub(super) kept: Duration,
    /// How long it waits for the answer to a question.
    pub(super) question_time: Duration,
    /// How often it may ask.
    pub(super) questions: usize,
}

struct State {
    end: Option<End>,
    message: Option<String>,
    updated: SystemTime,
    /// In the order in which they were asked.
    questions: Vec<OpenQuestion>,
    /// The keys of all questions so far. None is used twice.
    keys: HashSet<String>,
}

/// How a task has ended.
pub(super) enum End {
    With(Concluded),
    Cancelled,
}

struct OpenQuestion {
    key: String,
    question: Question,
    answer: oneshot::Sender<Box<RawValue>>,
}

impl Task {
    pub(super) fn new(
        key: TaskKey,
        scopes: Vec<String>,
        limit_key: Arc<[u8]>,
        limits: TaskLimits,
    ) -> Self {
        let now = SystemTime::now();
        Self {
            key,
            scopes,
            limit_key,
            created_at: now,
            created: Instant::now(),
            limits,
            state: Lock::new(State {
                end: None,
                message: None,
                updated: now,
                questions: Vec::new(),
                keys: HashSet::new(),
            }),
            changed: Notify::new(),
            followers: Lock::default(),
            stopped: Notify::new(),
            publishing: Mutex::new(()),
        }
    }

    /// Returns its present state.
    pub(super) fn stored(&self) -> StoredTask {
        let state = self.state.lock();
        let age = self.created.elapsed();
        let is_finished = state.end.is_some();
        let keep_for = match is_finished {
            true => self.limits.kept,
            false => self.limits.time.saturating_sub(age) + self.limits.kept,
        };
        let (result, error) = match &state.end {
            Some(End::With(Concluded::Completed(result))) => (Some(&**result), None),
            Some(End::With(Concluded::Failed(error))) => (None, Some(&**error)),
            _ => (None, None),
        };
        let questions = state.questions.iter();
        let document = Document {
            task_id: self.key.id(),
            status: state.status(),
            status_message: state.message.as_deref(),
            created_at: iso8601(self.created_at),
            last_updated_at: iso8601(state.updated),
            ttl_ms: millis(age + keep_for),
            poll_interval_ms: millis(POLL_INTERVAL),
            input_requests: (!is_finished && !state.questions.is_empty()).then(|| {
                questions
                    .map(OpenQuestion::shown)
                    .collect::<InputRequests<'_>>()
            }),
            result,
            error,
        };
        StoredTask::new(
            document.to_json(),
            self.scopes.clone(),
            is_finished,
            keep_for,
            Arc::clone(&self.limit_key),
        )
    }

    /// Returns its caller, as limits identify it.
    pub(super) fn limit_key(&self) -> &[u8] {
        &self.limit_key
    }

    /// Returns until when a result is kept that ended `now`.
    pub(super) fn result_ends(&self, now: Instant) -> Instant {
        now + self.limits.kept
    }

    /// Returns when the store forgets a state that says that it runs.
    pub(super) fn forgotten_at(&self) -> Instant {
        self.created + self.limits.time + self.limits.kept
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state.lock().end.is_some()
    }

    /// Writes its present state.
    pub(super) async fn publish(&self, store: &dyn TaskStore) -> Result<(), TaskStoreError> {
        let _one_at_a_time = self.publishing.lock().await;
        store.put(&self.key, self.stored()).await
    }

    /// Notifies a client of changes, from now on.
    pub(in crate::server) fn follow(&self, feed: &Weak<Feed>) {
        let mut followers = self.followers.lock();
        followers.retain(|one| one.strong_count() > 0 && !one.ptr_eq(feed));
        followers.push(Weak::clone(feed));
    }

    /// It has changed. Called under no lock.
    fn notify(&self) {
        self.changed.notify_one();
        let followers = self.followers.lock().clone();
        for feed in followers.iter().filter_map(Weak::upgrade) {
            feed.task_changed(&self.key);
        }
    }

    /// Ends it, unless it has already ended.
    pub(super) fn end(&self, end: End) -> bool {
        let open = {
            let mut state = self.state.lock();
            if state.end.is_some() {
                return false;
            }
            state.message = match &end {
                End::With(Concluded::Failed(error)) => message_of(error),
                _ => None,
            };
            state.end = Some(end);
            state.updated = SystemTime::now();
            std::mem::take(&mut state.questions)
        };
        drop(open); // outside of the lock: it wakes the handler
        self.stopped.notify_one();
        self.notify();
        true
    }

    /// Replaces a result that cannot be stored; returns whether there was one.
    pub(super) fn replace_result(&self) -> bool {
        let error = json!({
            "code": -32603,
            "message": "The result could not be stored. Call the tool again.",
        });
        let Ok(error) = to_raw_value(&error) else {
            return false;
        };
        {
            let mut state = self.state.lock();
            if !matches!(state.end, Some(End::With(Concluded::Completed(_)))) {
                return false;
            }
            state.message = message_of(&error);
            state.end = Some(End::With(Concluded::Failed(error)));
            state.updated = SystemTime::now();
        }
        self.notify();
        true
    }

    /// Replaces the status message.
    pub(super) fn report(&self, message: &str) {
        {
            let mut state = self.state.lock();
            if state.end.is_some() {
                return;
            }
            let end = message.floor_char_boundary(LONGEST_MESSAGE);
            state.message = Some(message[..end].to_owned());
            state.updated = SystemTime::now();
        }
        self.notify();
    }

    /// Handles what its client has sent.
    pub(super) fn receive(&self, message: &TaskMessage) {
        match message {
            TaskMessage::Answers(answers) => self.answer(answers),
            TaskMessage::Cancel => {
                self.end(End::Cancelled);
            }
        }
    }

    /// Takes answers to open questions. Others are ignored.
    fn answer(&self, answers: &RawValue) {
        let open = self.state.lock().open_keys();
        if open.is_empty() {
            return;
        }
        // Of a repeated key the last answer counts, as in a round.
        let mut known = vec![None; open.len()];
        let is_object = each_member(answers.get(), &mut |key, answer| {
            if let Some(at) = open.iter().position(|open| *open == key) {
                known[at] = Some(answer);
            }
        });
        if !is_object {
            return;
        }
        let known = open.into_iter().zip(known);
        let known = known.filter_map(|(key, answer)| Some((key, answer?)));
        let mut answered = Vec::new();
        {
            let mut state = self.state.lock();
            for (key, answer) in known {
                if let Some(at) = state.questions.iter().position(|open| open.key == key) {
                    answered.push((state.questions.remove(at), answer.to_owned()));
                    state.updated = SystemTime::now();
                }
            }
        }
        let is_changed = !answered.is_empty();
        for (open, answer) in answered {
            let _ = open.answer.send(answer);
        }
        if is_changed {
            self.notify();
        }
    }

    /// Asks the client, and waits for its answer.
    pub(super) async fn ask(self: Arc<Self>, question: Question) -> Result<Box<RawValue>, Error> {
        let (sender, answer) = oneshot::channel();
        let key = {
            let mut state = self.state.lock();
            if state.end.is_some() {
                return Err(ended());
            }
            if state.keys.len() >= self.limits.questions {
                return Err(Error::refusal(
                    ErrorKind::Busy,
                    format!(
                        "The task asked its client more than {} questions.",
                        self.limits.questions
                    ),
                ));
            }
            let key = state.new_key(question.key.as_deref());
            state.questions.push(OpenQuestion {
                key: key.clone(),
                question,
                answer: sender,
            });
            state.updated = SystemTime::now();
            key
        };
        self.notify();
        let _withdrawn = Withdrawn { task: &self, key };
        let time = self.limits.question_time;
        match timeout(time, answer).await {
            Ok(answer) => answer.map_err(|_| ended()),
            Err(_) => Err(Error::refusal(
                ErrorKind::Timeout,
                format!(
                    "The client did not answer a question within {}.",
                    readable(time)
                ),
            )),
        }
    }
}

impl OpenQuestion {
    fn shown(&self) -> (&str, InputRequest<'_>) {
        let Question { method, params, .. } = &self.question;
        (&self.key, InputRequest { method, params })
    }
}

impl State {
    /// Returns a key that no other question of the task has had: the one that the
    /// handler has chosen, if that is possible.
    fn new_key(&mut self, chosen: Option<&str>) -> String {
        let stem = chosen.unwrap_or("question");
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let mut keys = std::iter::once(stem.to_owned()).chain(numbered);
        let is_new = |key: &String| self.keys.insert(key.clone());
        keys.find(is_new).unwrap_or_default()
    }

    /// Returns the keys of the open questions.
    fn open_keys(&self) -> Vec<String> {
        let open = self.questions.iter();
        open.map(|question| question.key.clone()).collect()
    }

    fn status(&self) -> &'static str {
        match &self.end {
            Some(End::With(Concluded::Completed(_))) => "completed",
            Some(End::With(Concluded::Failed(_))) => "failed",
            Some(End::Cancelled) => "cancelled",
            None if self.questions.is_empty() => "working",
            None => "input_required",
        }
    }
}

/// Withdraws a question when its handler no longer waits for it.
struct Withdrawn<'a> {
    task: &'a Task,
    key: String,
}

impl Drop for Withdrawn<'_> {
    fn drop(&mut self) {
        let withdrawn = {
            let mut state = self.task.state.lock();
            let at = (state.questions.iter()).position(|open| open.key == self.key);
            at.map(|at| state.questions.remove(at))
        };
        if withdrawn.is_some() {
            self.task.notify();
        }
    }
}

fn ended() -> Error {
    Error::internal("the task has ended")
}

/// Returns the message of a JSON-RPC error.
fn message_of(error: &RawValue) -> Option<String> {
    let error: Value = serde_json::from_str(error.get()).ok()?;
    Some(error.at("message").as_str()?.to_owned())
}
