//! The way of messages through their middlewares as the rest of the server reaches it:
//! through one value, which only the setters of such middlewares and of extensions refer
//! to. The linker drops it, and with it most of `messages`, from a program that calls
//! neither.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use super::{EnteredMessages, Messages, Passed};
use crate::extension::MessageMiddleware;
use crate::protocol::message::{Notification, Request};
use crate::protocol::meta::Meta;
use crate::protocol::{Era, ProtocolVersion, RpcError};
use crate::server::{Limits, Routed, ServerInner, Session};

/// What the server calls if messages pass middlewares.
pub(in crate::server) struct MessageCode {
    /// Returns `None` if there are no middlewares.
    pub(in crate::server) new: Make,
    route: Route,
    enter: Enter,
    passed: for<'a> fn(&ServerInner, &mut Session, &'a Notification<'a>) -> Passed<'a>,
}

type Make = fn(Vec<Arc<dyn MessageMiddleware>>, &Limits) -> Option<Box<Messages>>;

type Route = fn(
    &Arc<ServerInner>,
    &Messages,
    Era,
    &mut Session,
    &Request<'_>,
    &Meta<'_>,
    &mut Vec<u8>,
) -> Result<Routed, RpcError>;

type Enter =
    fn(&Arc<ServerInner>, &Messages, &Session, Option<ProtocolVersion>, bool, &[u8]) -> Entering;

/// The way in of the messages of a frame.
type Entering = Pin<Box<dyn Future<Output = EnteredMessages> + Send>>;

pub(in crate::server) static CODE: MessageCode = MessageCode {
    new: Messages::new,
    route: ServerInner::route_entered,
    enter: |server, messages, session, version, is_modern, frame| {
        Box::pin(server.enter_layers(messages, session, version, is_modern, frame))
    },
    passed: ServerInner::passed,
};

impl ServerInner {
    /// Lets the messages of a frame pass their middlewares on the way in, one after the
    /// other. The frame is handled once this is ready, with the result in its
    /// [`Session`]. `version` is the one of a message without metadata.
    pub(crate) fn enter(
        self: &Arc<Self>,
        session: &Session,
        version: Option<ProtocolVersion>,
        is_modern: bool,
        frame: &[u8],
    ) -> Entering {
        match &self.messages {
            Some(messages) => {
                (messages.code.enter)(self, messages, session, version, is_modern, frame)
            }
            None => Box::pin(ready(EnteredMessages::default())),
        }
    }

    /// Routes a request that has entered its middlewares, and lets its answer leave
    /// them.
    #[cold]
    pub(in crate::server) fn route_within(
        self: &Arc<Self>,
        messages: &Messages,
        era: Era,
        session: &mut Session,
        request: &Request<'_>,
        meta: &Meta<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Routed, RpcError> {
        (messages.code.route)(self, messages, era, session, request, meta, out)
    }

    /// Returns the notification that must be handled, if it has passed its middlewares.
    pub(crate) fn passes<'a>(
        &self,
        session: &mut Session,
        notification: &'a Notification<'a>,
    ) -> Passed<'a> {
        match &self.messages {
            Some(messages) => (messages.code.passed)(self, session, notification),
            None => Passed::AsSent(notification),
        }
    }
}
