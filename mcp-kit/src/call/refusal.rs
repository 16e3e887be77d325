//! The texts of every refusal: what a client reads if its handler does not
//! answer, or fails.

use std::time::Duration;

use serde_json::json;

use super::{CallContext, Error, ErrorKind, Outcome, Reply};
use crate::primitive::Kind;
use crate::protocol::{Era, ErrorCode, RpcError};
use crate::support::reference::Reference;

/// Why a call is answered without its handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Too many calls wait.
    Busy,
    /// The server has no room for the call as a whole.
    #[cfg(feature = "http")]
    NoRoom,
    /// The caller may not know that the primitive exists.
    Hidden,
    /// The caller's token lacks a scope; the response says so by itself.
    #[cfg(feature = "http")]
    Forbidden,
    /// Handlers call each other too deeply.
    NestedTooDeeply,
    /// The server drains.
    ShuttingDown,
    /// Its time is up.
    TimedOut,
    /// The task that ran it panicked.
    Lost,
}

/// Why a call's answer is replaced by another after the call has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replaced {
    /// The answers of its batch are too large together.
    BatchTooLarge,
    /// The task that would have answered it panicked.
    Lost,
    /// The answer is large, and the server holds too many unread bytes.
    #[cfg(feature = "http")]
    Unread,
}

/// The answer to every request while the server drains.
pub(crate) const SHUTTING_DOWN: &str = "The server is shutting down. Try again once it is back.";

impl Refusal {
    pub(super) fn error(self, call: &CallContext, has_begun: bool) -> Error {
        match self {
            Self::Busy => Error::refusal(
                ErrorKind::Busy,
                "The server is busy: too many calls are waiting. Try again in a few seconds.",
            ),
            #[cfg(feature = "http")]
            Self::NoRoom => Error::refusal(ErrorKind::Busy, "The server is busy"),
            Self::Hidden => Error::hidden(call.target.info.kind(), call.key()),
            #[cfg(feature = "http")]
            Self::Forbidden => Error::forbidden("The token lacks a scope."),
            Self::NestedTooDeeply => Error::internal("handlers call each other too deeply"),
            Self::ShuttingDown => Error::refusal(ErrorKind::Busy, SHUTTING_DOWN),
            Self::TimedOut => timed_out(call.target.info.kind(), call.target.timeout, has_begun),
            Self::Lost => Error::internal("the call was lost: its task panicked"),
        }
    }
}

impl Replaced {
    pub(super) fn text(self, call: &CallContext) -> String {
        match self {
            Self::BatchTooLarge => format!(
                "The batch's results are too large together. Call the {} by itself.",
                call.target.info.kind()
            ),
            Self::Lost => internal(call),
            #[cfg(feature = "http")]
            Self::Unread => "The result is large, and the server is holding too many unread responses. Try again in a few seconds, or ask for less.".to_owned(),
        }
    }
}

/// Returns what a client reads of an internal error or a panic.
pub(super) fn internal(call: &CallContext) -> String {
    internal_text(call.reference())
}

/// Returns what a client reads of an internal error that the log has under this
/// reference.
pub(crate) fn internal_text(reference: Reference) -> String {
    format!("An internal error occurred (reference {reference}). The issue has been logged.")
}

/// What a client reads of a reply that exceeds its limit.
pub(super) fn too_large(kind: Kind, bytes: usize, limit: usize) -> String {
    format!(
        "The result has {bytes} bytes, more than the {limit} that this {kind} may return. Ask for less."
    )
}

/// A call took longer than `after`, which counts from when it was read.
pub(crate) fn timed_out(kind: Kind, after: Duration, has_begun: bool) -> Error {
    let what_happened = if has_begun {
        "It may have done part of its work."
    } else {
        "It did not run: the call was waiting for its turn."
    };
    Error::refusal(
        ErrorKind::Timeout,
        format!(
            "The {kind} timed out after {}. {what_happened}",
            readable(after)
        ),
    )
}

/// Formats "500 ms", "15 s", "2 min".
pub(crate) fn readable(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0..1_000 => format!("{millis} ms"),
        _ if millis.is_multiple_of(60_000) => format!("{} min", millis / 60_000),
        _ if millis.is_multiple_of(1_000) => format!("{} s", millis / 1_000),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}

/// A failure whose text the client may read.
pub(crate) struct Failure<'a> {
    pub(crate) outcome: Outcome,
    /// The author's message, or a reference.
    pub(crate) text: String,
    /// The era of the client.
    pub(crate) era: Era,
    /// The name or URI under which the client called.
    pub(crate) key: &'a str,
}

/// Answers with a JSON-RPC error, as every kind does whose results cannot
/// report a failure: prompts, resources and completion.
///
/// What the client can correct, its arguments or an unknown name, is -32602.
/// Everything else is -32603. `data.reason` has the outcome's
/// word, as the log has it: `timeout`, `busy`, `rate_limited`. Of an internal error
/// or a panic the client reads the reference and nothing else.
pub(crate) fn as_protocol_error(failure: Failure<'_>) -> Result<Reply, RpcError> {
    let Failure { outcome, text, .. } = failure;
    let code = match outcome {
        Outcome::Failed(ErrorKind::InvalidArguments | ErrorKind::NotFound) => {
            ErrorCode::InvalidParams
        }
        _ => ErrorCode::InternalError,
    };
    let error = RpcError::new(code, text);
    Err(match outcome.has_reference() {
        true => error,
        false => error.with_data(json!({"reason": outcome.as_str()})),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        for (millis, text) in [
            (500, "500 ms"),
            (1_500, "1.5 s"),
            (15_000, "15 s"),
            (120_000, "2 min"),
        ] {
            assert_eq!(readable(Duration::from_millis(millis)), text);
        }
    }
}
