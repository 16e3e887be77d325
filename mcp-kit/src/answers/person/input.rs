//! Reads what a person enters: lines of stdin, and Ctrl-C.
//!
//! A thread reads stdin, from the first question on, since a read cannot be interrupted.
//! It hands a line over when a question waits for one, and an interrupt is delivered only
//! if a question is open.

use std::io::{self, BufRead as _};
use std::sync::{Arc, Condvar, MutexGuard, PoisonError};
use std::thread;

use crate::support::lock::Lock;

/// What a person has entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A line, without its end.
    Line(String),
    /// A line that is not UTF-8.
    Unreadable,
    /// The end of the input (Ctrl-D), or an interrupt (Ctrl-C).
    Closed,
}

/// The entries of stdin.
pub(super) struct Input {
    question: Arc<Question>,
    is_reading: bool,
}

/// Interrupts an open question.
pub(super) struct Interrupter(Arc<Question>);

/// The question that waits for an entry, if there is one.
#[derive(Default)]
struct Question {
    state: Lock<State>,
    changed: Condvar,
}

#[derive(Default)]
enum State {
    #[default]
    None,
    Open,
    Answered(Entry),
    /// There will be no further question.
    Over,
}

impl Input {
    pub(super) fn new() -> Self {
        Self {
            question: Arc::default(),
            is_reading: false,
        }
    }

    pub(super) fn interrupter(&self) -> Interrupter {
        Interrupter(Arc::clone(&self.question))
    }

    /// Shows a question by calling `show`, and waits for the next entry; blocks the
    /// thread. The question is open before it is shown, so that an interrupt
    /// closes it as soon as a person can see it.
    pub(super) fn next(&mut self, show: impl FnOnce()) -> Entry {
        self.question.set(State::Open);
        show();
        if !self.is_reading {
            let question = Arc::clone(&self.question);
            let thread = thread::Builder::new().name("mcp-kit-stdin".to_owned());
            if thread.spawn(move || read_lines(&question)).is_err() {
                return Entry::Closed;
            }
            self.is_reading = true;
        }
        let is_open = |state: &State| matches!(state, State::Open);
        let mut state = self.question.wait_while(is_open);
        match std::mem::take(&mut *state) {
            State::Answered(entry) => entry,
            _ => Entry::Closed,
        }
    }
}

/// Ends the thread that reads stdin, with its next line.
impl Drop for Input {
    fn drop(&mut self) {
        self.question.set(State::Over);
    }
}

impl Interrupter {
    /// Closes the open question. Returns whether there was one.
    pub(super) fn interrupt(&self) -> bool {
        let mut state = self.0.state.lock();
        let is_open = matches!(*state, State::Open);
        if is_open {
            *state = State::Answered(Entry::Closed);
            self.0.changed.notify_all();
        }
        is_open
    }
}

impl Question {
    fn set(&self, state: State) {
        *self.state.lock() = state;
        self.changed.notify_all();
    }

    fn wait_while(&self, waits: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let state = self.state.lock();
        let state = self.changed.wait_while(state, |state| waits(state));
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a question, and answers it. Returns false if there will be none.
    fn answer(&self, entry: Entry) -> bool {
        let is_closed = |state: &State| matches!(state, State::None | State::Answered(_));
        let mut state = self.wait_while(is_closed);
        if matches!(*state, State::Over) {
            return false;
        }
        *state = State::Answered(entry);
        self.changed.notify_all();
        true
    }
}

/// Reads until the questions have ended. A terminal has input again after its end.
fn read_lines(question: &Question) {
    let mut stdin = io::stdin().lock();
    loop {
        let mut line = Vec::new();
        let entry = match stdin.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => Entry::Closed,
            Ok(_) => String::from_utf8(line).map_or(Entry::Unreadable, |line| {
                Entry::Line(line.trim_end_matches(['\n', '\r']).to_owned())
            }),
        };
        if !question.answer(entry) {
            return;
        }
    }
}
