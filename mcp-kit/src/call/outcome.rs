//! The outcome of a call, in one word: the same in the log, the metrics and the
//! traces.

use super::ErrorKind;

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
