//! What the server writes to stderr, and waiting for a line of it.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use super::PATIENCE;

/// What a server has written to stderr, line by line.
#[derive(Default)]
pub(crate) struct Log {
    shared: Arc<(Mutex<LogState>, Condvar)>,
}

#[derive(Default)]
struct LogState {
    lines: Vec<String>,
    ended: bool,
}

impl Log {
    /// Reads this pipe on a thread of its own.
    pub(crate) fn read_from(&self, pipe: impl Read + Send + 'static) {
        let shared = Arc::clone(&self.shared);
        thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                shared
                    .0
                    .lock()
                    .expect("no reader panicked")
                    .lines
                    .push(line);
                shared.1.notify_all();
            }
            shared.0.lock().expect("no reader panicked").ended = true;
            shared.1.notify_all();
        });
    }

    /// Waits until a line fits; that line.
    pub(crate) fn wait_for(&self, what: &str, fits: impl Fn(&str) -> bool) -> String {
        let (mutex, changed) = &*self.shared;
        let state = mutex.lock().expect("no reader panicked");
        let found = |state: &LogState| state.lines.iter().find(|line| fits(line)).cloned();
        let (state, _) = changed
            .wait_timeout_while(state, PATIENCE, |state| {
                found(state).is_none() && !state.ended
            })
            .expect("no reader panicked");
        found(&state)
            .unwrap_or_else(|| panic!("no line with {what} on stderr:\n{}", state.lines.join("\n")))
    }

    /// Every line, once stderr has ended.
    pub(crate) fn all(&self) -> Vec<String> {
        let (mutex, changed) = &*self.shared;
        let state = mutex.lock().expect("no reader panicked");
        let (state, late) = changed
            .wait_timeout_while(state, PATIENCE, |state| !state.ended)
            .expect("no reader panicked");
        assert!(!late.timed_out(), "stderr did not end");
        state.lines.clone()
    }

    /// What there is so far, for a failing test's message.
    pub(crate) fn text(&self) -> String {
        self.shared
            .0
            .lock()
            .expect("no reader panicked")
            .lines
            .join("\n")
    }
}
