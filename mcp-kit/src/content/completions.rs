//! The result of a completion.

use serde::Serialize;

/// The most values of one answer. (Specification: "Completion".)
pub(crate) const MOST_VALUES: usize = 100;

/// Suggestions for the value of an argument, the best first. (Specification:
/// `CompleteResult`.)
///
/// ```
/// use mcp_kit::completion::Completions;
///
/// let all = (1..=250).map(|number| format!("ticket-{number}"));
/// let first = Completions::new(all.collect());
/// assert_eq!(first.values().len(), 100);
/// assert_eq!((first.total(), first.has_more()), (Some(250), true));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Completions {
    values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    has_more: bool,
}

impl Completions {
    /// Creates suggestions of all values that there are. The client gets the
    /// first 100 of them, and how many there are in total.
    #[must_use]
    pub fn new(mut values: Vec<String>) -> Self {
        let number = values.len();
        values.truncate(MOST_VALUES);
        Self {
            has_more: number > values.len(),
            total: Some(number as u64),
            values,
        }
    }

    /// Creates suggestions of some values, of which there are more: `total`, if
    /// that is known. The client gets the first 100.
    #[must_use]
    pub fn partial(mut values: Vec<String>, total: Option<u64>) -> Self {
        values.truncate(MOST_VALUES);
        Self {
            values,
            total,
            has_more: true,
        }
    }

    /// Returns the suggestions that the client gets, at most 100.
    #[must_use]
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// Returns how many there are in total, if that is known.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Whether there are more than the client gets.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.has_more
    }

    /// Returns the bytes of the values as JSON, without what frames them.
    pub(crate) fn size(&self) -> usize {
        let values = self.values.iter();
        values
            .map(|value| crate::protocol::encode::string_size(value) + 1)
            .sum()
    }
}
