//! JSON lines on stderr.
//!
//! One line per event, with the event's fields at the top level:
//!
//! ```json
//! {"timestamp":"2026-07-28T09:30:00.000000Z","level":"INFO","target":"mcp_kit::call","message":"call","kind":"tool","name":"search_web","principal":"local","duration_ms":12.4,"outcome":"ok","arguments":"query"}
//! ```
//!
//! An event inside a call also has the call's `tool` and `principal`, and its
//! `trace_id` if calls are traced. The lines go through a queue of limited size
//! and a separate thread: hosts often never read stderr, and a full pipe must
//! not stop a server. Lines that find no room are dropped, and a later line has
//! their number (`"dropped":12`).
//!
//! `RUST_LOG` sets the filter: a level (`info`, the default), or levels by
//! target, such as `warn,mcp_kit=info,my_server=debug`. Directives for spans or
//! fields (`[call{name=x}]`) are not supported.
//!
//! A program with another subscriber installs it before
//! `mcp_kit::cli::run` and calls nothing of this module: mcp-kit logs
//! through [`tracing`] alone.
//!
//! The guide explains [the log](crate::guide::logging).

mod filter;
mod format;

use std::io;
use std::sync::Once;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;

#[cfg(feature = "otel")]
use crate::observe::otel;
#[cfg(feature = "otel")]
use crate::observe::otel::{TraceError, TraceGuard};
use crate::support::panics::{Seen, see};
use crate::support::stderr;
use crate::support::stderr::{Format, Queue};
use format::JsonLine;

/// The filter if `RUST_LOG` is not set.
const DEFAULT_FILTER: &str = "info";

/// Flushes on drop: sends the waiting spans, for at most 2 s, and then writes
/// the waiting lines, for at most 200 ms. Keep it until the process ends.
#[derive(Debug)]
#[must_use = "keep it until the process ends, for example as `let _logs`: lines that still wait are lost otherwise"]
pub struct LogGuard {
    #[cfg(feature = "otel")]
    traces: Option<TraceGuard>,
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        // Its messages about the last spans are logged.
        #[cfg(feature = "otel")]
        drop(self.traces.take());
        flush();
    }
}

/// Logs to stderr as the module documents, and makes each panic one line. With
/// the feature `otel`, calls are also traced if the environment configures it.
///
/// `cli::run` calls it. If the process already has a subscriber, that one
/// remains, and only panics change.
///
/// ```
/// let _logs = mcp_kit::logging::init();
/// tracing::info!(port = 8080, "listening");
/// ```
pub fn init() -> LogGuard {
    init_with(DEFAULT_FILTER)
}

/// Logs like [`init`], with another filter for when `RUST_LOG` is not set, such
/// as `"warn"`.
pub fn init_with(default: &str) -> LogGuard {
    let (filter, warning) = filter::from_environment(default);
    #[cfg(feature = "otel")]
    let (installed, traces, problem) = install_with_traces(filter);
    #[cfg(not(feature = "otel"))]
    let installed = install(filter);
    if installed {
        stderr::format_with(Format {
            #[cfg(unix)]
            #[cfg(unix)]
            printed: format::printed_line,
            dropped: format::dropped_lines,
        });
    }
    install_panic_hook();
    if let (true, Some(warning)) = (installed, warning) {
        tracing::warn!(target: "mcp_kit::logging", "{warning}");
    }
    #[cfg(feature = "otel")]
    if let Some(problem) = problem {
        tracing::warn!(target: "mcp_kit::otel", "{problem}");
    }
    LogGuard {
        #[cfg(feature = "otel")]
        traces,
    }
}

/// Waits until every line so far is written, for at most 200 ms.
pub fn flush() {
    stderr::flush();
}

/// Writes lines about panics, and every line before them, to stderr before it
/// returns; it waits for at most 200 ms.
pub(crate) fn write_now(panics: &[(&str, &str)]) {
    for (message, error) in panics {
        let line = format::error_line("mcp_kit::panic", message, error);
        stderr::queue().push(line.as_bytes());
    }
    flush();
}

/// Installs the subscriber. Returns whether this process' events now go to
/// stderr.
fn install(filter: Targets) -> bool {
    let subscriber = tracing_subscriber::registry()
        .with(filter)
        .with(layer(|| LineWriter(stderr::queue())));
    tracing::subscriber::set_global_default(subscriber).is_ok()
}

/// Installs the subscriber, with traces in addition to the lines if the
/// environment configures them. The log's filter does not affect the traces.
#[cfg(feature = "otel")]
fn install_with_traces(filter: Targets) -> (bool, Option<TraceGuard>, Option<TraceError>) {
    if !otel::is_configured() {
        return (install(filter), None, None);
    }
    match otel::layer() {
        Err(problem) => (install(filter), None, Some(problem)),
        Ok((traces, guard)) => {
            let subscriber = tracing_subscriber::registry()
                .with(filter::LinesOrSpans(filter))
                .with(traces)
                .with(layer(|| LineWriter(stderr::queue())));
            let installed = tracing::subscriber::set_global_default(subscriber).is_ok();
            (installed, installed.then_some(guard), None)
        }
    }
}

/// Accepts one line per write, as tracing-subscriber writes them.
struct LineWriter(&'static Queue);

impl io::Write for LineWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn layer<S, W>(writer: W) -> impl tracing_subscriber::Layer<S>
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    tracing_subscriber::fmt::layer()
        .fmt_fields(JsonLine)
        .event_format(JsonLine)
        .log_internal_errors(false)
        .with_writer(writer)
}

/// Installs the panic hook, once for the process: one log event per panic, in place of the
/// text that the standard hook prints. Panics inside a call are left to
/// the call's own event.
///
/// A panic that follows an uncaught one comes from a `Drop` during unwinding,
/// or from a function that must not unwind: the process is about to abort, and
/// no call will write an event. Both panics and all lines before them are then
/// written to stderr before the hook returns.
fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| match see(info) {
            Seen::Contained => {}
            Seen::Outside(description) => {
                tracing::error!(target: "mcp_kit::panic", error = description, "panic outside of a call");
                flush();
            }
            Seen::AfterAnother { first, second } => write_now(&[
                ("panic that was not caught", &first),
                ("panic that followed it; the process may abort", &second),
            ]),
        }));
    });
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};

    use super::*;

    /// Returns what `log` logs, as JSON without the time.
    fn lines(log: impl FnOnce()) -> Vec<Value> {
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&written);
        let subscriber =
            tracing_subscriber::registry().with(layer(move || Sink(Arc::clone(&sink))));
        tracing::subscriber::with_default(subscriber, log);
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| {
                let mut line: Value = serde_json::from_str(line).unwrap();
                let time = line["timestamp"].take();
                assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
                line.as_object_mut().unwrap().remove("timestamp");
                line
            })
            .collect()
    }

    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn fields_stand_at_the_top_level_with_their_types() {
        let nothing: Option<&str> = None;
        let line = lines(|| {
            tracing::info!(
                target: "shop",
                text = "a \"quoted\"\nline\u{1}\\",
                number = -3,
                large = u64::MAX,
                half = 0.5,
                odd = f64::NAN,
                yes = true,
                debug = ?Some(1),
                nothing,
                r#type = "keyword",
                level = "taken",
                "sold {}",
                "tea"
            );
        });
        assert_eq!(
            line,
            [json!({
                "level": "INFO",
                "target": "shop",
                "message": "sold tea",
                "text": "a \"quoted\"\nline\u{1}\\",
                "number": -3,
                "large": u64::MAX,
                "half": 0.5,
                "odd": "NaN",
                "yes": true,
                "debug": "Some(1)",
                "type": "keyword",
                "field_level": "taken",
            })]
        );
    }

    #[test]
    fn an_event_has_the_fields_of_its_spans_and_none_twice() {
        let found = lines(|| {
            let outer = tracing::info_span!("outer", tool = "search", principal = "ada");
            let _outer = outer.enter();
            let inner = tracing::info_span!("inner", tool = "inside", step = tracing::field::Empty);
            let _inner = inner.enter();
            inner.record("step", 1);
            inner.record("step", 2);
            tracing::warn!(target: "shop", principal = "own", "inside");
        });
        let text = json!({
            "level": "WARN",
            "target": "shop",
            "message": "inside",
            "principal": "own",
            "tool": "inside",
            "step": 2,
        });
        assert_eq!(found, [text]);
    }

    #[test]
    fn an_error_is_logged_with_its_sources_and_a_long_text_is_cut() {
        let long = "é".repeat(100_000);
        let error = io::Error::other("no \"disk\"");
        let found = lines(|| {
            tracing::error!(
                error = &error as &(dyn std::error::Error + 'static),
                long,
                "failed"
            );
        });
        assert_eq!(found[0]["error"], "no \"disk\"");
        let long = found[0]["long"].as_str().unwrap();
        assert!(
            long.len() < 33_000 && long.ends_with("é…"),
            "{}",
            long.len()
        );
    }
}
