//! The middlewares around every message: where messages enter them, and where answers
//! leave.

mod code;
mod rewritten;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::dispatch::{Ask, Called};
use super::handshake::already_initialized;
use super::resources::Found;
use super::session::Session;
use super::{Limits, Routed, ServerInner, methods};
use crate::call::{
    Answer, Around, AroundFuture, CallContext, Error, KindRow, SentCall, Target, Work, WorkFuture,
    as_protocol_error, internal_text,
};
use crate::extension::{
    self, Left, MessageLayers, MessageMiddleware, MessageOrigin, MessageParts, write_left,
};
use crate::observe::Log;
use crate::primitive::Kind;
use crate::protocol::message::{
    Frame, Message, Notification, Request, decode, decode_one, whole_params,
};
use crate::protocol::meta::Meta;
use crate::protocol::{ClientDetails, Era, ErrorCode, ProtocolVersion, RpcError};
use crate::support::lock::Lock;
use crate::support::reference::Reference;
use crate::support::task::spawn_on;
use crate::support::text::excerpt;
pub(super) use code::{CODE, MessageCode};
pub(crate) use rewritten::Passed;
use rewritten::{Rewritten, TOO_LARGE, sent_call};

type Entered = extension::Entered<Dispatched>;

pub(crate) type EnteredMessages = extension::EnteredMessages<Dispatched>;

/// The middlewares around the messages of a server.
pub(super) struct Messages {
    code: &'static MessageCode,
    layers: MessageLayers,
    time: Duration,
    /// What a request calls whose answer waits for its middlewares.
    target: Arc<Target>,
}

impl Messages {
    fn new(layers: Vec<Arc<dyn MessageMiddleware>>, limits: &Limits) -> Option<Box<Self>> {
        Some(Box::new(Self {
            code: &CODE,
            layers: MessageLayers::new(layers)?,
            time: limits.call_time.min(Limits::LONGEST_TIME),
            target: Arc::new(Target::of_work(
                "message",
                &MESSAGES,
                limits,
                Arc::new(Log { all_calls: false }),
            )),
        }))
    }
}

impl ServerInner {
    /// Whether messages pass middlewares before they are handled.
    pub(crate) fn has_message_layers(&self) -> bool {
        self.messages.is_some()
    }

    fn enter_layers(
        self: &Arc<Self>,
        messages: &Messages,
        session: &Session,
        version: Option<ProtocolVersion>,
        is_modern: bool,
        frame: &[u8],
    ) -> impl Future<Output = EnteredMessages> + Send + use<> {
        let (layers, time) = (messages.layers.clone(), messages.time);
        let parts = parts_of(frame, is_modern, self.limits.pending_calls);
        let origin = MessageOrigin {
            principal: session.principal.clone(),
            version,
            transport: session.origin.transport,
        };
        let early = (parts.iter())
            .any(|parts| parts.takes_effect_later())
            .then(|| (Arc::clone(self), session.snapshot()));
        async move {
            let until = Instant::now() + time;
            let mut entered = Vec::with_capacity(parts.len());
            for parts in parts {
                let sent = parts.takes_effect_later().then(|| parts.params.clone());
                let mut message: Entered = layers.enter(parts, &origin, (until, time)).await;
                let dispatched = match (&early, sent) {
                    (Some((server, session)), Some(sent)) if message.is_wanted() => {
                        Some(server.dispatch_early(session.snapshot(), &mut message, sent))
                    }
                    _ => None,
                };
                if let Some(dispatched) = dispatched {
                    message = message.end_before_effect(dispatched, until + time).await;
                }
                entered.push(message);
            }
            EnteredMessages::new(entered)
        }
    }

    /// Dispatches a request that takes effect later, and gives its middlewares the answer
    /// that it will have. It changes nothing.
    fn dispatch_early(
        self: &Arc<Self>,
        mut session: Session,
        message: &mut Entered,
        sent: Option<Box<RawValue>>,
    ) -> Dispatched {
        let changed = message.take_changed().or(sent);
        let params = changed.as_deref().unwrap_or(RawValue::NULL);
        let (id, method) = message.name();
        let text = Rewritten::new(id, method, params);
        let is_new = session.version.is_none();
        let mut out = Vec::new();
        let routed = text.request(method, self).and_then(|request| {
            let meta = Meta::of(request.params.meta)?;
            if meta.era() == Era::Modern {
                meta.check_modern()?;
            }
            self.routed(meta.era(), &mut session, &request, &meta, &mut out)
        });
        match &routed {
            Ok(Routed::Done) => message.answered(&out),
            Ok(_) => message.handled(),
            Err(error) => message.failed(error.clone()),
        }
        let opens = is_new && session.version.is_some();
        Dispatched {
            routed,
            answer: out,
            opens: opens.then_some((session.version, session.client)),
        }
    }

    fn route_entered(
        self: &Arc<Self>,
        messages: &Messages,
        era: Era,
        session: &mut Session,
        request: &Request<'_>,
        meta: &Meta<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Routed, RpcError> {
        let entered = session.entered.take(Some(&request.id), &request.method);
        // No message is handled that did not enter.
        let entered = entered.ok_or_else(|| {
            let problem = "a message did not enter the message middlewares";
            internal(&request.method, problem)
        })?;
        let mut entered = match entered.refused() {
            Ok(entered) => entered,
            Err(left) => return written(left, request, out),
        };
        if let Some((dispatched, left)) = entered.take_dispatched() {
            return dispatched.take_effect(left, session, request, out);
        }
        let start = out.len();
        let changed = entered.take_changed();
        let text = (changed.as_deref())
            .map(|params| Rewritten::new(Some(&request.id), &request.method, params));
        let rewritten = text
            .as_ref()
            .map(|text| text.request(&request.method, self));
        let routed = match &rewritten {
            None => self.routed(era, session, request, meta, out),
            Some(Ok(request)) => self.routed(era, session, request, meta, out),
            Some(Err(error)) => Err(error.clone()),
        };
        match &routed {
            Ok(Routed::Done) => entered.answered(out.get(start..).unwrap_or_default()),
            Ok(Routed::Listen(_) | Routed::Watch(_)) => entered.handled(),
            Err(error) => entered.failed(error.clone()),
            Ok(Routed::Run(_)) => {}
        }
        if let Ok(Routed::Run(call)) = routed {
            let mut leaving = Leaving::of(entered);
            // Only the state of a call that asks is bound to what the client has sent.
            leaving.sent = (changed.is_some() && call.asks()).then(|| sent_call(request));
            return Ok(Routed::Run(call.within(Box::new(leaving))));
        }
        match entered.leave_at_once() {
            Some(Left::Nothing) => routed,
            Some(left) => {
                out.truncate(start);
                written(left, request, out)
            }
            None if session.is_open(era) => {
                out.truncate(start);
                let ask = Ask {
                    era,
                    session,
                    request,
                    meta,
                };
                let called = Called {
                    method: "message",
                    may_ask: false,
                };
                let found = Found::from(Arc::clone(&messages.target));
                let call = self.call_of(called, found, &ask)?;
                Ok(Routed::Run(call.with_work(Box::new(Leaving::of(entered)))))
            }
            // Before the handshake, every other request is refused.
            None => {
                self.end_elsewhere(entered);
                routed
            }
        }
    }

    fn passed<'a>(&self, session: &mut Session, notification: &'a Notification<'a>) -> Passed<'a> {
        let entered = session.entered.take(None, &notification.method);
        let Some(Ok(mut entered)) = entered.map(Entered::refused) else {
            return Passed::No;
        };
        let changed = entered.take_changed();
        entered.handled();
        if entered.leave_at_once().is_none() {
            self.end_elsewhere(entered);
        }
        match changed {
            Some(params) if params.get().len() > self.limits.message_bytes => {
                internal(&notification.method, TOO_LARGE);
                Passed::No
            }
            Some(params) => Passed::changed(&notification.method, &params),
            None => Passed::AsSent(notification),
        }
    }

    /// Lets middlewares end whose message is already handled, in one of the places of
    /// notifications. If there is none, they are dropped.
    fn end_elsewhere(&self, waiting: Entered) {
        let place = Arc::clone(&self.notification_permits).try_acquire_owned();
        if let (Ok(place), Ok(runtime)) = (place, Handle::try_current()) {
            spawn_on(&runtime, async move {
                let _ = waiting.leave().await;
                drop(place);
            });
        }
    }
}

/// A request that takes effect later: once its middlewares have ended.
pub(crate) struct Dispatched {
    routed: Result<Routed, RpcError>,
    answer: Vec<u8>,
    /// The version and the client of the handshake that it is.
    opens: Option<(Option<ProtocolVersion>, Option<Arc<ClientDetails>>)>,
}

impl Dispatched {
    /// Does what the request is for, unless its middlewares have ended in another way.
    fn take_effect(
        self,
        left: Left,
        session: &mut Session,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Routed, RpcError> {
        let holds = matches!((&left, &self.routed), (Left::Nothing, Ok(_)));
        if let Some(opens) = self.opens
            && (holds || matches!(left, Left::Result(_)))
        {
            // Another request of the client may have been faster.
            if session.version.is_some() {
                return Err(already_initialized());
            }
            (session.version, session.client) = opens;
        }
        if holds {
            out.extend_from_slice(&self.answer);
            return self.routed;
        }
        written(left, request, out)
    }
}

impl MessageParts {
    /// Whether it is a request that takes effect after its middlewares have ended.
    fn takes_effect_later(&self) -> bool {
        let method = methods::find(&self.method);
        self.id.is_some() && method.is_some_and(methods::Method::takes_effect_later)
    }
}

/// Returns what the middlewares see of the messages of a frame.
fn parts_of(frame: &[u8], is_modern: bool, most: usize) -> Vec<MessageParts> {
    let part = |message: Message<'_>| {
        let (method, id, params, text) = match message {
            Message::Request(request) => {
                let Request {
                    id,
                    method,
                    params,
                    text,
                } = request;
                (method, Some(id), params, text)
            }
            Message::Notification(notification) => {
                let Notification {
                    method,
                    params,
                    text,
                } = notification;
                (method, None, params, text)
            }
            Message::Response(_) | Message::Ignored => return None,
        };
        let era = Meta::of(params.meta).map_or(Era::Legacy, |meta| meta.era());
        Some(MessageParts {
            method: method.into(),
            id,
            params: whole_params(text).map(ToOwned::to_owned),
            era: if is_modern { Era::Modern } else { era },
        })
    };
    match decode(frame, most) {
        Frame::One(message) => message.ok().and_then(part).into_iter().collect(),
        Frame::Batch(members) if members.len() <= most => members
            .into_iter()
            .filter_map(|member| decode_one(member.get().as_bytes()).ok().and_then(part))
            .collect(),
        Frame::Batch(_) => Vec::new(),
    }
}

/// Writes the answer of a request whose middlewares have ended.
fn written(left: Left, request: &Request<'_>, out: &mut Vec<u8>) -> Result<Routed, RpcError> {
    match left {
        Left::Refused(error) => Err(error),
        Left::Nothing => Err(internal(
            &request.method,
            "a message middleware returned no answer to a request: return MessageReply::from_result or an error",
        )),
        left => {
            write_left(out, &request.id, &left);
            Ok(Routed::Done)
        }
    }
}

/// Logs a mistake of the server or its middlewares, and returns what the client reads.
pub(super) fn internal(method: &str, problem: &'static str) -> RpcError {
    let reference = Reference::new();
    tracing::error!(
        target: "mcp_kit::message",
        method = excerpt(method),
        reference = reference.to_string(),
        "{problem}"
    );
    RpcError::new(ErrorCode::InternalError, internal_text(reference))
}

/// The middlewares of a request whose answer has not left yet.
struct Leaving {
    entered: Lock<Option<Entered>>,
    /// What the client has sent, if a middleware has changed it.
    sent: Option<SentCall>,
}

impl Leaving {
    fn of(entered: Entered) -> Self {
        Self {
            entered: Lock::new(Some(entered)),
            sent: None,
        }
    }
}

/// The answer of a call leaves through the middlewares of its message.
impl Around for Leaving {
    fn leave(&self, call: &Arc<CallContext>, answer: Answer) -> AroundFuture {
        let entered = self.entered.lock().take();
        let call = Arc::clone(call);
        Box::pin(async move {
            let Some(entered) = entered else {
                return answer;
            };
            entered.answered(&answer.json);
            match entered.leave().await {
                (_, Left::Nothing) => answer,
                (id, left) => {
                    left.decide_status(&call);
                    let mut json = Vec::new();
                    write_left(&mut json, &id, &left);
                    Answer::new(json)
                }
            }
        })
    }

    fn sent(&self) -> Option<&SentCall> {
        self.sent.as_ref()
    }
}

impl Left {
    /// Records the error that the client receives: the status of an HTTP response
    /// depends on it.
    fn decide_status(&self, call: &CallContext) {
        let code = match self {
            Self::Result(_) => None,
            Self::Refused(error) => Some(error.code),
            // It is the one of the call.
            Self::Error(_) | Self::Nothing => return,
        };
        *call.protocol_error.lock() = code;
    }
}

/// An answer that was made at once waits for the middlewares of its message.
impl Work for Leaving {
    fn run(&self, context: &Arc<CallContext>) -> WorkFuture {
        let entered = self.entered.lock().take();
        let context = Arc::clone(context);
        Box::pin(async move {
            let entered = entered.ok_or_else(|| Error::internal("an answer was left twice"))?;
            let (id, left) = entered.leave().await;
            if let Left::Nothing = left {
                return Err(Error::internal(
                    "a middleware answered a request with nothing",
                ));
            }
            left.decide_status(&context);
            let mut json = Vec::new();
            write_left(&mut json, &id, &left);
            Ok(Answer::new(json))
        })
    }

    fn runs_while_draining(&self) -> bool {
        true
    }
}

static MESSAGES: KindRow = KindRow {
    kind: Kind::Method,
    has_text_arguments: false,
    write: |_, _, _| {},
    failure: as_protocol_error,
    unknown: |_, _, name| RpcError::method_not_found(name),
    completing: None,
};
