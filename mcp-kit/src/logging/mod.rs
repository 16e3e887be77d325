//! JSON lines on stderr.
//!
//! One line per event, with the event's fields at the top level:
//!
//! ```json
//! {"timestamp":"2026-07-28T09:30:00.000000Z","level":"INFO","target":"mcp_kit::call","message":"call","tool":"search_web","principal":"local","duration_ms":12.4,"outcome":"ok","arguments":"query"}
//! ```
//!
//! An event inside a call has the call's `tool` and `principal` too. The lines
//! go through a bounded queue and a thread of their own: hosts often never read
//! stderr, and a full pipe must not stop a server. Lines that find no room are
//! dropped, and a later line tells how many (`"dropped":12`).
//!
//! `RUST_LOG` says what is logged: a level (`info`, the default), or levels by
//! target, such as `warn,mcp_kit=info,my_server=debug`. Directives for spans or
//! fields (`[call{tool=x}]`) are not supported.
//!
//! Whoever wants another subscriber installs it before
//! [`cli::run`](crate::cli::run) and calls nothing of this module: mcp-kit logs
//! through [`tracing`] alone.

mod filter;
mod format;
mod queue;

use std::time::Duration;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;

use format::JsonLine;
use queue::Queue;

/// What is logged where `RUST_LOG` does not say.
const DEFAULT_FILTER: &str = "info";

/// How long the end of the process waits for a stderr that nobody reads.
const LONGEST_FLUSH: Duration = Duration::from_millis(200);

/// Writes the lines that still wait when it is dropped, for at most 200 ms.
/// Keep it until the process ends.
#[derive(Debug)]
#[must_use = "keep it until the process ends, for example as `let _logs`: lines that still wait are lost otherwise"]
pub struct LogGuard(());

impl Drop for LogGuard {
    fn drop(&mut self) {
        flush();
    }
}

/// Logs to stderr as the module says, and makes each panic one line.
///
/// `cli::run` does it for you. Where the process has a subscriber already, that
/// one stays, and only panics change.
///
/// ```
/// let _logs = mcp_kit::logging::init();
/// tracing::info!(port = 8080, "listening");
/// ```
pub fn init() -> LogGuard {
    init_with(DEFAULT_FILTER)
}

/// [`init`] with another filter for where `RUST_LOG` is not set, such as
/// `"warn"`.
pub fn init_with(default: &str) -> LogGuard {
    let (filter, warning) = filter::from_environment(default);
    let installed = install(filter);
    crate::panics::install_hook();
    if let (true, Some(warning)) = (installed, warning) {
        tracing::warn!(target: "mcp_kit::logging", "{warning}");
    }
    LogGuard(())
}

/// Waits until every line so far is written, for at most 200 ms.
pub fn flush() {
    queue::stderr().flush(LONGEST_FLUSH);
}

/// Whether this process' events now go to stderr.
fn install(filter: Targets) -> bool {
    let subscriber = tracing_subscriber::registry()
        .with(filter)
        .with(layer(queue::stderr()));
    tracing::subscriber::set_global_default(subscriber).is_ok()
}

fn layer<S>(queue: &'static Queue) -> impl tracing_subscriber::Layer<S>
where
    S: tracing::Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span>,
{
    tracing_subscriber::fmt::layer()
        .fmt_fields(JsonLine)
        .event_format(JsonLine)
        .log_internal_errors(false)
        .with_writer(queue)
}
