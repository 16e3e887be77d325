//! Requests of the server to its clients, in the legacy era: a question of a running
//! call goes out on the call's own way to its client, and the client's response
//! comes in like any message of its connection or session.
//!
//! ```text
//!  handler ── ask ──▶ Questions ── request ──▶ Outbound of the call ──▶ client
//!     ▲                   │                                               │
//!     └───── answer ──────┘◀──── answered(peer, response) ◀── response ───┘
//! ```
//!
//! A question ends once: by its answer, by its own time limit, when its call ends or
//! its handler drops it, when its client leaves, or when the server drains. A response
//! to any other request is ignored.

use std::collections::HashMap;
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, OnceLock, Weak};
use std::task::Poll;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::{
    Ask, AskFuture, CallContext, Error, ErrorKind, Home, Outbound, Question, SHUTTING_DOWN,
    UrlFollower, readable,
};
use crate::limits::Limits;
use crate::protocol::message::Response;
use crate::protocol::{RequestId, encode};
use crate::support::lock::Lock;
use crate::support::reference::Reference;
use crate::support::text::excerpt;

/// A connection or a session. A client answers only what it was asked on the same
/// one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer([u8; 16]);

impl Peer {
    /// Returns one that no other connection of this process has.
    pub(crate) fn new() -> Self {
        static PEERS: AtomicU64 = AtomicU64::new(1);
        let number = PEERS.fetch_add(1, Ordering::Relaxed);
        Self(u128::from(number).to_be_bytes())
    }

    /// Returns the peer of a session, whose id is random.
    #[cfg(feature = "http")]
    pub(crate) fn session(id: [u8; 16]) -> Self {
        Self(id)
    }
}

/// A client of the legacy era, as one call asks it: questions leave through `outbound`,
/// and their answers arrive from `peer`.
pub(crate) struct AskPeer {
    pub(crate) home: Arc<dyn Home>,
    pub(crate) peer: Peer,
    pub(crate) outbound: Arc<dyn Outbound>,
    /// Announces what happens after the call.
    pub(crate) follower: Weak<dyn UrlFollower>,
}

/// Returns the way to ask a client by requests.
pub(super) fn through(peer: AskPeer) -> Arc<dyn Ask> {
    Arc::new(peer)
}

/// The most bytes of answers that no handler has read yet: a handler reads only once
/// it has its permits again. Those of one caller have at most a quarter of it.
const MOST_UNREAD: usize = 64 << 20;

/// The open questions of a server. Only the code of [`AskPeer`] makes the table, so a
/// server that never asks does not contain it.
pub(crate) struct OpenQuestions {
    table: OnceLock<Box<dyn QuestionTable>>,
    /// The most open questions to one caller.
    most: usize,
    /// How long a client may take to answer.
    time: Duration,
}

impl OpenQuestions {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            table: OnceLock::new(),
            most: limits.questions_per_principal,
            time: limits.question_time,
        }
    }

    /// Passes the response of a client to the question that it answers.
    pub(crate) fn answered(&self, peer: Peer, response: &Response<'_>) {
        if let (Some(table), Some(id)) = (self.table.get(), &response.id) {
            table.answered(peer, id, response.outcome);
        }
    }

    /// Ends the questions to a client that has left.
    pub(crate) fn leave(&self, peer: Peer) {
        if let Some(table) = self.table.get() {
            table.leave(peer);
        }
    }

    #[cfg(all(test, feature = "testing", feature = "sse"))]
    fn counts(&self) -> Counts {
        self.table
            .get()
            .map_or_else(Counts::default, |table| table.counts())
    }

    fn table(&self) -> &dyn QuestionTable {
        &**self.table.get_or_init(|| Box::new(Table::default()))
    }
}

trait QuestionTable: Send + Sync {
    fn answered(&self, peer: Peer, id: &RequestId, outcome: Option<Outcome<'_>>);

    fn leave(&self, peer: Peer);

    /// Withdraws the questions of a call that has ended.
    fn withdraw(&self, call: &CallContext);

    /// Enters a question, if its caller may have another. Returns its id, and the
    /// receiver of its answer.
    fn enter(
        &self,
        most: usize,
        ask: &AskPeer,
        call: &Arc<CallContext>,
    ) -> Result<(RequestId, oneshot::Receiver<Answer>), Error>;

    /// Removes a question; returns whether it was open.
    fn forget(&self, id: &RequestId) -> bool;

    #[cfg(all(test, feature = "testing", feature = "sse"))]
    fn counts(&self) -> Counts;
}

/// What the table has, for tests.
#[cfg(all(test, feature = "testing", feature = "sse"))]
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    open: usize,
    callers: usize,
    unread: usize,
}

#[derive(Default)]
struct Table(Arc<Lock<Questions>>);

#[derive(Default)]
struct Questions {
    by_id: HashMap<RequestId, Open>,
    /// By the identity that limits count a caller as.
    callers: HashMap<Arc<[u8]>, Usage>,
    /// The bytes of all answers that no handler has read yet.
    unread: usize,
}

/// What one caller has.
#[derive(Default)]
struct Usage {
    questions: usize,
    unread: usize,
}

struct Open {
    peer: Peer,
    caller: Arc<[u8]>,
    call: Weak<CallContext>,
    outbound: Arc<dyn Outbound>,
    answer: oneshot::Sender<Answer>,
}

/// What a response has: its result, or its error.
type Outcome<'a> = Result<&'a RawValue, &'a RawValue>;

type Answer = Result<Received, Error>;

/// The answer of a client.
struct Received {
    json: Box<RawValue>,
    _unread: Unread,
}

/// The bytes of an answer, which count until this is dropped.
struct Unread {
    all: Arc<Lock<Questions>>,
    caller: Arc<[u8]>,
    bytes: usize,
}

impl Drop for Unread {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        all.unread -= self.bytes;
        all.change(&self.caller, |usage| usage.unread -= self.bytes);
    }
}

impl QuestionTable for Table {
    fn answered(&self, peer: Peer, id: &RequestId, outcome: Option<Outcome<'_>>) {
        let open = self.lock().remove(id, |open| open.peer == peer);
        if let Some(open) = open {
            let answer = match outcome {
                Some(Ok(result)) => match self.hold(&open.caller, result.get().len()) {
                    Some(unread) => Ok(Received {
                        json: result.to_owned(),
                        _unread: unread,
                    }),
                    None => Err(Error::busy(
                        "The server has no room for the client's answer. Try again in a few seconds.",
                    )),
                },
                Some(Err(error)) => Err(refused(error)),
                None => Err(unanswered("Its response could not be read.")),
            };
            let _ = open.answer.send(answer); // the handler may just have dropped it
        }
    }

    fn leave(&self, peer: Peer) {
        let all = self.lock().remove_where(|open| open.peer == peer);
        for (_, open) in all {
            let _ = (open.answer).send(Err(unanswered("It has ended the connection.")));
        }
    }

    fn withdraw(&self, call: &CallContext) {
        let is_its = |open: &Open| std::ptr::eq(open.call.as_ptr(), call);
        let all = self.lock().remove_where(is_its);
        for (id, open) in all {
            cancel(&*open.outbound, &id);
        }
    }

    fn enter(
        &self,
        most: usize,
        ask: &AskPeer,
        call: &Arc<CallContext>,
    ) -> Result<(RequestId, oneshot::Receiver<Answer>), Error> {
        let (answer, answered) = oneshot::channel();
        let caller = call.principal.limit_key();
        let mut questions = self.lock();
        let known = questions.callers.get_key_value(caller);
        let (caller, theirs) = match known {
            Some((caller, theirs)) => (Arc::clone(caller), theirs.questions),
            None => (caller.into(), 0),
        };
        if theirs >= most {
            return Err(Error::refusal(
                ErrorKind::Busy,
                format!(
                    "{theirs} questions to clients of this caller are open, and no more are allowed at once. Answer some of them, then try again."
                ),
            ));
        }
        questions.change(&caller, |usage| usage.questions += 1);
        // No client uses such ids for its own requests, so that even one that looks
        // for a response by its id alone finds none.
        let id = RequestId::String(format!("question/{}", Reference::new()).into());
        let open = Open {
            peer: ask.peer,
            caller,
            call: Arc::downgrade(call),
            outbound: Arc::clone(&ask.outbound),
            answer,
        };
        questions.by_id.insert(id.clone(), open);
        Ok((id, answered))
    }

    fn forget(&self, id: &RequestId) -> bool {
        self.lock().remove(id, |_| true).is_some()
    }

    #[cfg(all(test, feature = "testing", feature = "sse"))]
    fn counts(&self) -> Counts {
        let questions = self.lock();
        Counts {
            open: questions.by_id.len(),
            callers: questions.callers.len(),
            unread: questions.unread,
        }
    }
}

impl Table {
    /// Counts an answer of so many bytes, if there is room for it.
    fn hold(&self, caller: &Arc<[u8]>, bytes: usize) -> Option<Unread> {
        let mut all = self.lock();
        let theirs = all.callers.get(caller).map_or(0, |usage| usage.unread);
        if theirs + bytes > MOST_UNREAD / 4 || all.unread + bytes > MOST_UNREAD {
            return None;
        }
        all.unread += bytes;
        all.change(caller, |usage| usage.unread += bytes);
        Some(Unread {
            all: Arc::clone(&self.0),
            caller: Arc::clone(caller),
            bytes,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Questions> {
        self.0.lock()
    }
}

impl Questions {
    /// Takes out a question for which `is_right` returns true.
    fn remove(&mut self, id: &RequestId, is_right: impl Fn(&Open) -> bool) -> Option<Open> {
        if !self.by_id.get(id).is_some_and(is_right) {
            return None;
        }
        let open = self.by_id.remove(id)?;
        self.change(&open.caller, |usage| usage.questions -= 1);
        Some(open)
    }

    /// Changes what a caller has, and forgets one that has nothing.
    fn change(&mut self, caller: &Arc<[u8]>, change: impl FnOnce(&mut Usage)) {
        let usage = self.callers.entry(Arc::clone(caller)).or_default();
        change(usage);
        if usage.questions == 0 && usage.unread == 0 {
            self.callers.remove(caller);
        }
    }

    fn remove_where(&mut self, is_right: impl Fn(&Open) -> bool) -> Vec<(RequestId, Open)> {
        let ids = self.by_id.iter().filter(|(_, open)| is_right(open));
        let ids: Vec<_> = ids.map(|(id, _)| id.clone()).collect();
        let remove = |id| self.remove(&id, |_| true).map(|open| (id, open));
        ids.into_iter().filter_map(remove).collect()
    }
}

impl Ask for AskPeer {
    fn ask(&self, call: &Arc<CallContext>, question: Question) -> AskFuture {
        let sent = self.send(call, question);
        let (home, call) = (Arc::clone(&self.home), Arc::clone(call));
        Box::pin(async move {
            let (sent, answered) = sent?;
            let answer = async {
                let answer = wait(&*home, answered).await;
                drop(sent);
                answer
            };
            let Received { json, .. } = call.while_asking(answer).await?;
            Ok(json)
        })
    }

    fn url_follower(&self) -> Option<Weak<dyn UrlFollower>> {
        Some(Weak::clone(&self.follower))
    }

    fn withdraw(&self, call: &CallContext) {
        self.home.questions().table().withdraw(call);
    }
}

impl AskPeer {
    fn send(
        &self,
        call: &Arc<CallContext>,
        question: Question,
    ) -> Result<(Sent, oneshot::Receiver<Answer>), Error> {
        let questions = self.home.questions();
        if self.home.is_draining() {
            return Err(Error::refusal(ErrorKind::Busy, SHUTTING_DOWN));
        }
        let params = encode::on_one_line(question.params).map_err(Error::internal)?;
        let (id, answered) = (questions.table()).enter(questions.most, self, call)?;
        let mut json = Vec::new();
        encode::request(&mut json, &id, question.method, &params);
        let sent = Sent {
            home: Arc::clone(&self.home),
            outbound: Arc::clone(&self.outbound),
            id,
        };
        if !self.outbound.send(&json) {
            sent.forget();
            return Err(Error::refusal(
                ErrorKind::Busy,
                "The client could not be asked: it does not read what the server sends.",
            ));
        }
        // After it was entered: the end of the call finds it, or is found here.
        if call.has_ended() {
            return Err(Error::internal("a question of a call that has ended"));
        }
        Ok((sent, answered))
    }
}

/// A question that was sent. If it is dropped before it is answered, the client is
/// notified that no answer is needed.
struct Sent {
    home: Arc<dyn Home>,
    outbound: Arc<dyn Outbound>,
    id: RequestId,
}

impl Sent {
    fn forget(&self) -> bool {
        self.home.questions().table().forget(&self.id)
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if self.forget() {
            cancel(&*self.outbound, &self.id);
        }
    }
}

/// Notifies the client that a question is withdrawn.
fn cancel(outbound: &dyn Outbound, id: &RequestId) {
    let params = json!({"requestId": id, "reason": "The answer is no longer needed."});
    let mut json = Vec::new();
    encode::notification(&mut json, "notifications/cancelled", &params);
    outbound.send(&json); // or the client does not read it
}

/// Waits for the answer, within the time that a question has.
async fn wait(home: &dyn Home, answered: oneshot::Receiver<Answer>) -> Answer {
    let most = home.questions().time;
    let mut answered = pin!(answered);
    let mut drains = home.drain_started();
    let mut is_late = pin!(sleep(most.min(Limits::LONGEST_TIME)));
    poll_fn(|cx| {
        if let Poll::Ready(answer) = answered.as_mut().poll(cx) {
            // The sender is dropped when the call ends.
            let ended = || Err(Error::internal("the call of this question has ended"));
            return Poll::Ready(answer.unwrap_or_else(|_| ended()));
        }
        if drains.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(Error::refusal(ErrorKind::Busy, SHUTTING_DOWN)));
        }
        is_late.as_mut().poll(cx).map(|()| {
            let text = format!(
                "The client did not answer a question within {}.",
                readable(most)
            );
            Err(Error::refusal(ErrorKind::Timeout, text))
        })
    })
    .await
}

/// The client answered with an error.
fn refused(error: &RawValue) -> Error {
    #[derive(Deserialize)]
    struct Members {
        code: i64,
        #[serde(default)]
        message: String,
    }
    match serde_json::from_str(error.get()) {
        Ok(Members { code, message }) => Error::refusal(
            ErrorKind::User,
            format!(
                "The client did not answer a question: error {code}, \"{}\".",
                excerpt(&message)
            ),
        ),
        Err(_) => unanswered("Its error could not be read."),
    }
}

fn unanswered(why: &str) -> Error {
    let text = format!("The client did not answer a question. {why}");
    Error::refusal(ErrorKind::User, text)
}

#[cfg(all(test, feature = "testing", feature = "sse"))]
mod tests;
