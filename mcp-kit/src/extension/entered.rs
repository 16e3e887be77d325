//! How a message passes its middlewares, although it is dispatched by code that does
//! not wait.
//!
//! ```text
//!  enter ── polls the chain until its innermost `next` wants the message dispatched ─► Entered
//!  dispatch (the transport, at once)                                                      │
//!  leave ── gives the chain the answer, and polls it to its end ◄─────────────────────────┘
//! ```
//!
//! The chain is one future, which is suspended in between. So the transport handles the
//! message like any other, with all of its state, and the middlewares can wait on both
//! sides.
//!
//! A request that takes effect later, such as `subscriptions/listen`, is dispatched as it
//! enters. It has its effect once the middlewares have ended, unless they refuse it.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Span;

use super::message::{Answered, Inner, Message, MessageMiddleware, MessageReply};
use crate::call::{
    Contained, Error, Failure, Outcome, Transport, as_protocol_error, internal_text,
};
use crate::caller::Principal;
use crate::protocol::{
    Era, ErrorCode, ProtocolVersion, RequestId, RpcError, encode, message as wire,
};
use crate::support::error_text;
use crate::support::lock::Lock;
use crate::support::panics::discard_logged;
use crate::support::reference::Reference;

/// The rest of the middlewares, and the method of the message.
#[must_use = "the message goes no further unless `run` is called"]
pub struct MessageNext<'a> {
    layers: &'a [Arc<dyn MessageMiddleware>],
    slot: &'a Arc<Slot>,
}

/// The future of the rest of the middlewares.
type MessageFuture<'a> = Pin<Box<dyn Future<Output = Result<MessageReply, Error>> + Send + 'a>>;

impl<'a> MessageNext<'a> {
    /// Runs the rest: the inner middlewares, then the method.
    pub fn run(self, message: Message) -> MessageFuture<'a> {
        match self.layers.split_first() {
            Some((layer, layers)) => {
                let slot = self.slot;
                layer.handle(message, MessageNext { layers, slot })
            }
            None => {
                let slot = Arc::clone(self.slot);
                if message.0.is_changed {
                    *slot.changed.lock() = message.0.params;
                }
                Box::pin(poll_fn(move |cx| slot.poll_answer(cx)))
            }
        }
    }
}

impl fmt::Debug for MessageNext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageNext").finish_non_exhaustive()
    }
}

/// Where the chain and the code that dispatches meet.
#[derive(Default)]
struct Slot {
    meeting: Lock<Meeting>,
    /// The parameters with which the message is dispatched, if they are not the
    /// client's.
    changed: Lock<Option<Box<RawValue>>>,
}

#[derive(Default)]
enum Meeting {
    #[default]
    Outside,
    /// The chain wants the message dispatched, and waits for the answer.
    Wanted(Waker),
    Answered(MessageReply),
    Over,
}

impl Slot {
    fn poll_answer(&self, cx: &mut Context<'_>) -> Poll<Result<MessageReply, Error>> {
        let mut meeting = self.meeting.lock();
        match std::mem::replace(&mut *meeting, Meeting::Over) {
            Meeting::Answered(reply) => Poll::Ready(Ok(reply)),
            Meeting::Over => Poll::Ready(Err(Error::internal(
                "a middleware awaited the same message twice",
            ))),
            Meeting::Outside | Meeting::Wanted(_) => {
                *meeting = Meeting::Wanted(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn is_wanted(&self) -> bool {
        matches!(*self.meeting.lock(), Meeting::Wanted(_))
    }

    fn answer(&self, reply: MessageReply) {
        let before = std::mem::replace(&mut *self.meeting.lock(), Meeting::Answered(reply));
        if let Meeting::Wanted(waker) = before {
            // The future may be inside another that polls only what was woken.
            waker.wake();
        }
    }
}

/// The middlewares around all messages of a server, the outermost first.
#[derive(Clone)]
pub(crate) struct MessageLayers(Arc<Layers>);

struct Layers(Vec<Arc<dyn MessageMiddleware>>);

/// They are a user's, and are dropped with the server, on whatever thread.
impl Drop for Layers {
    fn drop(&mut self) {
        for layer in self.0.drain(..) {
            discard_logged(layer, "a message middleware");
        }
    }
}

/// What is known of a message beside its text.
pub(crate) struct MessageOrigin {
    pub(crate) principal: Principal,
    pub(crate) version: Option<ProtocolVersion>,
    pub(crate) transport: Transport,
}

/// The method, id and parameters of a message.
pub(crate) struct MessageParts {
    pub(crate) method: Box<str>,
    pub(crate) id: Option<RequestId>,
    pub(crate) params: Option<Box<RawValue>>,
    pub(crate) era: Era,
}

impl MessageLayers {
    /// Returns `None` if there are none.
    pub(crate) fn new(layers: Vec<Arc<dyn MessageMiddleware>>) -> Option<Self> {
        (!layers.is_empty()).then(|| Self(Arc::new(Layers(layers))))
    }

    /// Runs the middlewares until they want the message dispatched, but not longer than
    /// `until`. After it they have `time`.
    pub(crate) fn enter<D>(
        &self,
        parts: MessageParts,
        origin: &MessageOrigin,
        (until, time): (Instant, Duration),
    ) -> impl Future<Output = Entered<D>> + Send + use<D> {
        let (method, id, era) = (parts.method.clone(), parts.id.clone(), parts.era);
        let message = Message(Box::new(Inner {
            method: parts.method,
            id: parts.id,
            params: parts.params,
            is_changed: false,
            principal: origin.principal.clone(),
            era,
            version: match era {
                Era::Modern => Some(ProtocolVersion::V2026_07_28),
                Era::Legacy => origin.version,
            },
            transport: origin.transport,
        }));
        let slot = Arc::<Slot>::default();
        let (layers, its_slot) = (Arc::clone(&self.0), Arc::clone(&slot));
        let chain: MessageFuture<'static> = Box::pin(async move {
            let next = MessageNext {
                layers: &layers.0,
                slot: &its_slot,
            };
            next.run(message).await
        });
        let mut chain = Contained::new(chain, Span::none());
        async move {
            let until_wanted = poll_fn(|cx| match Pin::new(&mut chain).poll(cx) {
                Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                Poll::Pending if slot.is_wanted() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            });
            let stage = match timeout_at(until, until_wanted).await {
                Ok(None) => Stage::Suspended { chain, slot },
                Ok(Some(outcome)) => Stage::Ended(outcome),
                Err(_) => Stage::Ended(Err(too_slow())),
            };
            Entered {
                method,
                id,
                era,
                time,
                stage,
            }
        }
    }
}

fn too_slow() -> Error {
    Error::timeout("The server took too long to admit or to answer the message.")
}

/// A message that has passed its middlewares on the way in, or was answered by one. `D` is
/// what the dispatch of a request returns that takes effect later.
pub(crate) struct Entered<D> {
    method: Box<str>,
    id: Option<RequestId>,
    era: Era,
    time: Duration,
    stage: Stage<D>,
}

enum Stage<D> {
    /// The middlewares wait for the answer.
    Suspended {
        chain: Contained<MessageFuture<'static>>,
        slot: Arc<Slot>,
    },
    /// They have ended without the method.
    Ended(Result<MessageReply, Error>),
    /// They have ended with the answer of a request that takes effect later.
    TakesEffectLater {
        dispatched: D,
        outcome: Result<MessageReply, Error>,
    },
}

/// The end of a message's middlewares, as its client receives it.
pub(crate) enum Left {
    /// The result object.
    Result(Box<RawValue>),
    Refused(RpcError),
    /// The error object of an answer.
    Error(Box<RawValue>),
    /// What was dispatched goes on: there is no answer to write.
    Nothing,
}

impl<D> Entered<D> {
    /// Returns how the middlewares have ended, if they did not want the message
    /// dispatched.
    pub(crate) fn refused(self) -> Result<Self, Left> {
        match self.stage {
            Stage::Ended(outcome) => Err(leave(&self.method, self.era, outcome)),
            Stage::Suspended { .. } | Stage::TakesEffectLater { .. } => Ok(self),
        }
    }

    /// Returns the id and the method.
    pub(crate) fn name(&self) -> (Option<&RequestId>, &str) {
        (self.id.as_ref(), &self.method)
    }

    /// Whether the middlewares want the message dispatched.
    pub(crate) fn is_wanted(&self) -> bool {
        matches!(self.stage, Stage::Suspended { .. })
    }

    /// Takes the parameters with which the message is dispatched, if a middleware has
    /// changed them.
    pub(crate) fn take_changed(&mut self) -> Option<Box<RawValue>> {
        match &mut self.stage {
            Stage::Suspended { slot, .. } => slot.changed.lock().take(),
            Stage::TakesEffectLater { .. } | Stage::Ended(_) => None,
        }
    }

    /// Lets the middlewares end before what was dispatched takes effect, after they were
    /// given the answer that it will have. They have until `end`.
    pub(crate) async fn end_before_effect(mut self, dispatched: D, end: Instant) -> Self
    where
        D: Send,
    {
        let outcome = timeout_at(end, poll_fn(|cx| self.poll(cx))).await;
        self.stage = Stage::TakesEffectLater {
            dispatched,
            outcome: outcome.unwrap_or_else(|_| Err(too_slow())),
        };
        self
    }

    /// Takes what was dispatched and takes effect now, and how the middlewares have ended.
    pub(crate) fn take_dispatched(&mut self) -> Option<(D, Left)> {
        let taken = Stage::Ended(Ok(MessageReply(Answered::Nothing)));
        match std::mem::replace(&mut self.stage, taken) {
            Stage::TakesEffectLater {
                dispatched,
                outcome,
            } => Some((dispatched, leave(&self.method, self.era, outcome))),
            other => {
                self.stage = other;
                None
            }
        }
    }

    /// Gives the middlewares the answer, as it would be sent.
    pub(crate) fn answered(&self, json: &[u8]) {
        self.give(MessageReply::of_message(json));
    }

    /// Gives the middlewares the error by which the message was refused.
    pub(crate) fn failed(&self, error: RpcError) {
        self.give(MessageReply(Answered::Refused(error)));
    }

    /// Lets the middlewares know that the message was handled, without an answer.
    pub(crate) fn handled(&self) {
        self.give(MessageReply(Answered::Nothing));
    }

    fn give(&self, reply: MessageReply) {
        if let Stage::Suspended { slot, .. } = &self.stage {
            slot.answer(reply);
        }
    }

    /// Polls the middlewares once, after they have the answer. Returns `None` if they
    /// wait.
    pub(crate) fn leave_at_once(&mut self) -> Option<Left> {
        let mut cx = Context::from_waker(Waker::noop());
        match self.poll(&mut cx) {
            Poll::Ready(outcome) => Some(leave(&self.method, self.era, outcome)),
            Poll::Pending => None,
        }
    }

    /// Waits until the middlewares have ended, within their time.
    pub(crate) async fn leave(mut self) -> (RequestId, Left) {
        let outcome = timeout(self.time, poll_fn(|cx| self.poll(cx))).await;
        let left = leave(
            &self.method,
            self.era,
            outcome.unwrap_or_else(|_| Err(too_slow())),
        );
        let nameless = || RequestId::Integer(0);
        (self.id.unwrap_or_else(nameless), left)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<MessageReply, Error>> {
        match &mut self.stage {
            Stage::Suspended { chain, .. } => Pin::new(chain).poll(cx),
            Stage::Ended(_) | Stage::TakesEffectLater { .. } => {
                Poll::Ready(Ok(MessageReply(Answered::Nothing)))
            }
        }
    }
}

fn leave(method: &str, era: Era, outcome: Result<MessageReply, Error>) -> Left {
    match outcome {
        Ok(MessageReply(Answered::Result(result))) => Left::Result(complete(result, era)),
        Ok(MessageReply(Answered::Refused(error))) => Left::Refused(error),
        Ok(MessageReply(Answered::Error { object, .. })) => Left::Error(object),
        Ok(MessageReply(Answered::Nothing)) => Left::Nothing,
        Err(error) => Left::Refused(refusal(method, era, &error)),
    }
}

/// Adds the member that every result of 2026-07-28 has.
fn complete(result: Box<RawValue>, era: Era) -> Box<RawValue> {
    const MEMBER: &str = "resultType";

    #[derive(serde::Deserialize)]
    struct Typed {
        #[serde(rename = "resultType")]
        result_type: Option<IgnoredAny>,
    }

    let is_typed = |json: &str| {
        let typed = serde_json::from_str(json);
        typed.is_ok_and(|typed: Typed| typed.result_type.is_some())
    };
    if era == Era::Legacy || is_typed(result.get()) {
        return result;
    }
    let mut value: Value = serde_json::from_str(result.get()).unwrap_or_default();
    value[MEMBER] = "complete".into();
    let complete = serde_json::value::to_raw_value(&value).and_then(encode::on_one_line);
    complete.unwrap_or(result)
}

/// Returns what a client reads of a middleware's error; logs what it does not read.
fn refusal(method: &str, era: Era, error: &Error) -> RpcError {
    if let Some(error) = error.protocol_error(era) {
        return error;
    }
    let text = error.message().map(str::to_owned).unwrap_or_else(|| {
        let reference = Reference::new();
        tracing::error!(
            target: "mcp_kit::message",
            method = crate::support::text::excerpt(method),
            reference = reference.to_string(),
            error = error.source().map(|source| error_text::of(source)),
            "a message middleware failed"
        );
        internal_text(reference)
    });
    let failure = Failure {
        outcome: Outcome::Failed(error.kind()),
        text,
        era,
        key: method,
    };
    match as_protocol_error(failure) {
        Err(error) => error,
        Ok(_) => RpcError::new(ErrorCode::InternalError, "The message was refused."),
    }
}

/// Writes the answer of a message whose middlewares have ended.
pub(crate) fn write_left(out: &mut Vec<u8>, id: &RequestId, left: &Left) {
    match left {
        Left::Result(result) => encode::result(out, id, |out| {
            out.extend_from_slice(result.get().as_bytes());
        }),
        Left::Refused(error) => encode::error(out, Ok(id), error),
        Left::Error(object) => encode::raw_error(out, id, object),
        Left::Nothing => {}
    }
}

/// The messages of a frame that have entered, until they are dispatched: one for each
/// request and notification, in their order.
///
/// A message of the frame is admitted by its own place alone. Else one that is refused
/// early would leave its admission to a later one that looks the same.
pub(crate) struct EnteredMessages<D>(Option<Box<Places<D>>>);

struct Places<D> {
    current: Option<Entered<D>>,
    later: VecDeque<Entered<D>>,
}

impl<D> Default for EnteredMessages<D> {
    fn default() -> Self {
        Self(None)
    }
}

impl<D> EnteredMessages<D> {
    pub(crate) fn new(entered: Vec<Entered<D>>) -> Self {
        if entered.is_empty() {
            return Self(None);
        }
        Self(Some(Box::new(Places {
            current: None,
            later: entered.into(),
        })))
    }

    /// Moves on to the next message of the frame, before anything else is done with it.
    /// What the one before it has not taken is dropped.
    #[inline]
    pub(crate) fn advance_to(&mut self, message: &wire::Message<'_>) {
        if let Some(places) = &mut self.0
            && let wire::Message::Request(_) | wire::Message::Notification(_) = message
        {
            places.current = places.later.pop_front();
        }
    }

    /// Takes the current message, which has this id, or none if it is a notification,
    /// and this method.
    #[inline]
    pub(crate) fn take(&mut self, id: Option<&RequestId>, method: &str) -> Option<Entered<D>> {
        let entered = self.0.as_mut()?.current.take()?;
        (entered.id.as_ref() == id && *entered.method == *method).then_some(entered)
    }
}

impl<D> From<Option<Entered<D>>> for EnteredMessages<D> {
    fn from(current: Option<Entered<D>>) -> Self {
        let places = |current| Places {
            current: Some(current),
            later: VecDeque::new(),
        };
        Self(current.map(|current| Box::new(places(current))))
    }
}
