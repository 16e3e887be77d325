//! A person at a terminal who answers the questions of handlers, for `call`, `prompt` and
//! `read` of the command line.
//!
//! ```text
//!  handler ──question──► questions ──► form: field by field ──► stderr
//!                            ▲
//!                          input ◄── stdin, Ctrl-C
//! ```
//!
//! It is written to stderr, so that stdout holds the result and nothing else.

mod form;
mod input;
mod questions;

use std::sync::Arc;

use super::{Answers, by_function};
use crate::support::stderr::{show_text, write};
use input::{Entry, Input};
use questions::{Console, Questions};

/// A person who is asked.
pub(crate) struct Person {
    pub(crate) answers: Arc<dyn Answers>,
    /// Closes the open question. Returns whether there was one.
    pub(crate) interrupt: Box<dyn Fn() -> bool + Send>,
}

/// Ends the request that asks, for this reason.
pub(crate) type EndRequest = Box<dyn Fn(&'static str) + Send>;

/// Asks the person at the terminal of this process for the server of this name.
pub(crate) fn at_terminal(server: &str, end: EndRequest) -> Person {
    let input = Input::new();
    let interrupter = input.interrupter();
    let mut questions = Questions::new(server, Stderr { input }, end);
    Person {
        answers: by_function(move |asked| questions.answer(asked)),
        interrupt: Box::new(move || interrupter.interrupt()),
    }
}

/// Asks on stderr and reads stdin.
struct Stderr {
    input: Input,
}

impl Console for Stderr {
    fn print(&mut self, text: &str) {
        show_text(text);
    }

    fn read(&mut self, prompt: &str) -> Entry {
        let entry = self.input.next(|| show_text(prompt));
        if entry == Entry::Closed {
            // No Enter has ended the line.
            write("\n");
        }
        entry
    }
}
