//! The status line: the last line of a terminal, which is redrawn in place. The command line
//! shows progress in it, and lines of the log are written above it.

use std::io::{self, Write as _};

use crate::support::lock::Lock;

static STATUS: Lock<Status> = Lock::new(Status {
    text: String::new(),
    columns: 0,
});

/// What is drawn.
struct Status {
    text: String,
    /// How many columns may be written on.
    columns: usize,
}

/// Shows a text in place of the last one; it may take this many columns.
pub(crate) fn show_status(text: String, columns: usize) {
    let mut status = STATUS.lock();
    let clear = status.clearing();
    *status = Status { text, columns };
    write(&format!("{clear}{}", status.text));
}

/// Leaves an empty line with the cursor at its start, if a status is shown.
pub(crate) fn clear_status() {
    let mut status = STATUS.lock();
    if status.columns > 0 {
        write(&status.clearing());
        (status.text, status.columns) = (String::new(), 0);
    }
}

/// Shows a text in place of the status.
pub(crate) fn show_text(text: &str) {
    clear_status();
    write(text);
}

/// Calls `write` with lines for the terminal and what moves the status below them, while the
/// status cannot change.
pub(super) fn above_status<R>(lines: &mut Vec<u8>, write: impl FnOnce(&[u8]) -> R) -> R {
    let status = STATUS.lock();
    if status.columns > 0 {
        lines.splice(0..0, status.clearing().into_bytes());
        lines.extend_from_slice(status.text.as_bytes());
    }
    write(lines)
}

impl Status {
    /// Returns what overwrites the line. Spaces work on every terminal.
    fn clearing(&self) -> String {
        match self.columns {
            0 => "\r".to_owned(),
            columns => format!("\r{:columns$}\r", ""),
        }
    }
}

/// Writes in one piece: the log writes from another thread. A terminal that is gone is no
/// reason to fail.
pub(crate) fn write(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_overwritten_with_spaces() {
        for (columns, clearing) in [(0, "\r"), (3, "\r   \r")] {
            let text = String::new();
            assert_eq!(Status { text, columns }.clearing(), clearing);
        }
    }
}
