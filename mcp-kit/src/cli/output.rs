//! Output of the commands on stdout.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use super::build::Failure;

/// Prints a text and returns success. A terminal gets no control characters,
/// which a tool may have from anywhere; a reader that left early is not a
/// failure.
pub(super) fn print(text: &str) -> Result<ExitCode, Failure> {
    let mut stdout = io::stdout().lock();
    let written = if stdout.is_terminal() {
        stdout.write_all(without_controls(text).as_bytes())
    } else {
        stdout.write_all(text.as_bytes())
    };
    match written.and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure(format!("stdout cannot be written to: {error}")))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn without_controls(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && !matches!(character, '\n' | '\t') {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Formats "1 tool", "2 tools".
pub(super) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Formats "1 MiB", "1.5 MiB", "300 bytes".
pub(super) fn size(bytes: usize) -> String {
    const UNITS: [(usize, &str); 2] = [(1 << 20, "MiB"), (1 << 10, "KiB")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            // Exact if one digit is, which is how sizes are set.
            #[allow(clippy::cast_precision_loss)]
            let number = bytes as f64 / unit as f64;
            return if bytes.is_multiple_of(unit) {
                format!("{number} {name}")
            } else {
                format!("{number:.1} {name}")
            };
        }
    }
    count(bytes, "byte")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        for (bytes, text) in [
            (1, "1 byte"),
            (300, "300 bytes"),
            (4 << 20, "4 MiB"),
            (3 << 19, "1.5 MiB"),
            (2_048, "2 KiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn a_terminal_gets_no_control_characters() {
        assert_eq!(without_controls("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\n");
    }
}
