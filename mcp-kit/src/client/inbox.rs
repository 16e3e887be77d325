//! The messages that a client has received: answers and progress go to the
//! requests that wait for them, everything else waits to be taken.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, MutexGuard, OnceLock, Weak};

use crate::support::json::Members as _;
use crate::support::lock::Lock;

use serde_json::Value;
use tokio::sync::{Notify, mpsc, oneshot};

use super::Link;
use super::request::RequestError;
use super::subscription::SubscriptionFilter;
use crate::answers::Answers;

/// Shared by a client and the link that fills it.
#[derive(Default)]
pub(crate) struct Inbox {
    state: Lock<Received>,
    changed: Notify,
    /// Reads the forms that arrive, and answers the server's own requests.
    answers: OnceLock<Arc<dyn Answers>>,
    /// The link that sends the responses of a client of the legacy era.
    link: OnceLock<Weak<dyn Link>>,
}

#[derive(Default)]
struct Received {
    /// Requests that have no answer yet.
    open: HashMap<u64, Open>,
    /// Messages that are not the answer to a request of this client.
    others: VecDeque<Value>,
    followers: Vec<Follower>,
    has_ended: bool,
}

/// A subscription. Behind closures, so that a client without one has no code for filters.
struct Follower {
    /// The request that opened it; a legacy client has none.
    request: Option<u64>,
    accepts: Box<dyn Fn(&Value) -> bool + Send>,
    messages: mpsc::UnboundedSender<Value>,
}

struct Open {
    answer: oneshot::Sender<Result<Value, RequestError>>,
    progress: mpsc::UnboundedSender<Value>,
}

/// Receives the answer to one request, and the progress before it.
pub(super) struct Waiting {
    pub(super) answer: oneshot::Receiver<Result<Value, RequestError>>,
    pub(super) progress: mpsc::UnboundedReceiver<Value>,
}

impl Inbox {
    /// Waits for the answer to the request `id`, which is sent next.
    pub(super) fn expect(&self, id: u64) -> Waiting {
        let (answer, answered) = oneshot::channel();
        let (progress, reported) = mpsc::unbounded_channel();
        let mut state = self.lock();
        // After the end nothing would answer.
        if !state.has_ended {
            state.open.insert(id, Open { answer, progress });
        }
        Waiting {
            answer: answered,
            progress: reported,
        }
    }

    /// Receives the messages of the subscription `id`, which is opened next.
    pub(super) fn follow(&self, id: u64) -> mpsc::UnboundedReceiver<Value> {
        const ID: &str = "io.modelcontextprotocol/subscriptionId";
        let is_of_it = move |message: &Value| {
            let meta = message.at("params").at("_meta");
            meta.at(ID).as_u64() == Some(id)
        };
        self.add_follower(Some(id), Box::new(is_of_it))
    }

    /// Receives the notifications of a legacy server that a filter has.
    pub(super) fn follow_legacy(
        &self,
        filter: SubscriptionFilter,
    ) -> mpsc::UnboundedReceiver<Value> {
        self.add_follower(None, Box::new(move |message| filter.has(message)))
    }

    fn add_follower(
        &self,
        request: Option<u64>,
        accepts: Box<dyn Fn(&Value) -> bool + Send>,
    ) -> mpsc::UnboundedReceiver<Value> {
        let (messages, receiver) = mpsc::unbounded_channel();
        let mut state = self.lock();
        if !state.has_ended {
            state.followers.push(Follower {
                request,
                accepts,
                messages,
            });
        }
        receiver
    }

    /// Passes what arrives on to the answers of the client.
    pub(super) fn answer_by(&self, answers: &Arc<dyn Answers>) {
        let _ = self.answers.set(Arc::clone(answers));
    }

    /// Answers the server's own requests, which then do not wait to be taken.
    pub(super) fn respond_on(&self, link: Weak<dyn Link>) {
        let _ = self.link.set(link);
    }

    /// Answers a request of the server, if the client answers any.
    fn respond(&self, message: &Value) -> bool {
        let (Some(answers), Some(link)) = (self.answers.get(), self.link.get()) else {
            return false;
        };
        if !message.at("method").is_string() || !message.has("id") {
            return false;
        }
        let response = answers.response(message);
        if let Some(link) = link.upgrade() {
            link.send(response.into_bytes());
        }
        true
    }

    /// Takes the text of a message. A server that follows the protocol sends only JSON; a
    /// test should see anything else, as a text.
    pub(crate) fn take_text(&self, text: &str) {
        if let Some(answers) = self.answers.get() {
            answers.read(text);
        }
        self.take(serde_json::from_str(text).unwrap_or_else(|_| text.into()));
    }

    /// Takes a message from the server.
    fn take(&self, mut message: Value) {
        if self.respond(&message) {
            return;
        }
        if let Some(id) = cancelled_request(&message) {
            return self.finish(id, Err(RequestError::Cancelled));
        }
        let mut state = self.lock();
        let answered = message.member("id").and_then(Value::as_u64);
        if let Some(open) = answered.and_then(|id| state.remove(id)) {
            let outcome = match message.member_mut("error") {
                Some(error) => Err(RequestError::of_json(error)),
                None => Ok(message.take_at("result")),
            };
            let _ = open.answer.send(outcome); // the request may have been dropped
            drop(state);
            return self.changed.notify_waiters();
        }
        if message.at("method") == "notifications/progress"
            && let Some(token) = message.at("params").at("progressToken").as_u64()
            && let Some(open) = state.open.get(&token)
        {
            let _ = open.progress.send(message.take_at("params"));
            return;
        }
        let Some(message) = state.pass_on(message) else {
            return;
        };
        state.others.push_back(message);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Ends the request `id` without a message, unless it has its answer.
    pub(crate) fn finish(&self, id: u64, outcome: Result<Value, RequestError>) {
        if let Some(open) = self.lock().remove(id) {
            let _ = open.answer.send(outcome);
            self.changed.notify_waiters();
        }
    }

    /// The connection has ended: nothing else arrives.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.has_ended = true;
        state.open.clear();
        state.followers.clear();
        drop(state);
        self.changed.notify_waiters();
    }

    pub(super) async fn next_message(&self) -> Option<Value> {
        self.wait(|state| match state.others.pop_front() {
            Some(message) => Some(Some(message)),
            None => state.has_ended.then_some(None),
        })
        .await
    }

    /// Waits until every request has its answer.
    #[cfg(feature = "http")]
    pub(crate) async fn idle(&self) {
        self.wait(|state| state.open.is_empty().then_some(())).await;
    }

    pub(super) async fn ended(&self) {
        self.wait(|state| state.has_ended.then_some(())).await;
    }

    async fn wait<T>(&self, mut look: impl FnMut(&mut Received) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before the look, so that a change in between is not missed.
            changed.as_mut().enable();
            if let Some(found) = look(&mut self.lock()) {
                return found;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Received> {
        self.state.lock()
    }
}

impl Received {
    fn remove(&mut self, id: u64) -> Option<Open> {
        self.followers
            .retain(|follower| follower.request != Some(id));
        self.open.remove(&id)
    }

    /// Passes a notification on to the subscriptions that requested it. Returns
    /// it if there is none.
    fn pass_on(&mut self, message: Value) -> Option<Value> {
        let mut is_followed = false;
        self.followers.retain(|follower| {
            if !(follower.accepts)(&message) {
                return !follower.messages.is_closed();
            }
            let was_sent = follower.messages.send(message.clone()).is_ok();
            is_followed |= was_sent;
            was_sent
        });
        (!is_followed).then_some(message)
    }
}

/// Returns the message that cancels the request `id`.
pub(crate) fn cancellation(id: u64) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id},"reason":"the test cancelled it"}}}}"#
    )
}

const CANCELLED: &str = "cancelled ";

/// Follows the cancellation of the request `id` on a link that keeps the order of messages: when
/// the server answers, it has read the cancellation, and the request's own answer has arrived
/// before or never will.
pub(crate) fn cancellation_check(id: u64) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":"{CANCELLED}{id}","method":"ping"}}"#)
}

/// The request whose cancellation a message confirms.
fn cancelled_request(message: &Value) -> Option<u64> {
    let id = message.member("id")?.as_str()?;
    id.strip_prefix(CANCELLED)?.parse().ok()
}
