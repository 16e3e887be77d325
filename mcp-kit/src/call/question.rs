//! Questions that a handler asks its client while its call runs.
//!
//! The way of a question depends on the era, and a handler does not see it: in the
//! legacy era the server sends a request, and in the modern era the call ends with
//! the question and the client calls again with the answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};

use serde_json::value::RawValue;

use super::open_questions::{self, AskPeer};
use super::rounds::open_rounds;
use super::{CallContext, Error};
#[cfg(feature = "cli")]
use crate::answers::person::{self, EndRequest, Person};
use crate::protocol::ClientCapability;

/// A request of the server to its client.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// `elicitation/create`, `sampling/createMessage` or `roots/list`.
    pub(crate) method: &'static str,
    /// The capability without which the client is not asked.
    pub(crate) needs: ClientCapability,
    pub(crate) params: Box<RawValue>,
    /// The name that the handler has given to the question.
    pub(crate) key: Option<Box<str>>,
}

/// An answer that the server does not accept.
pub(crate) struct Rejected {
    /// What a legacy client's call fails with.
    pub(crate) error: Error,
    /// The parameters with which a modern client is asked again; `None`: the
    /// same.
    pub(crate) again: Option<Box<RawValue>>,
}

/// The code of questions as the rest of `call` reaches it: through one value, which only
/// what may ask refers to. The linker drops it, and with it most of `open_questions` and
/// `rounds`, from a program in which nothing asks.
#[derive(Debug)]
pub(crate) struct AskCode {
    /// Opens the rounds of a call that came with a state.
    pub(super) open_rounds: fn(&Arc<CallContext>) -> Result<(), Error>,
    /// Returns the way to ask a client by requests.
    pub(super) peer: fn(AskPeer) -> Arc<dyn Ask>,
    /// Returns the person at the terminal of the command line, who answers the server of
    /// this name.
    #[cfg(feature = "cli")]
    pub(crate) person: fn(&str, EndRequest) -> Person,
}

pub(crate) static ASK_CODE: AskCode = AskCode {
    open_rounds,
    peer: open_questions::through,
    #[cfg(feature = "cli")]
    person: person::at_terminal,
};

/// A client's answer: the result of the request, as JSON.
pub(crate) type AskFuture = Pin<Box<dyn Future<Output = Result<Box<RawValue>, Error>> + Send>>;

/// A way to ask the client of a call, which waits for the answer: the connection
/// of a legacy client, or a task.
pub(crate) trait Ask: Send + Sync {
    /// Sends the question, and waits for its answer. Dropping the future
    /// withdraws the question.
    fn ask(&self, call: &Arc<CallContext>, question: Question) -> AskFuture;

    /// Returns what notifies the client that an interaction at a URL has ended, also
    /// after the call; `None` if its version has no such notification.
    fn url_follower(&self) -> Option<Weak<dyn UrlFollower>> {
        None
    }

    /// Withdraws the open questions of a call that has ended.
    fn withdraw(&self, call: &CallContext) {
        let _ = call;
    }
}

/// A client of the legacy era that follows what it has opened URLs for.
pub(crate) trait UrlFollower: Send + Sync {
    /// Notifies the client that the interaction with this id has ended.
    fn url_completed(&self, id: &Arc<str>);
}
