//! Formats errors and panics as text for the log, with limited length and
//! without panicking, whatever their authors write.

use std::error::Error;
use std::fmt::{self, Write as _};

use crate::support::panics::contain;

/// The longest text, in bytes. Longer text is cut while it is written.
pub(crate) const LONGEST: usize = 32 * 1024;

/// How many sources of an error are written. A chain may have no end.
const MOST_SOURCES: usize = 32;

/// Returns the error and its sources: `outer: inner: innermost`.
pub(crate) fn of(error: &(dyn Error + 'static)) -> String {
    with_sources(format_args!("{error}"), error.source(), ": ")
}

/// Returns `first` and its sources, with `between` before each source.
pub(crate) fn with_sources(
    first: fmt::Arguments<'_>,
    source: Option<&(dyn Error + 'static)>,
    between: &str,
) -> String {
    let mut text = Limited::default();
    let written = contain(|| {
        // Code of their authors runs here: `Display` and `source`.
        let _ = text.write_fmt(first);
        let mut next = source;
        for _ in 0..MOST_SOURCES {
            let Some(error) = next else { return };
            if text.is_cut {
                return;
            }
            let _ = write!(text, "{between}{error}");
            next = error.source();
        }
        if next.is_some() {
            let _ = write!(text, "{between}…");
        }
    });
    if let Err(panic) = written {
        let _ = write!(
            text,
            " (the text ends here: its Display {})",
            panic.as_str()
        );
    }
    text.text
}

/// Returns the output of `text`, cut after [`LONGEST`] bytes.
pub(crate) fn limited(text: fmt::Arguments<'_>) -> String {
    let mut limited = Limited::default();
    let _ = limited.write_fmt(text);
    limited.text
}

/// A text that stops its writer when it is full.
#[derive(Default)]
struct Limited {
    text: String,
    is_cut: bool,
}

impl fmt::Write for Limited {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.is_cut {
            return Err(fmt::Error);
        }
        let room = LONGEST - self.text.len();
        if more.len() <= room {
            self.text.push_str(more);
            return Ok(());
        }
        self.text.push_str(&more[..more.floor_char_boundary(room)]);
        self.text.push('…');
        self.is_cut = true;
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static WRITTEN: Cell<usize> = const { Cell::new(0) };
    }

    #[derive(Debug)]
    enum Odd {
        Plain,
        Endless,
        Huge,
        Panics,
    }

    impl fmt::Display for Odd {
        #[allow(clippy::panic)]
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                Self::Huge => {
                    for _ in 0..50_000 {
                        WRITTEN.set(WRITTEN.get() + 1_000);
                        f.write_str(&"é".repeat(500))?;
                    }
                    Ok(())
                }
                Self::Panics => {
                    f.write_str("begun")?;
                    panic!("no words")
                }
                _ => f.write_str("it"),
            }
        }
    }

    impl Error for Odd {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            match self {
                Self::Endless => Some(self),
                _ => None,
            }
        }
    }

    #[test]
    fn an_error_is_written_with_its_sources() {
        let error = std::io::Error::other(Odd::Plain);
        assert_eq!(of(&error), "it");
        let text = with_sources(format_args!("first"), Some(&Odd::Plain), "\n  because: ");
        assert_eq!(text, "first\n  because: it");
    }

    #[test]
    fn a_chain_without_an_end_is_cut() {
        let text = of(&Odd::Endless);
        assert_eq!(text.matches("it").count(), 1 + MOST_SOURCES);
        assert!(text.ends_with(": …"), "{text}");
    }

    #[test]
    fn a_huge_text_is_cut_while_it_is_written() {
        let text = of(&Odd::Huge);
        assert!(text.len() <= LONGEST + '…'.len_utf8() && text.ends_with("é…"));
        assert!(WRITTEN.get() < 2 * LONGEST, "{}", WRITTEN.get());
    }

    #[test]
    fn a_display_that_panics_leaves_what_it_wrote_and_why_it_ended() {
        let text = of(&Odd::Panics);
        assert!(text.starts_with("begun (the text ends here"), "{text}");
        assert!(text.contains("no words"), "{text}");
    }
}
