//! How a call ended, in one word: the same one in the log, the metrics and the
//! traces.

use crate::call::{CallContext, ErrorKind, ToolError};
use crate::content::ToolResult;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallOutcome {
    Ok,
    /// The tool's own result tells of a failure.
    ErrorResult,
    ResultTooLarge,
    Cancelled,
    Failed(ErrorKind),
}

impl CallOutcome {
    /// Every outcome, each at its [`index`](Self::index).
    #[cfg(feature = "metrics")]
    pub(crate) const ALL: [Self; 12] = [
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
    ];

    /// Where it stands among [`ALL`](Self::ALL).
    #[cfg(feature = "metrics")]
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Ok => 0,
            Self::ErrorResult => 1,
            Self::ResultTooLarge => 2,
            Self::Cancelled => 3,
            Self::Failed(kind) => match kind {
                ErrorKind::User => 4,
                ErrorKind::Internal => 5,
                ErrorKind::Panic => 6,
                ErrorKind::InvalidArguments => 7,
                ErrorKind::Timeout => 8,
                ErrorKind::Forbidden => 9,
                ErrorKind::RateLimited => 10,
                ErrorKind::Busy => 11,
            },
        }
    }

    /// How a call ended whose chain has come to its end.
    pub(crate) fn of(outcome: &Result<ToolResult, ToolError>, context: &CallContext) -> Self {
        if let Some(kind) = context.given_up() {
            return Self::Failed(kind);
        }
        match outcome {
            Ok(result) if !context.entry.takes(result) => Self::ResultTooLarge,
            Ok(result) if result.is_error => Self::ErrorResult,
            Ok(_) => Self::Ok,
            Err(error) => Self::Failed(error.kind()),
        }
    }

    /// How a call ended whose chain is dropped before its end.
    pub(crate) fn of_dropped(context: &CallContext) -> Self {
        if std::thread::panicking() {
            return Self::Failed(ErrorKind::Panic);
        }
        // Time that ran out while the handler blocked its thread was answered
        // from outside; this is the end of what was left.
        context.given_up().map_or(Self::Cancelled, Self::Failed)
    }

    /// The word that the log's `outcome` field has for it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ErrorResult => "error_result",
            Self::ResultTooLarge => "result_too_large",
            Self::Cancelled => "cancelled",
            Self::Failed(kind) => kind.as_str(),
        }
    }
}

#[cfg(all(test, feature = "metrics"))]
mod tests {
    use super::CallOutcome;

    #[test]
    fn every_outcome_stands_at_its_index_under_a_word_of_its_own() {
        let mut words = std::collections::BTreeSet::new();
        for (at, outcome) in CallOutcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome.index(), at);
            assert!(words.insert(outcome.as_str()), "{outcome:?}");
        }
    }
}
