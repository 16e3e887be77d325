//! What `call`, `prompt` and `read` do on a terminal: they show the progress of the
//! handler, and ask its questions.
//!
//! All of it is written to stderr, so that stdout holds the result and nothing else.
//! Without a terminal nothing is shown, and the client declares no capability: a handler
//! that asks then receives the error of a client that cannot be asked.

mod progress;

use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::client::TestClientBuilder;
use crate::server::Server;
use crate::support::json::Members as _;
use crate::support::lock::Lock;
use crate::support::stderr;
use crate::support::task::spawn;
use crate::transport::signals::Signals;

/// The terminal of the process, if it has one.
#[derive(Clone)]
pub(super) struct Terminal {
    /// Whether it can show a line that is redrawn.
    redraws: bool,
    /// Whether a person can be asked.
    asks: bool,
    end: Arc<End>,
}

/// Why a request ends before its result.
#[derive(Default)]
pub(super) struct End {
    reason: Lock<Option<&'static str>>,
    notify: Notify,
}

impl Terminal {
    /// Examines stdin and stderr.
    pub(super) fn of_process() -> Self {
        let shows = io::stderr().is_terminal();
        // A dumb terminal cannot go back to the start of a line.
        let redraws = shows && std::env::var_os("TERM").is_none_or(|kind| kind != "dumb");
        Self {
            redraws,
            asks: shows && io::stdin().is_terminal(),
            end: Arc::default(),
        }
    }

    /// Whether the questions of handlers are answered here.
    pub(super) fn asks(&self) -> bool {
        self.asks
    }

    /// Declares the capabilities of a person at the terminal, if there is one, and answers
    /// the handler's questions. Needs a runtime.
    pub(super) fn connect<'a>(
        &self,
        server: &Server,
        client: TestClientBuilder<'a>,
    ) -> TestClientBuilder<'a> {
        if !self.asks {
            return client;
        }
        let end = Arc::clone(&self.end);
        let code = server.ask_code();
        let person = code.map(|code| {
            let end = Box::new(move |reason| end.end(reason));
            (code.person)(server.name(), end)
        });
        let (answers, interrupt) = person
            .map(|person| (person.answers, person.interrupt))
            .unzip();
        if let Ok(mut signals) = Signals::listen() {
            let end = Arc::clone(&self.end);
            spawn(async move {
                let mut was_interrupted = false;
                loop {
                    signals.next().await;
                    // Closes the open question, if there is one.
                    let closed = interrupt.as_ref().is_some_and(|interrupt| interrupt());
                    if !closed || was_interrupted {
                        end.end(ENDED_BY_SIGNAL);
                    }
                    was_interrupted = true;
                }
            });
        }
        match answers {
            Some(answers) => client.answer_by(answers),
            None => client,
        }
    }

    /// Shows a progress report: the parameters of the notification.
    pub(super) fn show_progress(&self, report: &Value) {
        if self.redraws {
            progress::show(report);
        }
    }

    /// Shows the status message of a task, given its state.
    pub(super) fn show_status(&self, state: &Value) {
        if let Some(message) = state.at("statusMessage").as_str() {
            self.show_progress(&json!({ "message": message }));
        }
    }

    /// Removes the progress from the terminal.
    pub(super) fn clear(&self) {
        stderr::clear_status();
    }

    /// Waits until the request must end before its result, and returns the reason.
    pub(super) async fn ended(&self) -> &'static str {
        if self.asks {
            return self.end.wait().await;
        }
        // Programs that a handler runs do not receive the signals of the terminal, so a
        // signal must not end this process and leave them behind.
        #[cfg(feature = "process")]
        if let Ok(mut signals) = Signals::listen() {
            signals.next().await;
            return ENDED_BY_SIGNAL;
        }
        std::future::pending().await
    }
}

const ENDED_BY_SIGNAL: &str = "the call was ended by a signal";

impl End {
    /// Ends the request.
    pub(super) fn end(&self, reason: &'static str) {
        self.reason.lock().get_or_insert(reason);
        self.notify.notify_one();
    }

    async fn wait(&self) -> &'static str {
        self.notify.notified().await;
        self.reason.lock().unwrap_or(ENDED_BY_SIGNAL)
    }
}

/// Returns the columns of the terminal.
fn columns() -> usize {
    const USUAL: usize = 80;
    #[cfg(unix)]
    if let Ok(size) = rustix::termios::tcgetwinsize(rustix::stdio::stderr())
        && size.ws_col > 0
    {
        return size.ws_col.into();
    }
    USUAL
}
