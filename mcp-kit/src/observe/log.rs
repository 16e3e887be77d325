//! One log event per call.

use std::time::Duration;

use tracing::Level;

use crate::call::{CallInfo, Ending, Error, ErrorKind, Observer, Outcome};
use crate::support::error_text;

/// The target of the events, for filters.
const TARGET: &str = "mcp_kit::call";

/// Writes one event per call, at its end: the kind and the name of what was called,
/// the principal, `duration_ms`, the outcome, the names of known arguments and how
/// many unknown ones there were, how many places of the arguments were normalised,
/// if any were, the id that the rounds of a call have in common, if its handler can
/// ask; for failures that the client may not see, the reference and the
/// whole chain of sources. No argument's value is ever written.
///
/// Calls that succeed or are refused with a message are at level `INFO`; timeouts,
/// overload and messages that replace another error at `WARN`; internal errors and
/// panics at `ERROR`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    /// Without them, only failures whose cause the client may not see are written: a
    /// reference in an answer always has its line.
    pub(crate) all_calls: bool,
}

impl Observer for Log {
    fn ended(&self, call: &CallInfo<'_>, how: &Ending<'_>) {
        let source = how.error().and_then(Error::source);
        if self.all_calls || source.is_some() || how.outcome().has_reference() {
            // Looked up for an event that is written, and for no other.
            macro_rules! event {
                ($level:ident) => {
                    if tracing::enabled!(target: TARGET, Level::$level) {
                        let names = call.names();
                        tracing::event!(
                            target: TARGET,
                            Level::$level,
                            kind = call.kind().as_str(),
                            name = call.name(),
                            principal = call.principal().name(),
                            duration_ms = millis(how.duration()),
                            outcome = how.outcome().as_str(),
                            arguments = names.known.join(","),
                            unknown_arguments = (names.unknown > 0).then_some(names.unknown),
                            normalised = Some(call.normalised()).filter(|places| *places > 0),
                            logical_call = call.logical_call(),
                            reference = how.reference(),
                            error = source.map(|source| error_text::of(source)),
                            "call"
                        )
                    }
                };
            }
            match level(how) {
                Level::ERROR => event!(ERROR),
                Level::WARN => event!(WARN),
                _ => event!(INFO),
            }
        }
    }
}

fn level(how: &Ending<'_>) -> Level {
    match how.outcome() {
        outcome if outcome.has_reference() => Level::ERROR,
        Outcome::ResultTooLarge | Outcome::Failed(ErrorKind::Timeout | ErrorKind::Busy) => {
            Level::WARN
        }
        // It failed, though the client has a message.
        _ if how.error().is_some_and(|error| error.source().is_some()) => Level::WARN,
        _ => Level::INFO,
    }
}

/// Milliseconds with three digits behind the point.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
