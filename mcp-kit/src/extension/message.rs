//! Middlewares around every message, whatever its method. Those around calls
//! ([`Middleware`](crate::middleware::Middleware)) know the primitive and its arguments;
//! these see what every request and notification has.

use std::fmt;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::entered::MessageNext;
use crate::call::{Error, Transport};
use crate::caller::Principal;
use crate::protocol::params::{member, with_meta};
use crate::protocol::{Era, ProtocolVersion, RequestId, RpcError, encode};

/// Wraps every message of a client: each request, whatever its method (`initialize`,
/// `server/discover`, `ping`, lists, calls, subscriptions, tasks, those of extensions),
/// and each notification.
///
/// It sees the message before it is handled and the answer after, can refuse it, wait,
/// and answer in its place. [`ServerBuilder::message_layer`] and
/// [`ProtocolExtension::message_layer`] add it. A server without such a middleware pays
/// nothing for them.
///
/// ```
/// use mcp_kit::Error;
/// use mcp_kit::extension::{Message, MessageMiddleware, MessageNext, MessageReply};
///
/// /// Lets guests list, and nothing else.
/// struct GuestsList;
///
/// #[mcp_kit::async_trait]
/// impl MessageMiddleware for GuestsList {
///     async fn handle(&self, message: Message, next: MessageNext<'_>) -> Result<MessageReply, Error> {
///         let lists = ["initialize", "server/discover", "ping", "tools/list"];
///         if message.principal().name() == "guest"
///             && !message.is_notification()
///             && !lists.contains(&message.method())
///         {
///             return Err(Error::forbidden("Guests may only list the tools."));
///         }
///         next.run(message).await
///     }
/// }
///
/// let server = mcp_kit::Server::builder("notes", "1.0.0")
///     .message_layer(GuestsList)
///     .build()?;
/// # Ok::<(), mcp_kit::server::BuildError>(())
/// ```
///
/// # Order, time and end
///
/// The messages of a connection are handled in order. While a middleware waits before
/// `next`, later messages of that connection wait too, including cancellations. Over
/// HTTP each request is independent; the messages of a batch enter in order. That wait,
/// and the one after `next`, have the server's time limit for calls each
/// ([`Limits::call_time`](crate::server::Limits::call_time)); a message whose middlewares
/// exceed it is refused. A future that waits is dropped if its client leaves.
///
/// After `next`, a call has ended for the observers, and its answer waits for the
/// middleware. A message can be refused before its method runs: a missing header, a
/// repeated id, a server that drains. Then `next` does not return and the middleware's
/// future is dropped, as for a call that is cancelled, or refused while it waits or
/// runs. The handshake (`initialize`) and subscriptions (`subscriptions/listen`,
/// `resources/subscribe`) take effect after every middleware has returned: `next` returns
/// the answer that the server will send, an error that a middleware returns prevents the
/// effect, and later messages of the connection wait until then. A notification has no answer, so what follows `next` changes
/// nothing. A panic is contained, and refuses the message.
///
/// Answers of clients to questions of the server are not messages of this kind: they
/// belong to a call that has already passed, and its handler checks them. Neither are
/// calls from code ([`Server::call`](crate::Server::call)).
///
/// [`ServerBuilder::message_layer`]: crate::server::ServerBuilder::message_layer
/// [`ProtocolExtension::message_layer`]: super::ProtocolExtension::message_layer
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a middleware around messages",
    label = "does not implement `MessageMiddleware`",
    note = "implement `mcp_kit::extension::MessageMiddleware` for it; a middleware around calls is added with `.layer(…)`"
)]
#[async_trait]
pub trait MessageMiddleware: Send + Sync + 'static {
    /// Handles a message: runs `next`, or answers in its place.
    ///
    /// # Errors
    ///
    /// An error refuses the message: a request is answered with a JSON-RPC error
    /// (-32603, with the kind as `data.reason`; -32602 for
    /// [`Error::not_found`]), of which an internal error shows only a reference. A
    /// notification is dropped.
    async fn handle(&self, message: Message, next: MessageNext<'_>) -> Result<MessageReply, Error>;
}

/// A message of a client, as [`MessageMiddleware`]s see it.
pub struct Message(pub(super) Box<Inner>);

pub(super) struct Inner {
    pub(super) method: Box<str>,
    pub(super) id: Option<RequestId>,
    pub(super) params: Option<Box<RawValue>>,
    /// Whether a middleware has changed the parameters.
    pub(super) is_changed: bool,
    pub(super) principal: Principal,
    pub(super) era: Era,
    pub(super) version: Option<ProtocolVersion>,
    pub(super) transport: Transport,
}

impl Message {
    /// Returns the method, as the client sent it.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.0.method
    }

    /// Returns the id of a request; a notification has none.
    #[must_use]
    pub fn id(&self) -> Option<&RequestId> {
        self.0.id.as_ref()
    }

    /// Whether it is a notification, which has no answer.
    #[must_use]
    pub fn is_notification(&self) -> bool {
        self.0.id.is_none()
    }

    /// Returns the `params` as JSON text, as the client sent them or a middleware has set
    /// them. Nothing has checked them. Do not log them.
    #[must_use]
    pub fn params(&self) -> Option<&str> {
        self.0.params.as_deref().map(RawValue::get)
    }

    /// Reads the `params` as a type; `None` if they are absent or have another form.
    #[must_use]
    pub fn read_params<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.params()?).ok()
    }

    /// Sets the `params` with which the message is handled, in place of those that the
    /// client sent. The inner middlewares see them.
    ///
    /// They are checked like a client's: which primitive they name, whether its caller may
    /// use it, its limits, and its arguments. Their `_meta` is ignored: that of the client
    /// stays, with its version, its capabilities and its progress token. Over HTTP the
    /// headers `Mcp-Name` and `Mcp-Param-*` must repeat what the client sent, and so must
    /// the next round of a call that asks (`requestState`). A middleware that changes what
    /// is called should do so in the same way in each round.
    ///
    /// # Errors
    ///
    /// Returns an internal error if `params` does not serialise to a JSON object. If the
    /// message has more than [`Limits::message_bytes`] with them, a request is answered
    /// with an internal error and a notification is dropped; both are logged.
    ///
    /// # Examples
    ///
    /// ```
    /// use mcp_kit::Error;
    /// use mcp_kit::extension::{Message, MessageMiddleware, MessageNext, MessageReply};
    /// use serde_json::Value;
    ///
    /// /// Lets clients call a renamed tool by its former name.
    /// struct FormerName;
    ///
    /// #[mcp_kit::async_trait]
    /// impl MessageMiddleware for FormerName {
    ///     async fn handle(
    ///         &self,
    ///         mut message: Message,
    ///         next: MessageNext<'_>,
    ///     ) -> Result<MessageReply, Error> {
    ///         if message.method() == "tools/call"
    ///             && let Some(mut params) = message.read_params::<Value>()
    ///             && params["name"] == "find"
    ///         {
    ///             params["name"] = "search".into();
    ///             message.set_params(&params)?;
    ///         }
    ///         next.run(message).await
    ///     }
    /// }
    /// ```
    ///
    /// [`Limits::message_bytes`]: crate::server::Limits::message_bytes
    pub fn set_params(&mut self, params: impl Serialize) -> Result<(), Error> {
        let json = serde_json::value::to_raw_value(&params).and_then(encode::on_one_line)?;
        if !json.get().starts_with('{') {
            return Err(Error::internal(
                "the parameters of a message must be an object",
            ));
        }
        let message = &mut self.0;
        let sent = message.params.take();
        let meta = (sent.as_deref()).and_then(|sent| member(sent, "_meta"));
        message.params = Some(with_meta(&json, meta)?);
        message.is_changed = true;
        Ok(())
    }

    /// Returns the caller.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.0.principal
    }

    /// Returns the era of the message.
    #[must_use]
    pub fn era(&self) -> Era {
        self.0.era
    }

    /// Returns the protocol version of the message; `None` before `initialize`.
    #[must_use]
    pub fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.version
    }

    /// Returns how the message reached the server.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.0.transport
    }
}

/// Omits the parameters, which are the client's data.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("method", &self.method())
            .field("id", &self.id())
            .field("principal", &self.principal().name())
            .finish_non_exhaustive()
    }
}

/// The answer to a message, as [`MessageMiddleware`]s see it and as they may replace
/// it.
#[derive(Debug)]
pub struct MessageReply(pub(super) Answered);

#[derive(Debug)]
pub(super) enum Answered {
    /// The result object.
    Result(Box<RawValue>),
    /// A JSON-RPC error that was not written yet.
    Refused(RpcError),
    /// The error object of an answer.
    Error { object: Box<RawValue>, code: i32 },
    /// No answer: a notification was handled, or a subscription is open.
    Nothing,
}

impl MessageReply {
    /// Creates a result, in place of the one of the method or of running it. It has to
    /// be an object with what the specification requires of the method's result; in
    /// 2026-07-28, `resultType` is added if it is missing. A notification has no
    /// answer, so it is ignored there.
    ///
    /// # Errors
    ///
    /// Returns an internal error if `result` does not serialise to a JSON object.
    pub fn from_result(result: impl Serialize) -> Result<Self, Error> {
        let json = serde_json::value::to_raw_value(&result).and_then(encode::on_one_line)?;
        if !json.get().starts_with('{') {
            return Err(Error::internal("the result of a message must be an object"));
        }
        Ok(Self(Answered::Result(json)))
    }

    /// Reads the answer of a request from the message that it is sent as.
    pub(super) fn of_message(json: &[u8]) -> Self {
        #[derive(serde::Deserialize)]
        struct Sent<'a> {
            #[serde(borrow)]
            result: Option<&'a RawValue>,
            #[serde(borrow)]
            error: Option<&'a RawValue>,
        }
        #[derive(serde::Deserialize)]
        struct Code {
            code: i32,
        }
        let sent: Option<Sent<'_>> = serde_json::from_slice(json).ok();
        Self(match sent {
            Some(Sent {
                result: Some(result),
                ..
            }) => Answered::Result(result.to_owned()),
            Some(Sent {
                error: Some(error), ..
            }) => {
                let code: Option<Code> = serde_json::from_str(error.get()).ok();
                Answered::Error {
                    object: error.to_owned(),
                    code: code.map_or(0, |code| code.code),
                }
            }
            _ => Answered::Nothing,
        })
    }

    /// Returns the result object as JSON text; `None` for an error, a notification,
    /// and a subscription that opens.
    #[must_use]
    pub fn as_json(&self) -> Option<&str> {
        match &self.0 {
            Answered::Result(result) => Some(result.get()),
            _ => None,
        }
    }

    /// Reads the result object; `None` as for [`as_json`](Self::as_json).
    #[must_use]
    pub fn to_value(&self) -> Option<Value> {
        serde_json::from_str(self.as_json()?).ok()
    }

    /// Returns the code of the JSON-RPC error, if the answer is one. The failure of a
    /// tool is a result (`isError`).
    #[must_use]
    pub fn error_code(&self) -> Option<i32> {
        match &self.0 {
            Answered::Refused(error) => Some(error.code.code()),
            Answered::Error { code, .. } => Some(*code),
            Answered::Result(_) | Answered::Nothing => None,
        }
    }
}
