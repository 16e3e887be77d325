//! A task as its client reads it, and the times in it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use crate::protocol::encode;

/// How often a client should ask for a task's status.
pub(in crate::server) const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The members of a task. (Extension: `DetailedTask`.)
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document<'a> {
    pub(super) task_id: &'a str,
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status_message: Option<&'a str>,
    pub(super) created_at: String,
    pub(super) last_updated_at: String,
    pub(super) ttl_ms: u64,
    pub(super) poll_interval_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input_requests: Option<InputRequests<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<&'a RawValue>,
}

/// The questions of a task, by their keys.
pub(super) type InputRequests<'a> = std::collections::BTreeMap<&'a str, InputRequest<'a>>;

#[derive(Serialize)]
pub(super) struct InputRequest<'a> {
    pub(super) method: &'static str,
    pub(super) params: &'a RawValue,
}

impl Document<'_> {
    /// Returns it as JSON on one line.
    pub(super) fn to_json(&self) -> Box<RawValue> {
        let mut json = Vec::new();
        encode::json(&mut json, self);
        let text = String::from_utf8(json).ok();
        let raw = text.and_then(|text| RawValue::from_string(text).ok());
        raw.unwrap_or_else(|| RawValue::NULL.to_owned())
    }
}

/// Returns a task that runs as one whose process has died; `None` if the text is not
/// a task.
pub(super) fn abandoned(task: &str) -> Option<Box<RawValue>> {
    const WORDS: &str = "The server that ran the task has ended. Call the tool again.";
    let mut task: Map<String, Value> = serde_json::from_str(task).ok()?;
    task.remove("inputRequests");
    for (name, value) in [
        ("status", json!("failed")),
        ("statusMessage", json!(WORDS)),
        ("lastUpdatedAt", json!(iso8601(SystemTime::now()))),
        ("error", json!({"code": -32603, "message": WORDS})),
    ] {
        task.insert(name.to_owned(), value);
    }
    to_raw_value(&task).ok()
}

pub(super) fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}

/// Formats a time as ISO 8601 in UTC, with milliseconds.
pub(super) fn iso8601(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, millis) = (since.as_secs(), since.subsec_millis());
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Returns the date that is `days` after 1970-01-01.
fn date(mut days: u64) -> (u64, u64, u64) {
    const PER_400_YEARS: u64 = 146_097;
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970 + days / PER_400_YEARS * 400;
    days %= PER_400_YEARS;
    loop {
        let length = 365 + u64::from(is_leap(year));
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_iso_8601() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.007Z"),
            (951_782_400, "2000-02-29T00:00:00.007Z"),
            (1_709_164_799, "2024-02-28T23:59:59.007Z"),
            (1_735_689_599, "2024-12-31T23:59:59.007Z"),
            (1_795_809_601, "2026-11-27T20:00:01.007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.007Z"),
        ] {
            let time = UNIX_EPOCH + Duration::from_millis(seconds * 1_000 + 7);
            assert_eq!(iso8601(time), text);
        }
    }
}
