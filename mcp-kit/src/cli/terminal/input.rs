//! Reads what a person enters: lines of stdin, and Ctrl-C.
//!
//! A thread reads stdin, from the first question on, since a read cannot be interrupted.
//! Its channel has no room: it hands a line over when a question waits for one, and an
//! interrupt is delivered only if a question is open.

use std::io::{self, BufRead as _};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// What a person has entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A line, without its end.
    Line(String),
    /// A line that is not UTF-8.
    Unreadable,
    /// The end of the input (Ctrl-D), or an interrupt (Ctrl-C).
    Closed,
}

/// The entries of stdin.
pub(super) struct Input {
    sender: SyncSender<Entry>,
    entries: Receiver<Entry>,
    is_reading: bool,
}

/// Interrupts an open question.
pub(super) struct Interrupter(SyncSender<Entry>);

impl Input {
    pub(super) fn new() -> Self {
        let (sender, entries) = sync_channel(0);
        Self {
            sender,
            entries,
            is_reading: false,
        }
    }

    pub(super) fn interrupter(&self) -> Interrupter {
        Interrupter(self.sender.clone())
    }

    /// Waits for the next entry; blocks the thread.
    pub(super) fn next(&mut self) -> Entry {
        if !self.is_reading {
            let lines = self.sender.clone();
            let thread = thread::Builder::new().name("mcp-kit-stdin".to_owned());
            if thread.spawn(move || read_lines(&lines)).is_err() {
                return Entry::Closed;
            }
            self.is_reading = true;
        }
        self.entries.recv().unwrap_or(Entry::Closed)
    }
}

impl Interrupter {
    /// Closes the open question. Returns whether there was one.
    pub(super) fn interrupt(&self) -> bool {
        self.0.try_send(Entry::Closed).is_ok()
    }
}

/// Reads until the questions have ended. A terminal has input again after its end.
fn read_lines(lines: &SyncSender<Entry>) {
    let mut stdin = io::stdin().lock();
    loop {
        let mut line = Vec::new();
        let entry = match stdin.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => Entry::Closed,
            Ok(_) => String::from_utf8(line).map_or(Entry::Unreadable, |line| {
                Entry::Line(line.trim_end_matches(['\n', '\r']).to_owned())
            }),
        };
        if lines.send(entry).is_err() {
            return;
        }
    }
}
