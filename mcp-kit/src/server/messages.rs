//! The middlewares around every message: where messages enter them, and where answers
//! leave.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::dispatch::{Ask, Called, Session};
use super::resources::Found;
use super::{Limits, Routed, ServerInner, methods};
use crate::call::{
    Answer, Around, AroundFuture, CallContext, Error, KindRow, Target, Work, WorkFuture,
    as_protocol_error, internal_text,
};
use crate::extension::{
    Entered, EnteredMessages, Left, MessageLayers, MessageMiddleware, MessageOrigin, MessageParts,
    write_left,
};
use crate::observe::Log;
use crate::primitive::Kind;
use crate::protocol::message::{
    Frame, Message, Notification, Request, decode, decode_one, whole_params,
};
use crate::protocol::meta::Meta;
use crate::protocol::{Era, ErrorCode, ProtocolVersion, RpcError};
use crate::support::lock::Lock;
use crate::support::reference::Reference;
use crate::support::task::spawn_on;
use crate::support::text::excerpt;

/// The middlewares around the messages of a server.
pub(super) struct Messages {
    layers: MessageLayers,
    time: Duration,
    /// What a request calls whose answer waits for its middlewares.
    target: Arc<Target>,
}

impl Messages {
    /// Returns `None` if there are none.
    pub(super) fn new(
        layers: Vec<Arc<dyn MessageMiddleware>>,
        limits: &Limits,
    ) -> Option<Box<Self>> {
        Some(Box::new(Self {
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

    /// Lets the messages of a frame pass their middlewares on the way in, one after the
    /// other. The frame is handled once this is ready, with the result in its
    /// [`Session`]. `version` is the one of a message without metadata.
    pub(crate) fn enter(
        &self,
        session: &Session,
        version: Option<ProtocolVersion>,
        is_modern: bool,
        frame: &[u8],
    ) -> impl Future<Output = EnteredMessages> + Send + use<> {
        let layers = self.messages.as_ref();
        let layers = layers.map(|messages| (messages.layers.clone(), messages.time));
        let parts = match &layers {
            Some(_) => parts_of(frame, is_modern, self.limits.pending_calls),
            None => Vec::new(),
        };
        let origin = MessageOrigin {
            principal: session.principal.clone(),
            version,
            transport: session.origin.transport,
        };
        async move {
            let Some((layers, time)) = layers else {
                return EnteredMessages::default();
            };
            let until = Instant::now() + time;
            let mut entered = Vec::with_capacity(parts.len());
            for parts in parts {
                entered.push(layers.enter(parts, &origin, (until, time)).await);
            }
            EnteredMessages::new(entered)
        }
    }

    /// Routes a request that has entered its middlewares, and lets its answer leave
    /// them.
    #[cold]
    pub(super) fn route_within(
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
        let start = out.len();
        let (version, client) = (session.version, session.client.clone());
        let is_handshake = (methods::find(&request.method)).is_some_and(|of| of.is_initialize());
        let routed = self.routed(era, session, request, meta, out);
        match &routed {
            Ok(Routed::Done) => entered.answered(out.get(start..).unwrap_or_default()),
            Ok(Routed::Listen(_) | Routed::Watch(_)) => entered.handled(),
            Err(error) => entered.failed(error.clone()),
            Ok(Routed::Run(_)) => {}
        }
        if let Ok(Routed::Run(call)) = routed {
            return Ok(Routed::Run(call.within(Box::new(Leaving::of(entered)))));
        }
        match entered.leave_at_once() {
            Some(Left::Nothing) => routed,
            Some(left) => {
                out.truncate(start);
                if is_handshake && !matches!(left, Left::Result(_)) {
                    (session.version, session.client) = (version, client);
                }
                written(left, request, out)
            }
            None if matches!(routed, Ok(Routed::Done) | Err(_))
                && session.is_open(era)
                && !is_handshake =>
            {
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
            // The answer is part of what the transport does next.
            None => {
                self.end_elsewhere(entered);
                routed
            }
        }
    }

    /// Whether a notification has passed its middlewares, and must be handled.
    pub(crate) fn passes(&self, session: &mut Session, notification: &Notification<'_>) -> bool {
        if self.messages.is_none() {
            return true;
        }
        let entered = session.entered.take(None, &notification.method);
        let Some(Ok(mut entered)) = entered.map(Entered::refused) else {
            return false;
        };
        entered.handled();
        if entered.leave_at_once().is_none() {
            self.end_elsewhere(entered);
        }
        true
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

impl Session {
    /// Whether its requests may become calls: the handshake, if it has one, is over.
    fn is_open(&self, era: Era) -> bool {
        era == Era::Modern || self.version.is_some()
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
fn internal(method: &str, problem: &'static str) -> RpcError {
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
struct Leaving(Lock<Option<Entered>>);

impl Leaving {
    fn of(entered: Entered) -> Self {
        Self(Lock::new(Some(entered)))
    }
}

/// The answer of a call leaves through the middlewares of its message.
impl Around for Leaving {
    fn leave(&self, answer: Answer) -> AroundFuture {
        let entered = self.0.lock().take();
        Box::pin(async move {
            let Some(entered) = entered else {
                return answer;
            };
            entered.answered(&answer.json);
            match entered.leave().await {
                (_, Left::Nothing) => answer,
                (id, left) => {
                    let mut json = Vec::new();
                    write_left(&mut json, &id, &left);
                    Answer::new(json)
                }
            }
        })
    }
}

/// An answer that was made at once waits for the middlewares of its message.
impl Work for Leaving {
    fn run(&self, context: &Arc<CallContext>) -> WorkFuture {
        let entered = self.0.lock().take();
        let context = Arc::clone(context);
        Box::pin(async move {
            let entered = entered.ok_or_else(|| Error::internal("an answer was left twice"))?;
            let (id, left) = entered.leave().await;
            match &left {
                Left::Nothing => {
                    return Err(Error::internal(
                        "a middleware answered a request with nothing",
                    ));
                }
                // The status of an HTTP response depends on it.
                Left::Refused(error) => {
                    let _ = context.protocol_error.set(error.code);
                }
                Left::Result(_) | Left::Error(_) => {}
            }
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
};
