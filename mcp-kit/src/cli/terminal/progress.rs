//! One line with the progress of a request, which is redrawn in place.

use serde_json::Value;

use super::columns;
use crate::support::json::Members as _;
use crate::support::stderr;
use crate::support::text::one_line;

/// The characters of a full bar.
const BAR: usize = 20;

/// Shows a report in place of the last one.
pub(super) fn show(report: &Value) {
    // The last column stays free: writing on it may begin a new line.
    let line = cut(&text(report), columns().saturating_sub(1));
    let width = width(&line);
    stderr::show_status(line, width);
}

/// Returns a report as one line: a bar if the total is known, and a number otherwise.
/// The status of a task has neither.
fn text(report: &Value) -> String {
    let progress = report.at("progress").as_f64();
    let total = report.at("total").as_f64().filter(|total| *total > 0.0);
    let message = one_line(report.at("message").as_str().unwrap_or_default());
    match (progress, total) {
        (Some(progress), Some(total)) => {
            let part = (progress / total).clamp(0.0, 1.0);
            let done = whole(part * BAR as f64);
            let bar = "=".repeat(done) + &"-".repeat(BAR - done);
            let percent = whole(part * 100.0);
            format!("[{bar}] {percent:>3} %  {message}")
                .trim_end()
                .to_owned()
        }
        (Some(progress), None) if message.is_empty() => format!("progress: {}", number(progress)),
        (Some(progress), None) => format!("{message} ({})", number(progress)),
        (None, _) => message,
    }
}

/// Returns the whole part of a number from 0 to 100.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(number: f64) -> usize {
    number.clamp(0.0, 100.0) as usize
}

/// Formats a number with at most two decimals.
fn number(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Returns the most columns that a text takes. A character outside ASCII may take two.
fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

fn columns_of(character: char) -> usize {
    if character.is_ascii() { 1 } else { 2 }
}

/// Returns as much of a text as fits.
fn cut(text: &str, columns: usize) -> String {
    let mut left = columns;
    let fits = |character: &char| match left.checked_sub(columns_of(*character)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    text.chars().take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn report_is_a_bar_if_the_total_is_known() {
        for (report, line) in [
            (
                json!({"progress": 1, "total": 4, "message": "reading"}),
                "[=====---------------]  25 %  reading",
            ),
            (
                json!({"progress": 5, "total": 4}),
                "[====================] 100 %",
            ),
            (
                json!({"progress": -1, "total": 4}),
                "[--------------------]   0 %",
            ),
            (
                json!({"progress": 3, "message": "rows\n read"}),
                "rows read (3)",
            ),
            (json!({"progress": 2.5}), "progress: 2.5"),
            (json!({"progress": 10, "total": 0}), "progress: 10"),
            (json!({"message": "3 of 10"}), "3 of 10"),
            (
                json!({"progress": 1, "message": "\u{1b}[31mred"}),
                "\\u{1b}[31mred (1)",
            ),
        ] {
            assert_eq!(text(&report), line);
        }
    }

    #[test]
    fn line_is_never_wider_than_the_terminal() {
        assert_eq!(cut("abcdef", 4), "abcd");
        assert_eq!(cut("aéb", 3), "aé");
        assert_eq!(cut("漢字", 3), "漢");
        assert_eq!(cut("abc", 0), "");
        let huge = text(&json!({"progress": 1e300}));
        assert_eq!(cut(&huge, 79).len(), 79);
    }
}
