//! How long Brave asks a client to wait.

use std::time::Duration;

use mcp_kit::http::header::{HeaderMap, RETRY_AFTER};

/// The wait that a 429 asks for: `Retry-After` in seconds, or else the time
/// until the last of the used-up windows in `X-RateLimit-Reset` opens again.
///
/// Brave sends one number for each window (a second, a month), so that
/// `Remaining: 0, 812` with `Reset: 1, 1419704` means: wait one second.
pub(super) fn from_headers(headers: &HeaderMap) -> Option<Duration> {
    let seconds = |name: &str| numbers(headers, name);
    if let Some(&[wait]) = seconds(RETRY_AFTER.as_str()).as_deref() {
        return Some(Duration::from_secs(wait.max(1)));
    }
    let resets = seconds("x-ratelimit-reset")?;
    let remaining = seconds("x-ratelimit-remaining")?;
    resets
        .into_iter()
        .zip(remaining)
        .filter(|&(_, remaining)| remaining == 0)
        .map(|(reset, _)| Duration::from_secs(reset.max(1)))
        .max()
}

/// A header that is a list of whole numbers; `None` if it is anything else.
fn numbers(headers: &HeaderMap, name: &str) -> Option<Vec<u64>> {
    let text = headers.get(name)?.to_str().ok()?;
    text.split(',')
        .map(|part| part.trim().parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let headers = headers
            .iter()
            .map(|&(name, value)| (name.parse().expect(name), value.parse().expect(value)))
            .collect();
        from_headers(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn retry_after_comes_first() {
        assert_eq!(wait(&[("retry-after", "60")]), Some(60));
        assert_eq!(wait(&[("retry-after", "0")]), Some(1));
        assert_eq!(
            wait(&[
                ("retry-after", "7"),
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-reset", "9"),
            ]),
            Some(7)
        );
    }

    #[test]
    fn only_windows_that_are_used_up_count() {
        let reset = ("x-ratelimit-reset", "1, 1419704");
        assert_eq!(wait(&[reset, ("x-ratelimit-remaining", "0, 812")]), Some(1));
        assert_eq!(
            wait(&[reset, ("x-ratelimit-remaining", "0, 0")]),
            Some(1_419_704)
        );
        assert_eq!(wait(&[reset, ("x-ratelimit-remaining", "3, 812")]), None);
    }

    #[test]
    fn what_is_no_number_says_nothing() {
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[("retry-after", "-5")]), None);
        assert_eq!(
            wait(&[("x-ratelimit-reset", "1"), ("x-ratelimit-remaining", "")]),
            None
        );
    }
}
