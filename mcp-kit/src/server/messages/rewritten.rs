//! Messages whose parameters a middleware has changed: written again, and read like those
//! of a client.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::super::ServerInner;
use super::internal;
use crate::call::SentCall;
use crate::protocol::message::{Message, Notification, Request, decode_one};
use crate::protocol::{RequestId, RpcError, encode, json_string};

/// The problem of a message that a middleware has made too large.
pub(super) const TOO_LARGE: &str =
    "a message middleware has set parameters of more than `Limits::message_bytes`";

/// The text of a message with other parameters.
pub(super) struct Rewritten(Vec<u8>);

impl Rewritten {
    pub(super) fn new(id: Option<&RequestId>, method: &str, params: &RawValue) -> Self {
        let mut text = Vec::with_capacity(params.get().len() + 128);
        match id {
            Some(id) => encode::request(&mut text, id, method, params),
            None => encode::notification(&mut text, method, &params),
        }
        Self(text)
    }

    /// Reads the request.
    pub(super) fn request(
        &self,
        method: &str,
        server: &ServerInner,
    ) -> Result<Request<'_>, RpcError> {
        if self.0.len() > server.limits.message_bytes {
            return Err(internal(method, TOO_LARGE));
        }
        match decode_one(&self.0) {
            Ok(Message::Request(request)) => Ok(request),
            Ok(_) => Err(internal(method, "a rewritten message is not a request")),
            Err(malformed) => Err(malformed.error),
        }
    }
}

/// A notification after its middlewares.
pub(crate) enum Passed<'a> {
    /// It is not handled.
    No,
    AsSent(&'a Notification<'a>),
    Changed(PassedText),
}

/// The text of a notification that a middleware has changed.
pub(crate) struct PassedText(Rewritten);

impl Passed<'_> {
    pub(super) fn changed(method: &str, params: &RawValue) -> Self {
        Self::Changed(PassedText(Rewritten::new(None, method, params)))
    }

    /// Returns the notification that is handled. One that cannot be read is not.
    pub(crate) fn notification(&self) -> Option<Cow<'_, Notification<'_>>> {
        match self {
            Self::No => None,
            Self::AsSent(notification) => Some(Cow::Borrowed(notification)),
            Self::Changed(PassedText(Rewritten(text))) => match decode_one(text) {
                Ok(Message::Notification(notification)) => Some(Cow::Owned(notification)),
                _ => None,
            },
        }
    }
}

/// Returns what a client has sent, for a call with other parameters.
pub(super) fn sent_call(request: &Request<'_>) -> SentCall {
    let params = &request.params;
    let key = params.name.or(params.uri).map(RawValue::get);
    let key = key.and_then(json_string).unwrap_or_default();
    SentCall {
        key: key.into(),
        arguments: params.arguments.map_or("{}", RawValue::get).into(),
    }
}
