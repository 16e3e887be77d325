//! Writes to stderr: the log's lines, and the output of the program. Hosts
//! often never read it, and a full pipe must not stop the server.
//!
//! ```text
//! log events ──────────────────────▶ queue ── its thread ──▶ private copy of descriptor 2
//! println!  ─▶ descriptor 1 ─▶ pipe ───▲
//! eprintln! ─▶ descriptor 2 as it was; once that takes nothing: the same pipe
//! ```
//!
//! The queue is limited in size and never waited for. Descriptor 2 is unchanged
//! while it accepts bytes, so that messages of the runtime when it aborts are
//! written.

#[cfg(unix)]
mod output;
#[cfg(unix)]
mod printed;
mod queue;
#[cfg(feature = "cli")]
mod status;

use std::io;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

#[cfg(all(unix, feature = "stdio"))]
pub(crate) use printed::entrance;
pub(crate) use queue::Queue;
#[cfg(feature = "cli")]
pub(crate) use status::{clear_status, show_status, show_text, write};

/// How many bytes of lines may wait. The same number may be on their way out.
const ROOM: usize = 1024 * 1024;

/// How long the end of the process waits for a stderr that is not read.
const LONGEST_FLUSH: Duration = Duration::from_millis(200);

/// The format of lines that are not the log's own.
pub(crate) struct Format {
    /// A line that the program printed.
    #[cfg(unix)]
    pub(crate) printed: fn(&str) -> String,
    /// How many lines were dropped.
    pub(crate) dropped: fn(u64) -> String,
}

static FORMAT: OnceLock<Format> = OnceLock::new();

/// Returns the queue of lines for stderr. Its thread starts with the first
/// line, or with [`guard`].
pub(crate) fn queue() -> &'static Queue {
    static STDERR: Queue = Queue::new(ROOM, open);
    &STDERR
}

#[cfg(unix)]
fn open() -> Box<dyn queue::Output> {
    output::open()
}

#[cfg(not(unix))]
fn open() -> Box<dyn queue::Output> {
    Box::new(io::stderr())
}

/// Sets the format of printed lines; the first call wins. Without one they are
/// plain text.
#[cfg(feature = "logging")]
pub(crate) fn format_with(format: Format) {
    let _ = FORMAT.set(format);
}

/// Keeps the program from waiting for a blocked stderr, from now on.
#[cfg(feature = "stdio")]
pub(crate) fn guard() {
    queue().start();
}

/// Waits until every line so far is written, for at most 200 ms.
pub(crate) fn flush() {
    let until = Instant::now() + LONGEST_FLUSH;
    #[cfg(unix)]
    printed::drain(until);
    queue().flush(until);
}

/// Writes a last line, for a process that is about to end.
#[cfg(feature = "cli")]
pub(crate) fn last_line(text: &str) {
    queue().push(format!("{text}\n").as_bytes());
    flush();
}

fn dropped_lines(count: u64) -> String {
    match FORMAT.get() {
        Some(format) => (format.dropped)(count),
        None => format!("stderr was not read: {count} lines were dropped\n"),
    }
}

#[cfg(unix)]
fn printed_line(text: &str) -> String {
    match FORMAT.get() {
        Some(format) => (format.printed)(text),
        None => format!("{text}\n"),
    }
}

/// For systems without copies of descriptors, or if there is nothing to copy.
impl queue::Output for io::Stderr {}
