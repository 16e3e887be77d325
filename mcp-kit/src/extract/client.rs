//! Asks the client of a call, and sends it log messages.

mod asking;
mod elicit;
mod notify;
mod roots;
mod sample;
mod url;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Weak};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::{FromCall, Requirements};
pub use asking::Asking;
pub use elicit::Elicited;
pub use roots::Root;
pub use sample::{SampleRequest, Sampled};
pub use url::UrlElicitation;

use crate::call::{Call, CallContext, Error, ErrorKind, Question, Rejected, Rounds, Transport};
use crate::primitive::Kind;
use crate::protocol::{ClientCapabilities, ClientCapability, Era, LogLevel, ProtocolVersion};

/// The client of the call, which a handler can ask.
///
/// A client is asked only for what it has declared to support:
/// [`can_elicit`](Self::can_elicit), [`can_elicit_url`](Self::can_elicit_url),
/// [`can_sample`](Self::can_sample) and [`has_roots`](Self::has_roots) report
/// it. Any other question returns an error that names the missing capability.
///
/// In 2026-07-28 only calls of tools, prompts and resources may be answered with
/// questions. In a method of an extension and in a completion these methods return
/// false for a client of that version.
///
/// A `blocking` tool cannot take it, since it cannot wait for an answer.
#[derive(Clone)]
pub struct Client {
    /// Weak, so that a handler that keeps it does not keep the call.
    call: Weak<CallContext>,
    kind: Kind,
    version: ProtocolVersion,
    /// Whether this is a legacy client to which no request can be sent while its
    /// call runs.
    is_out_of_reach: bool,
    /// Whether there is a way to ask this client.
    can_be_asked: bool,
    rounds: Arc<Rounds>,
    capabilities: ClientCapabilities,
}

impl Client {
    /// Returns whether this call can ask its client to show a form to its user: the client
    /// has declared that it does, and there is a way to ask it.
    #[must_use]
    pub fn can_elicit(&self) -> bool {
        self.can_be_asked && self.capabilities.has(ClientCapability::Form)
    }

    /// Returns whether this call can ask its client to open a URL for its user: the client
    /// has declared that it does, and there is a way to ask it.
    #[must_use]
    pub fn can_elicit_url(&self) -> bool {
        let is_reachable = self.can_be_asked || self.is_out_of_reach;
        is_reachable && self.capabilities.has(ClientCapability::Url)
    }

    /// Returns whether this call can ask its client to use its model: the client has
    /// declared that it does, and there is a way to ask it.
    #[must_use]
    pub fn can_sample(&self) -> bool {
        self.can_be_asked && self.capabilities.has(ClientCapability::Sampling)
    }

    /// Returns whether this call can ask its client for the folders that the server may
    /// work in: the client has declared that it lists them, and there is a way to ask it.
    #[must_use]
    pub fn has_roots(&self) -> bool {
        self.can_be_asked && self.capabilities.has(ClientCapability::Roots)
    }

    /// Runs a step once per logical call, however often its handler runs, and
    /// returns its result: for effects between two questions, or after the last
    /// one.
    ///
    /// In the modern era (2026-07-28) each answer of the client makes the handler
    /// run again from its top, and a client can also send the same round twice. A
    /// step that has ended is not run again: its result is in the state that the
    /// client carries, where the client can neither read nor change it, and for
    /// rounds that are sent again in a table of the process. Of two that run at the
    /// same time, one waits for the other.
    ///
    /// `key` distinguishes the steps of one call. The result is stored as JSON: it
    /// should be small, since all of a call's state has at most
    /// [`Limits::state_bytes`](crate::server::Limits::state_bytes).
    ///
    /// A step that failed, or that was dropped before its end, runs again. A round
    /// that is sent again to another process runs the step there again if the state
    /// does not hold its result yet: systems behind it that must never see a step
    /// twice need a key of their own, such as an idempotency key.
    ///
    /// # Errors
    ///
    /// Returns the step's own error; a busy error if the caller has too many calls
    /// with steps; and an internal one if the result has no JSON form or is too
    /// large.
    pub async fn once<T, F>(&self, key: &str, step: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T, Error>>,
    {
        let slot = self.rounds.step(key)?;
        let run = || async {
            let result = to_raw_value(&step.await?).map_err(Error::internal)?;
            self.rounds.count_step(key, result.get().len())?;
            Ok::<_, Error>(result)
        };
        let result = slot.get_or_try_init(run).await?;
        serde_json::from_str(result.get()).map_err(Error::internal)
    }

    /// Asks the client, in the way of its era, and waits for the answer.
    async fn ask_with<T>(
        &self,
        mut question: Question,
        mut read: impl FnMut(&RawValue) -> Result<T, Rejected>,
    ) -> Result<T, Error> {
        let kind = self.kind;
        let Some(call) = self.call.upgrade() else {
            return Err(Error::internal(
                "a client was asked after its call had ended",
            ));
        };
        let has_rounds = call.has_rounds();
        let can_be_asked = call.ask.is_some() || has_rounds;
        let request = &call.request;
        if !can_be_asked && (request.transport == Transport::Code || !request.may_ask) {
            return Err(Error::no_client(kind));
        }
        if !self.capabilities.has(question.needs) {
            return Err(Error::missing_capability(kind, question.needs));
        }
        let ask = match &call.ask {
            _ if has_rounds => return self.rounds.ask(question, read).await,
            Some(ask) => ask,
            None => return Err(Error::no_client(kind)),
        };
        loop {
            // The client of a task is asked again, and others read what was wrong.
            let same = call.task.as_ref().map(|_| question.clone());
            let answer = ask.ask(&call, question).await?;
            match (read(&answer), same) {
                (Ok(value), _) => return Ok(value),
                (Err(rejected), None) => return Err(rejected.error),
                (Err(rejected), Some(same)) => {
                    let params = rejected.again.unwrap_or(same.params);
                    question = Question { params, ..same };
                }
            }
        }
    }
}

/// A larger log message is not sent.
const LARGEST_MESSAGE: usize = 64 * 1024;

impl Client {
    /// Sends a log message to the client, which may show it to its user: a text,
    /// or any value that serialises to JSON.
    ///
    /// The message is sent if its level is at least the one that the client has
    /// asked for: with the request in the modern era (without it, nothing is
    /// sent), with `logging/setLevel` before that (`info`, unless it was
    /// called). It is dropped if the client does not read, if it is larger than
    /// 64 KiB, or if the call has ended. The name of the primitive is its `logger`.
    ///
    /// The client's user reads it: it must not contain secrets, nor anything that
    /// [`ToolError`](crate::ToolError) would keep from a client. The server's own log
    /// is what `tracing` writes. Logging to the client is deprecated since
    /// 2026-07-28.
    ///
    /// ```
    /// use mcp_kit::extract::LogLevel;
    /// use mcp_kit::prelude::*;
    ///
    /// /// Builds the index.
    /// #[tool]
    /// async fn build_index(client: Client) -> &'static str {
    ///     client.log(LogLevel::Notice, "two pages have no title");
    ///     client.log(LogLevel::Info, serde_json::json!({"pages": 120}));
    ///     "The index is built."
    /// }
    /// ```
    ///
    /// Specification: [logging](https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging).
    pub fn log(&self, level: LogLevel, data: impl Serialize) {
        let Some(call) = self.call.upgrade() else {
            return;
        };
        let (Some(outbound), Some(from)) = (&call.outbound, call.log_level) else {
            return;
        };
        if level < from || call.is_cancelled() {
            return;
        }
        // A value without a JSON form has nothing to show.
        let Ok(data) = serde_json::to_value(data) else {
            return;
        };
        let params = json!({
            "level": level.as_str(),
            "logger": call.target.info.name(),
            "data": data,
        });
        if params.to_string().len() <= LARGEST_MESSAGE {
            outbound.notify(&call, "notifications/message", &params);
        }
    }
}

impl FromCall for Client {
    const WAITS: bool = true;

    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        let call = Arc::clone(call.context());
        if !call.target.asks() {
            return Err(Error::internal(
                "an extractor takes a `Client` without declaring it: call `Client::requires(requirements)` in its `requires`",
            ));
        }
        let request = &call.request;
        Ok(Self {
            rounds: Rounds::of(&call)?,
            capabilities: call.client_capabilities(),
            kind: call.target.info.kind(),
            version: request.version,
            can_be_asked: call.ask.is_some() || call.has_rounds(),
            is_out_of_reach: request.version.era() == Era::Legacy
                && request.transport != Transport::Code
                && call.ask.is_none(),
            call: Arc::downgrade(&call),
        })
    }

    fn requires(requirements: &mut Requirements) {
        requirements.client();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("can_elicit", &self.can_elicit())
            .field("can_elicit_url", &self.can_elicit_url())
            .field("can_sample", &self.can_sample())
            .field("has_roots", &self.has_roots())
            .finish_non_exhaustive()
    }
}

/// Rejects a result that does not have the form of the specification.
fn unreadable(what: &str) -> Rejected {
    Rejected {
        error: Error::refusal(
            ErrorKind::User,
            format!("The client's answer to {what} is not a valid result."),
        ),
        again: None,
    }
}
