//! The state that all sessions of a server share.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::time::Instant;

use crate::server::Limits;
use crate::transport::http::calls::mcp::Mcp;

pub(super) struct Common {
    pub(super) mcp: Arc<Mcp>,
    began: Instant,
    /// How long a session may go unused, in milliseconds.
    pub(super) idle: u64,
    /// The limit of event bytes that a session keeps.
    pub(super) replay: usize,
    /// The limit of event bytes that all sessions keep together.
    pub(super) replay_in_all: usize,
    /// The event bytes that all sessions keep.
    pub(super) kept: AtomicUsize,
}

impl Common {
    pub(super) fn new(mcp: Arc<Mcp>) -> Arc<Self> {
        let limits = &mcp.edge.options.limits;
        Arc::new(Self {
            began: Instant::now(),
            idle: millis(limits.session_idle.min(Limits::LONGEST_TIME)),
            replay: limits.replay_bytes,
            replay_in_all: limits.replay_bytes_in_all,
            kept: AtomicUsize::new(0),
            mcp,
        })
    }

    /// Returns milliseconds on tokio's clock since the server was made.
    pub(super) fn now(&self) -> u64 {
        self.at(Instant::now())
    }

    /// Returns a moment on that clock.
    pub(super) fn at(&self, moment: Instant) -> u64 {
        millis(moment.saturating_duration_since(self.began))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
