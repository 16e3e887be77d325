//! Calls of primitives from code, in this process.

use std::any::Any;
use std::cell::Cell;
use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use tokio::time::Instant;

use super::resources::Found;
use super::{Server, ServerInner};
use crate::call::{
    Call, CallContext, CallParts, CallRequest, CallText, CallTexts, Error, ErrorKind, Home,
    NoReply, Pending, Refusal, Reply, RequestSource, Settled, Transport,
};
use crate::caller::Principal;
use crate::content::{PromptResult, ResourceResult, ToolResult};
use crate::extract::{FromCall, Requirements};
use crate::primitive::Kind;
use crate::protocol::{Era, ProtocolVersion, RequestId};

/// The most calls that run inside each other on one thread.
const DEEPEST: u32 = 16;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Why a call from code has no result; see [`Server::call`],
/// [`get_prompt`](Server::get_prompt) and [`read_resource`](Server::read_resource).
///
/// Its text is what a client would read, so it holds no internal error's
/// source. In a handler, `?` makes an internal error of it, and `.or_user("…")`
/// replaces it with words of your own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// The server has nothing of this kind with that name or URI, or the caller may
    /// not read the URI.
    Unknown(Kind),
    /// The call was refused or failed, because of its scope, a rate, its
    /// arguments, its time, or the handler itself.
    Failed {
        /// The kind of the failure.
        kind: ErrorKind,
        /// The text that a client would read: the message, or for internal
        /// errors and panics the reference under which the log has the cause.
        message: String,
    },
    /// The result exceeds the limit of its tool, prompt or resource.
    ResultTooLarge {
        /// The bytes of the result as JSON.
        bytes: usize,
        /// The bytes that it may have.
        limit: usize,
    },
    /// Handlers call each other, or themselves, more than 16 levels deep.
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
            Self::Unknown(kind) => write!(f, "unknown {kind}"),
            Self::Failed { message, .. } => f.write_str(message),
            Self::ResultTooLarge { bytes, limit } => write!(
                f,
                "the result has {bytes} bytes, more than the limit of {limit}"
            ),
            Self::NestedTooDeeply => write!(
                f,
                "handlers call each other more than {DEEPEST} levels deep"
            ),
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
        let target = target.ok_or(CallError::Unknown(Kind::Tool))?;
        let raw = raw(&arguments)?;
        let reply = self.reply_of(principal.into(), target.into(), raw).await?;
        reply.into_tool().ok_or(CallError::Unknown(Kind::Tool))
    }

    /// Gets a prompt by its name, through its whole chain, as
    /// [`call`](Self::call) calls a tool.
    ///
    /// `arguments` is what a client would send: a JSON object with string values, or
    /// anything that serialises to one; `null` and `()` leave them out.
    ///
    /// ```
    /// use mcp_kit::prelude::*;
    ///
    /// /// Asks for a summary of the day.
    /// #[prompt]
    /// async fn summary() -> &'static str {
    ///     "Summarise what happened today."
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("diary", "1.0.0").prompt::<summary>().build()?;
    /// let nightly = Principal::new("nightly-job", ["read"]);
    /// let prompt = server.get_prompt(&nightly, "summary", ()).await?;
    /// assert_eq!(prompt.messages().len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CallError`]: the prompt does not exist, the call was refused or failed,
    /// or its result is too large.
    pub async fn get_prompt(
        &self,
        principal: impl Into<Principal>,
        prompt: &str,
        arguments: impl Serialize,
    ) -> Result<PromptResult, CallError> {
        let target = self.inner.registry.target(Kind::Prompt, prompt);
        let target = target.ok_or(CallError::Unknown(Kind::Prompt))?;
        let raw = raw(&arguments)?;
        let reply = self.reply_of(principal.into(), target.into(), raw).await?;
        reply.into_prompt().ok_or(CallError::Unknown(Kind::Prompt))
    }

    /// Reads the resource of a URI, through its whole chain, as
    /// [`call`](Self::call) calls a tool: a resource, or one of a template or a
    /// provider.
    ///
    /// ```
    /// use mcp_kit::prelude::*;
    ///
    /// /// The table of contents.
    /// #[resource(uri = "docs://index")]
    /// async fn index() -> &'static str {
    ///     "- Tides"
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("manual", "1.0.0").resource::<index>().build()?;
    /// let nightly = Principal::new("nightly-job", ["read"]);
    /// let read = server.read_resource(&nightly, "docs://index").await?;
    /// assert_eq!(read.as_text(), Some("- Tides"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CallError`]: nothing has this URI or the caller may not read it, the text is
    /// not a URI, the call was refused or failed, or its result is too large.
    pub async fn read_resource(
        &self,
        principal: impl Into<Principal>,
        uri: &str,
    ) -> Result<ResourceResult, CallError> {
        let unknown = CallError::Unknown(Kind::Resource);
        let found = self.inner.find_uri(uri).map_err(|problem| {
            CallError::arguments(&format!("the URI cannot be read: {problem}"))
        })?;
        let principal = principal.into();
        let found = found.filter(|found| found.check_readable(&principal, Era::Modern).is_ok());
        let found = found.ok_or_else(|| unknown.clone())?;
        let reply = self.reply_of(principal, found, None).await?;
        reply.into_resource().ok_or(unknown)
    }

    /// Runs what was found, with these arguments unless it has its own.
    async fn reply_of(
        &self,
        principal: Principal,
        found: Found,
        arguments: Option<String>,
    ) -> Result<Reply, CallError> {
        let Found {
            target,
            subject,
            arguments: own,
        } = found;
        let unknown = CallError::Unknown(target.info.kind());
        let arguments = own.or(arguments);
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
            received_at: Instant::now(),
            text: CallText::new(CallTexts {
                arguments: arguments.as_deref(),
                ..CallTexts::default()
            }),
            client: None,
            principal,
            progress_token: None,
            log_level: None,
            scope: None,
            subject,
        }));
        if DEPTH.get() >= DEEPEST {
            if let Some(ended) = pending.end() {
                ended.turn_away(Refusal::NestedTooDeeply);
            }
            return Err(CallError::NestedTooDeeply);
        }
        let Some(mut running) = pending.run(None) else {
            return Err(unknown); // no other code can have ended it
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
            Some(Ok(reply)) => Ok(reply),
            Some(Err(NoReply::Failed { kind, message })) => {
                Err(CallError::Failed { kind, message })
            }
            Some(Err(NoReply::TooLarge { bytes, limit })) => {
                Err(CallError::ResultTooLarge { bytes, limit })
            }
            None => Err(unknown),
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
