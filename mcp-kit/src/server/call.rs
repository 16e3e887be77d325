//! Calls of tools from code, in this process.

use std::any::Any;
use std::cell::Cell;
use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::{Server, ServerInner};
use crate::call::{
    Call, CallContext, CallParts, CallRequest, CallText, CallTexts, Error, ErrorKind, Home,
    NoReply, Pending, Refusal, RequestSource, Settled, Transport,
};
use crate::caller::Principal;
use crate::content::ToolResult;
use crate::extract::{FromCall, Requirements};
use crate::primitive::Kind;
use crate::protocol::{ProtocolVersion, RequestId};

/// The most calls that run inside each other on one thread.
const DEEPEST: u32 = 16;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Why a call from code has no result; see [`Server::call`].
///
/// Its text is what a client would read, so it holds no internal error's
/// source. In a handler, `?` makes an internal error of it, and `.or_user("…")`
/// replaces it with words of your own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// The server has no tool of that name.
    UnknownTool,
    /// The call was refused or failed, because of its scope, a rate, its
    /// arguments, its time, or the tool itself.
    Failed {
        /// The kind of the failure.
        kind: ErrorKind,
        /// The text that a client would read: the message, or for internal
        /// errors and panics the reference under which the log has the cause.
        message: String,
    },
    /// The result exceeds the tool's limit.
    ResultTooLarge {
        /// The bytes of the result as JSON.
        bytes: usize,
        /// The bytes that the tool may return.
        limit: usize,
    },
    /// Tools call each other, or themselves, more than 16 deep.
    NestedTooDeeply,
}

impl CallError {
    fn arguments(message: &str) -> Self {
        Self::Failed {
            kind: ErrorKind::InvalidArguments,
            message: message.to_owned(),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownTool => f.write_str("unknown tool"),
            Self::Failed { message, .. } => f.write_str(message),
            Self::ResultTooLarge { bytes, limit } => write!(
                f,
                "the result has {bytes} bytes, more than the {limit} that this tool may return"
            ),
            Self::NestedTooDeeply => write!(f, "tools call each other more than {DEEPEST} deep"),
        }
    }
}

impl StdError for CallError {}

impl Server {
    /// Calls a tool by its name, through its whole chain: authorization, rate,
    /// timeout, concurrency, validation, your middlewares, the log and the
    /// metrics, exactly as for a client that is `principal`.
    ///
    /// `arguments` is what a client would send: a JSON object, or anything that
    /// serialises to one; `null` and `()` leave them out. Dropping the future
    /// cancels the call. It needs a tokio runtime. A handler that looks at its
    /// [`RequestInfo`](crate::RequestInfo) finds an id of its own, such as
    /// `server.call/7`, and no client.
    ///
    /// A handler may call tools of its own server: it takes a [`Server`] as a
    /// parameter. Such a call takes no place among the calls that may run at
    /// once (`calls_per_server`), since the handler that waits for it has one,
    /// so that handlers never wait for each other's places. A tool's own
    /// concurrency limit does hold: a tool that is limited to one call and calls
    /// itself waits until its time is up.
    ///
    /// ```
    /// use mcp_kit::prelude::*;
    /// use serde_json::json;
    ///
    /// /// Says hello.
    /// #[tool]
    /// async fn hello() -> &'static str {
    ///     "Hello!"
    /// }
    ///
    /// /// Says hello twice.
    /// #[tool]
    /// async fn hello_twice(server: Server, principal: Principal) -> Result<String, ToolError> {
    ///     let once = server.call(&principal, "hello", json!({})).await?;
    ///     let text = once.as_text().unwrap_or_default();
    ///     Ok(format!("{text} {text}"))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("greeter", "1.0.0")
    ///     .tool::<hello>()
    ///     .tool::<hello_twice>()
    ///     .build()?;
    /// let nightly = Principal::new("nightly-job", ["read"]);
    /// let result = server.call(&nightly, "hello_twice", json!({})).await?;
    /// assert_eq!(result.as_text(), Some("Hello! Hello!"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CallError`]: the tool does not exist, the call was refused or failed,
    /// or its result is too large. A result by which the tool itself reports a
    /// failure ([`ToolResult::is_error`]) is not an error here.
    pub async fn call(
        &self,
        principal: impl Into<Principal>,
        tool: &str,
        arguments: impl Serialize,
    ) -> Result<ToolResult, CallError> {
        let target = self.inner.registry.target(Kind::Tool, tool);
        let target = target.ok_or(CallError::UnknownTool)?;
        let raw = raw(&arguments)?;
        let pending = Pending::new(CallContext::new(CallParts {
            target,
            home: Arc::clone(&self.inner) as Arc<dyn Home>,
            request: CallRequest {
                id: fresh_id(),
                version: ProtocolVersion::V2026_07_28,
                transport: Transport::Code,
                source: RequestSource::default(),
                may_ask: false,
            },
            text: CallText::new(CallTexts {
                arguments: raw.as_deref(),
                ..CallTexts::default()
            }),
            client: None,
            principal: principal.into(),
            progress_token: None,
            log_level: None,
            scope: None,
            subject: None,
        }));
        if DEPTH.get() >= DEEPEST {
            if let Some(ended) = pending.end() {
                ended.turn_away(Refusal::NestedTooDeeply);
            }
            return Err(CallError::NestedTooDeeply);
        }
        let Some(mut running) = pending.run(None) else {
            return Err(CallError::UnknownTool); // no other code can have ended it
        };
        // Calls inside each other are polled inside each other.
        let settled = poll_fn(|cx| {
            let depth = DEPTH.get();
            DEPTH.set(depth + 1);
            let polled = running.poll_settled(cx);
            DEPTH.set(depth);
            polled
        })
        .await;
        let reply = settled.map(Settled::into_reply);
        match reply {
            Some(Ok(reply)) => reply.into_tool().ok_or(CallError::UnknownTool),
            Some(Err(NoReply::Failed { kind, message })) => {
                Err(CallError::Failed { kind, message })
            }
            Some(Err(NoReply::TooLarge { bytes, limit })) => {
                Err(CallError::ResultTooLarge { bytes, limit })
            }
            None => Err(CallError::UnknownTool),
        }
    }
}

/// Extracts the server that runs the handler, to [`call`](Server::call) its
/// tools.
impl FromCall for Server {
    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        let home: Arc<dyn Any + Send + Sync> = Arc::clone(&call.context().home) as _;
        match home.downcast::<ServerInner>() {
            Ok(inner) => Ok(Self { inner }),
            Err(_) => Err(Error::internal("the call was made without a server")),
        }
    }

    fn requires(_: &mut Requirements) {}
}

/// Returns an id that no other call from code in this process has.
fn fresh_id() -> RequestId {
    static CALLS: AtomicU64 = AtomicU64::new(1);
    let number = CALLS.fetch_add(1, Ordering::Relaxed);
    RequestId::String(format!("server.call/{number}").into())
}

/// Returns the arguments' text; `None` if they are omitted.
fn raw(arguments: &impl Serialize) -> Result<Option<String>, CallError> {
    let raw = serde_json::to_string(arguments)
        .map_err(|_| CallError::arguments("the arguments have no JSON form"))?;
    match raw.as_bytes().first() {
        Some(b'{') => Ok(Some(raw)),
        _ if raw == "null" => Ok(None),
        _ => Err(CallError::arguments("the arguments must be an object")),
    }
}
