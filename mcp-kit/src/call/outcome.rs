//! The outcome of a call, in one word: the same in the log, the metrics and the
//! traces; and the failure that a kind turns into what the client reads.

use serde_json::json;

use super::{ErrorKind, Reply};
use crate::protocol::{Era, ErrorCode, RpcError};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// With the handler's reply.
    Ok,
    /// With a reply that reports a failure (`isError` of a tool's result).
    ErrorResult,
    /// The reply exceeds its limit; the client receives an error.
    ResultTooLarge,
    /// With questions: the client answers them and calls again.
    InputRequired,
    /// Without an answer: the client cancelled the call, or left.
    Cancelled,
    /// With an error, or with a refusal.
    Failed(ErrorKind),
}

impl Outcome {
    /// Every outcome, at its [`index`](Self::index).
    #[cfg(feature = "metrics")]
    pub(crate) const ALL: [Self; 16] = [
        Self::Ok,
        Self::ErrorResult,
        Self::ResultTooLarge,
        Self::Cancelled,
        Self::Failed(ErrorKind::User),
        Self::Failed(ErrorKind::Internal),
        Self::Failed(ErrorKind::Panic),
        Self::Failed(ErrorKind::InvalidArguments),
        Self::Failed(ErrorKind::Timeout),
        Self::Failed(ErrorKind::Forbidden),
        Self::Failed(ErrorKind::RateLimited),
        Self::Failed(ErrorKind::Busy),
        Self::Failed(ErrorKind::NotFound),
        Self::Failed(ErrorKind::MissingCapability),
        Self::Failed(ErrorKind::InvalidState),
        Self::InputRequired,
    ];

    /// Its position in [`ALL`](Self::ALL).
    #[cfg(feature = "metrics")]
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Ok => 0,
            Self::ErrorResult => 1,
            Self::ResultTooLarge => 2,
            Self::Cancelled => 3,
            Self::InputRequired => 15,
            Self::Failed(kind) => match kind {
                ErrorKind::User => 4,
                ErrorKind::Internal => 5,
                ErrorKind::Panic => 6,
                ErrorKind::InvalidArguments => 7,
                ErrorKind::Timeout => 8,
                ErrorKind::Forbidden => 9,
                ErrorKind::RateLimited => 10,
                ErrorKind::Busy => 11,
                ErrorKind::NotFound => 12,
                ErrorKind::MissingCapability => 13,
                ErrorKind::InvalidState => 14,
            },
        }
    }

    /// Its word in logs, metrics and traces: `ok`, `timeout`, `internal_error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ErrorResult => "error_result",
            Self::ResultTooLarge => "result_too_large",
            Self::Cancelled => "cancelled",
            Self::InputRequired => "input_required",
            Self::Failed(kind) => kind.as_str(),
        }
    }

    /// Whether the client reads a reference in place of the error.
    pub(crate) const fn has_reference(self) -> bool {
        matches!(self, Self::Failed(ErrorKind::Internal | ErrorKind::Panic))
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

#[cfg(all(test, feature = "metrics"))]
mod tests {
    use super::Outcome;

    #[test]
    fn every_outcome_is_at_its_index_under_a_word_of_its_own() {
        let mut words = std::collections::BTreeSet::new();
        for (at, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome.index(), at);
            assert!(words.insert(outcome.as_str()), "{outcome:?}");
        }
    }
}
