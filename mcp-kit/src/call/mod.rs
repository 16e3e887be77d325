//! Calls: requests that run a handler, from their chain of middlewares to their
//! end.
//!
//! ```text
//!  Pending ──run──► Running ─────────────────────────────► Answer (bytes)
//!     │                │  contains panics, keeps internal      ▲
//!     │                │  errors from the client, limits       │
//!     │                │  the reply, notifies the observers       │
//!     │                └─ chain: middlewares → handler ► Reply or Error
//!     └──end──► Ended ──refuse───────────────────────────► Answer
//! ```
//!
//! A [`Call`] is what middlewares and handlers hold; a [`Reply`] or an
//! [`Error`] is what they return. [`Observer`]s see how each call ended. This
//! module does not depend on a transport, nor on the kinds of primitives: each
//! kind provides a row of its differences (`KindRow`).

mod around;
mod becoming;
mod cancelled;
mod chain;
mod chained;
mod contained;
mod context;
mod deadline;
mod definition;
mod error;
mod keys;
mod lent;
mod observer;
mod open_questions;
mod outcome;
mod permit;
mod phase;
mod question;
mod refusal;
mod reply;
mod request;
mod rounds;
mod running;
mod settled;
mod state;
mod subject;
mod table;
mod target;
mod text;
mod ticker;
mod work;

pub use chain::{Middleware, Next, NextFuture};
pub use chained::Call;
pub use error::{Cause, Error, ErrorKind, FixedText, IntoError, IntoInternal, ResultExt};
pub use observer::{CallInfo, Ending, Observer};
pub use outcome::Outcome;
pub use reply::Reply;
pub use request::{RequestInfo, Transport};
pub use subject::{CompletionRequest, ResourceUri};

pub(crate) use around::{Around, AroundFuture, SentCall};
pub(crate) use becoming::{BecomesTask, BeginFuture, BeginTask, Concluded, TaskTarget};
pub(crate) use cancelled::{CallCancelled, Cancelled};
pub(crate) use contained::Contained;
#[cfg(feature = "testing")]
pub(crate) use context::Reported;
pub(crate) use context::{CallContext, CallParts, CallRequest, Home, Outbound};
pub(crate) use definition::Definition;
pub(crate) use keys::{ServerKeys, StateKeys};
pub(crate) use observer::CallScope;
pub(crate) use open_questions::{AskPeer, OpenQuestions, Peer};
#[cfg(feature = "http")]
pub(crate) use permit::PrincipalPermits;
pub(crate) use permit::{ReturnPlace, RunPermit, Share, ShareGiver};
pub(crate) use question::{ASK_CODE, Ask, AskCode, AskFuture, Question, Rejected, UrlFollower};
pub(crate) use refusal::{
    Failure, Refusal, Replaced, SHUTTING_DOWN, as_protocol_error, internal_text, readable,
    timed_out,
};
pub(crate) use request::{Origin, RequestSource};
pub(crate) use rounds::{InputRequired, Questions, RoundSettings, Rounds, STATE_NOT_VALID};
pub(crate) use running::{Answer, Ended, Pending, Running};
pub(crate) use settled::{NoReply, Settled};
pub(crate) use state::StateMap;
pub(crate) use subject::{ListRequest, Subject};
pub(crate) use table::{CallKey, CallTable, Due, NotAdmitted, Removed, TableLimits};
pub(crate) use target::{
    Chains, Completing, ErasedCompleter, Handler, KindRow, ReadableBy, Target,
};
pub(crate) use text::{CallText, CallTexts};
pub(crate) use ticker::{Ticked, Ticker, Ticking};
pub(crate) use work::{Work, WorkFuture};
