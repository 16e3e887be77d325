//! The rounds of a call that asks its client in the modern era.
//!
//! ```text
//!  tools/call ──► chain: handler asks ──► Pending, with a question
//!                   │ the chain is dropped
//!                   └──► input_required: the questions, and the sealed state
//!  tools/call + answers + state ──► chain: the handler runs again from its top;
//!                   its questions are answered at once ──► complete
//! ```
//!
//! A question that has its answer returns it. One without an answer is recorded,
//! and its future waits: the code that polls the chain then drops the chain and
//! ends the round, so that no code of the handler sees an error that it could turn
//! into something else. The server keeps nothing between two rounds: what it must
//! know again is in the [`state`](State), which the client returns.
//!
//! Steps that must not run twice are kept apart, in [`once`].
//!
//! In the legacy era, and in a task, a call has one round: questions wait for
//! their answer, and only the steps are kept here.

mod canonical;
mod key;
mod once;
mod seal;
mod settings;
mod state;

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use serde_json::value::RawValue;

pub(crate) use settings::RoundSettings;
pub(crate) use state::NOT_VALID as STATE_NOT_VALID;

use super::{CallContext, Error, ErrorKind, Home, Question, Rejected};
use crate::primitive::Kind;
use crate::protocol::{Era, encode};
use crate::support::lock::Lock;
use canonical::Digest;
use key::Key;
use once::{Step, Steps};
use state::{Bound, State};

/// The rounds of a call, for the code that polls its chain. A trait, so that a
/// server without questions contains none of the code behind it.
pub(crate) trait Questions: Any + Send + Sync {
    /// Whether the handler waits for answers, which closes the round; otherwise it
    /// is woken once it asks.
    fn poll_asked(&self, cx: &mut Context<'_>) -> Poll<()>;

    /// Ends the round with the questions that have no answer.
    fn end_round(&self) -> Result<InputRequired, Error>;

    /// Ends the call: a question that is asked later fails.
    fn end_call(&self);

    /// Returns the id that all rounds of the call have in common, if it may have
    /// several.
    fn logical_call(&self) -> Option<&str>;
}

/// The end of a round: the client answers the questions and calls again.
pub(crate) struct InputRequired {
    questions: Vec<Open>,
    state: String,
}

impl InputRequired {
    /// Writes it as the members of a result object, without its braces.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#""inputRequests":{"#);
        for (at, question) in self.questions.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            encode::string(out, &question.key.on_wire(at));
            out.extend_from_slice(br#":{"method":"#);
            encode::string(out, question.question.method);
            out.extend_from_slice(br#","params":"#);
            out.extend_from_slice(question.question.params.get().as_bytes());
            out.push(b'}');
        }
        out.extend_from_slice(br#"},"requestState":"#);
        encode::string(out, &self.state);
    }
}

/// The rounds of one call, shared by its `Client`s.
pub(crate) struct Rounds {
    home: Arc<dyn Home>,
    kind: Kind,
    /// The caller, as limits count it.
    caller: Box<[u8]>,
    /// `None` for a call that has one round.
    logical: Option<Logical>,
    now: Lock<Now>,
}

/// What all rounds of a call have in common.
struct Logical {
    id: Box<str>,
    /// The call that the state belongs to.
    bound: Bound,
    /// The call came with a state, so the client can send this round again.
    has_state: bool,
}

/// The present round.
#[derive(Default)]
struct Now {
    /// The answers so far.
    answers: BTreeMap<Key, Box<RawValue>>,
    /// Answers that came before the questions, which a client can give only to
    /// questions with a name of their own.
    early: BTreeMap<Key, Box<RawValue>>,
    /// How often each question was asked.
    asked: HashMap<Digest, u32>,
    /// How many interactions at URLs were planned.
    urls: u32,
    open: Vec<Open>,
    steps: Option<Arc<Steps>>,
    /// The results of steps in earlier rounds.
    done: BTreeMap<String, Box<RawValue>>,
    /// Wakes the code that polls the chain.
    chain: Option<Waker>,
    is_over: bool,
}

/// A question without an answer.
struct Open {
    key: Key,
    question: Question,
    waker: Option<Waker>,
}

/// Opens the rounds of a call that came with a state, so that a state that is not
/// valid is refused before anything else looks at the call.
pub(super) fn open_rounds(call: &Arc<CallContext>) -> Result<(), Error> {
    match call.has_rounds() {
        true => Rounds::of(call).map(drop),
        false => Ok(()),
    }
}

impl Rounds {
    /// Returns the rounds of a call: from the state that it came with, if it is
    /// valid.
    pub(crate) fn of(call: &Arc<CallContext>) -> Result<Arc<Self>, Error> {
        if let Some(rounds) = call.rounds.get() {
            return Self::known(rounds);
        }
        let rounds = Arc::new(Self::new(call)?);
        // Another extractor may have been first.
        let rounds = call.rounds.get_or_init(|| rounds);
        Self::known(rounds)
    }

    fn known(rounds: &Arc<dyn Questions>) -> Result<Arc<Self>, Error> {
        let rounds: Arc<dyn Any + Send + Sync> = Arc::clone(rounds) as _;
        (rounds.downcast()).map_err(|_| Error::internal("the call has other rounds"))
    }

    fn new(call: &CallContext) -> Result<Self, Error> {
        let mut now = Now::default();
        let mut logical = None;
        if call.has_rounds() {
            let bound = Bound::of(call);
            let mut id = None;
            if let Some(text) = call.request_state() {
                let state = State::open(text, &*call.home, &bound)?;
                now.answers = state.answered(call.input_responses())?;
                now.done = state.once;
                id = Some(state.id.into_boxed_str());
            } else {
                now.early = state::early(call.input_responses(), call.home.rounds().questions)?;
            }
            logical = Some(Logical {
                bound,
                has_state: id.is_some(),
                id: match id {
                    Some(id) => id,
                    None => seal::random_id()?,
                },
            });
        }
        Ok(Self {
            home: Arc::clone(&call.home),
            kind: call.target.info.kind(),
            caller: call.principal.limit_key().into(),
            logical,
            now: Lock::new(now),
        })
    }

    /// Returns the id of the logical call, if the client can send this round
    /// again.
    fn replayed(&self) -> Option<&str> {
        let logical = self.logical.as_ref().filter(|logical| logical.has_state);
        logical.map(|logical| &*logical.id)
    }

    fn settings(&self) -> &RoundSettings {
        self.home.rounds()
    }

    /// Returns the answer to a question, read by `read`; without one the round
    /// ends here.
    pub(crate) async fn ask<T>(
        self: &Arc<Self>,
        mut question: Question,
        mut read: impl FnMut(&RawValue) -> Result<T, Rejected>,
    ) -> Result<T, Error> {
        let (key, answer) = self.look_up(&question)?;
        if let Some(answer) = answer {
            match read(&answer) {
                Ok(value) => return Ok(value),
                Err(rejected) => {
                    self.now.lock().answers.remove(&key);
                    if let Some(params) = rejected.again {
                        question.params = params;
                    }
                }
            }
        }
        let unanswered = Unanswered {
            rounds: Arc::clone(self),
            key,
        };
        unanswered.rounds.record(unanswered.key.clone(), question)?;
        Err(unanswered.await)
    }

    /// Returns the key of a question that is asked now, and its answer.
    fn look_up(&self, question: &Question) -> Result<(Key, Option<Box<RawValue>>), Error> {
        let digest = match &question.key {
            Some(name) => canonical::digest_of([&b"key"[..], name.as_bytes()]),
            None => {
                canonical::digest_of([question.method.as_bytes(), question.params.get().as_bytes()])
            }
        };
        let mut now = self.now.lock();
        if now.is_over {
            return Err(Error::internal(ROUND_IS_OVER));
        }
        let ordinal = now.asked.entry(digest).or_default();
        *ordinal += 1;
        let key = match &question.key {
            Some(name) if *ordinal > 1 => {
                return Err(Error::internal(format!(
                    "two questions of one call have the key \"{name}\""
                )));
            }
            Some(name) => Key::named(name),
            None => Key::of_content(&digest, *ordinal),
        };
        if let Some(early) = now.early.remove(&key) {
            now.answers.insert(key.clone(), early);
        }
        let answer = now.answers.get(&key).cloned();
        Ok((key, answer))
    }

    fn record(&self, key: Key, question: Question) -> Result<(), Error> {
        let most = self.settings().questions;
        let mut now = self.now.lock();
        if now.is_over {
            return Err(Error::internal(ROUND_IS_OVER));
        }
        if now.open.len() >= most {
            let message = format!(
                "This {} asks more than {most} questions at once.",
                self.kind
            );
            return Err(Error::refusal(ErrorKind::User, message));
        }
        now.open.push(Open {
            key,
            question,
            waker: None,
        });
        // A task beside the chain may have asked.
        let chain = now.chain.take();
        drop(now);
        if let Some(chain) = chain {
            chain.wake();
        }
        Ok(())
    }

    /// Returns the id of the next interaction at a URL that the handler plans: in each
    /// round the same, and unknown to the client.
    pub(crate) fn next_url_id(&self) -> Result<Box<str>, Error> {
        let Some(logical) = &self.logical else {
            return seal::random_id();
        };
        let ordinal = {
            let mut now = self.now.lock();
            now.urls += 1;
            now.urls.to_be_bytes()
        };
        let parts = [&b"url"[..], logical.id.as_bytes(), &ordinal];
        Ok(canonical::short(&canonical::digest_of(parts)).into())
    }

    /// Returns the slot of a step, in which its result is kept.
    pub(crate) fn step(&self, key: &str) -> Result<Arc<Step>, Error> {
        let mut now = self.now.lock();
        if now.steps.is_none() {
            // Without a state the client cannot send this round again.
            let steps = match self.replayed() {
                Some(id) => {
                    let (table, time) = (&self.settings().once, self.settings().time);
                    table.steps(&self.caller, id, time)?
                }
                None => Arc::default(),
            };
            steps.restore(std::mem::take(&mut now.done));
            now.steps = Some(steps);
        }
        let steps = now.steps.as_ref().map(|steps| steps.step(key));
        steps.ok_or_else(|| Error::internal("the call has no steps"))
    }

    /// Counts the result of a step, which has just been made.
    pub(crate) fn count_step(&self, key: &str, bytes: usize) -> Result<(), Error> {
        if let Some(id) = self.replayed() {
            (self.settings().once).count(&self.caller, id, key.len() + bytes);
        }
        let most = self.settings().state_bytes;
        if bytes > most {
            return Err(Error::internal(format!(
                "the result of once(\"{key}\") has {bytes} bytes, more than the {most} that a call's state may have"
            )));
        }
        Ok(())
    }

    fn withdraw(&self, key: &Key) {
        let mut now = self.now.lock();
        if !now.is_over {
            now.open.retain(|open| open.key != *key);
        }
    }
}

const ROUND_IS_OVER: &str = "the round of the call has ended: its handler no longer waits, or runs again once the client has answered";

impl Questions for Rounds {
    fn poll_asked(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut now = self.now.lock();
        if now.open.is_empty() {
            now.chain = Some(cx.waker().clone());
            Poll::Pending
        } else {
            // The chain is dropped next, which must not withdraw them.
            now.is_over = true;
            Poll::Ready(())
        }
    }

    fn end_round(&self) -> Result<InputRequired, Error> {
        let mut now = self.now.lock();
        let mut questions = std::mem::take(&mut now.open);
        let steps = now.steps.clone();
        let mut once = std::mem::take(&mut now.done);
        let answers = std::mem::take(&mut now.answers);
        drop(now);
        for question in &mut questions {
            if let Some(waker) = question.waker.take() {
                waker.wake();
            }
        }
        once.extend(steps.iter().flat_map(|steps| steps.results()));
        let Some(logical) = &self.logical else {
            return Err(Error::internal("the call has one round"));
        };
        let state = State {
            id: logical.id.to_string(),
            expires: 0,
            answers,
            asked: questions.iter().map(|open| open.key.clone()).collect(),
            once,
        };
        let state = state.seal(&*self.home, &logical.bound, self.kind)?;
        Ok(InputRequired { questions, state })
    }

    fn end_call(&self) {
        let mut now = self.now.lock();
        now.is_over = true;
        let open = std::mem::take(&mut now.open);
        drop(now);
        for waker in open.into_iter().filter_map(|open| open.waker) {
            waker.wake();
        }
    }

    fn logical_call(&self) -> Option<&str> {
        self.logical.as_ref().map(|logical| &*logical.id)
    }
}

/// A question without an answer: a future that waits until the round has ended,
/// and then fails, unless the end of the round has dropped it.
struct Unanswered {
    rounds: Arc<Rounds>,
    key: Key,
}

impl Future for Unanswered {
    type Output = Error;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Error> {
        let mut now = self.rounds.now.lock();
        let is_over = now.is_over;
        let open = now.open.iter_mut().find(|open| open.key == self.key);
        match open.filter(|_| !is_over) {
            Some(open) => {
                open.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(Error::internal(ROUND_IS_OVER)),
        }
    }
}

/// A question that its handler no longer waits for is not sent.
impl Drop for Unanswered {
    fn drop(&mut self) {
        self.rounds.withdraw(&self.key);
    }
}

impl CallContext {
    /// Whether questions end the round of this call: the modern era, outside of
    /// tasks.
    pub(crate) fn has_rounds(&self) -> bool {
        let waits = match &self.task {
            Some(task) => task.has_begun(),
            None => self.ask.is_some(),
        };
        !waits && self.request.may_ask && self.request.version.era() == Era::Modern
    }
}
