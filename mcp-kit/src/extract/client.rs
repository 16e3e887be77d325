//! Asks the client of a call.

mod elicit;
mod log;
mod roots;
mod sample;

use std::fmt;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::{FromCall, Requirements};
pub use elicit::Elicited;
pub use roots::Root;
pub use sample::{SampleRequest, Sampled};

use crate::call::{Call, CallContext, Error, ErrorKind, Question, Rejected, Transport};
use crate::protocol::{ClientCapabilities, ClientCapability, Era};

/// The client of the call, which a handler can ask.
///
/// A client is asked only for what it has declared to support:
/// [`can_elicit`](Self::can_elicit), [`can_elicit_url`](Self::can_elicit_url),
/// [`can_sample`](Self::can_sample) and [`has_roots`](Self::has_roots) tell
/// beforehand. A question that it does not support ends the call with an error
/// that names the missing capability, unless the handler handles that error.
///
/// A `blocking` tool cannot take it, since it cannot wait for an answer.
#[derive(Clone)]
pub struct Client {
    call: Arc<CallContext>,
    capabilities: ClientCapabilities,
}

impl Client {
    /// Whether the client shows forms to its user.
    #[must_use]
    pub fn can_elicit(&self) -> bool {
        self.capabilities.has(ClientCapability::Form)
    }

    /// Whether the client opens URLs for its user.
    #[must_use]
    pub fn can_elicit_url(&self) -> bool {
        self.capabilities.has(ClientCapability::Url)
    }

    /// Whether the client lets the server use its model.
    #[must_use]
    pub fn can_sample(&self) -> bool {
        self.capabilities.has(ClientCapability::Sampling)
    }

    /// Whether the client lists the folders that the server may work in.
    #[must_use]
    pub fn has_roots(&self) -> bool {
        self.capabilities.has(ClientCapability::Roots)
    }

    /// Asks the client, in the way of its era, and waits for the answer.
    async fn ask(&self, question: Question) -> Result<Box<RawValue>, Error> {
        let call = &self.call;
        let kind = call.target.info.kind();
        if call.request.transport == Transport::Code && call.ask.is_none() {
            return Err(Error::no_client(kind));
        }
        if !self.capabilities.has(question.needs) {
            return Err(Error::missing_capability(kind, question.needs));
        }
        match &call.ask {
            Some(ask) => ask.ask(call, question).await,
            None => Err(Error::no_client(kind)),
        }
    }

    /// Asks the client like [`ask`](Self::ask), and reads the answer with `read`.
    async fn ask_with<T>(
        &self,
        question: Question,
        read: impl Fn(&RawValue) -> Result<T, Rejected>,
    ) -> Result<T, Error> {
        let answer = self.ask(question).await?;
        read(&answer).map_err(|rejected| rejected.error)
    }

    /// Whether this is a legacy client to which no request can be sent while its
    /// call runs.
    fn is_out_of_reach(&self) -> bool {
        let request = &self.call.request;
        request.version.era() == Era::Legacy
            && request.transport != Transport::Code
            && self.call.ask.is_none()
    }
}

impl FromCall for Client {
    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        let call = Arc::clone(call.context());
        if !call.target.asks {
            return Err(Error::internal(
                "an extractor takes a `Client` without declaring it: call `Client::requires(requirements)` in its `requires`",
            ));
        }
        Ok(Self {
            capabilities: call.client_capabilities(),
            call,
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

/// Rejects a result that has not the form of the specification.
fn unreadable(what: &str) -> Rejected {
    Rejected {
        error: Error::refusal(
            ErrorKind::User,
            format!("The client's answer to {what} is not a valid result."),
        ),
        again: None,
    }
}
