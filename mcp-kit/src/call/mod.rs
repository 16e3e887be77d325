//! A call: a request that runs a handler, from its chain of middlewares to its
//! end.

mod cancelled;
mod chain;
mod context;
mod error;
mod outcome;
mod permit;
mod reported;
mod request;
mod state;
mod ticker;

pub(crate) use cancelled::Cancelled;
pub use chain::{Middleware, Next, NextFuture};
pub use context::Call;
pub(crate) use context::{CallContext, CallRequest, CallText, Outbound};
pub use error::{Cause, ErrorKind, FixedText, IntoInternal, IntoToolError, ResultExt, ToolError};
pub(crate) use outcome::CallOutcome;
#[cfg(feature = "http")]
pub(crate) use permit::PrincipalPermits;
pub(crate) use permit::{RunPermit, Share, ShareGiver};
pub(crate) use reported::Reported;
pub use request::RequestInfo;
pub(crate) use request::RequestSource;
pub(crate) use state::StateMap;
pub(crate) use ticker::{Ticked, Ticker, Ticking};
