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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_control_characters() {
        assert_eq!(without_controls("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\n");
    }
}
