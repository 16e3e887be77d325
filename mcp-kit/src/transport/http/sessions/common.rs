//! What all sessions of a server share.

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
    /// The bytes of events that a session may keep.
    pub(super) replay: usize,
    /// And all of them together.
    pub(super) replay_in_all: usize,
    /// The bytes of events that all of them keep.
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

    /// Milliseconds on tokio's clock since the server was made.
    pub(super) fn now(&self) -> u64 {
        self.at(Instant::now())
    }

    /// A moment on that clock.
    pub(super) fn at(&self, moment: Instant) -> u64 {
        millis(moment.saturating_duration_since(self.began))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
