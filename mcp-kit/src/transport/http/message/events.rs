//! The source of a streamed response's events.
//!
//! A task writes events, and the connection's task reads them. [`ReadSide`] is
//! the writer's view of the reader: its waker, and the record that shows the
//! connection whether its client still reads.

use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use crate::limits::Claim;
use crate::transport::http::connection::activity::Progress;

/// A source of events, which one response reads.
pub(crate) trait EventSource: Send + Sync + 'static {
    /// Shows the connection how the events progress.
    fn watch(&self, progress: Progress);

    /// Records that there is something to read that did not come from here.
    fn begin(&self);

    /// Records that more of what was read has left.
    fn advance(&self);

    /// Returns the next events as bytes, and what they count for until they
    /// have left; `None` at the end.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Bytes, Option<Claim>)>>;
}

/// The reader of events, as their writer sees it.
#[derive(Default)]
pub(crate) struct ReadSide {
    progress: Option<Progress>,
    waker: Option<Waker>,
}

impl ReadSide {
    /// Shows the connection the events' progress; `has_events` is whether there
    /// is one to read already.
    pub(crate) fn watch(&mut self, mut progress: Progress, has_events: bool) {
        if has_events {
            progress.begin();
        }
        self.progress = Some(progress);
    }

    /// Stops updating the connection's record.
    pub(crate) fn unwatch(&mut self) {
        self.progress = None;
    }

    /// Records that there is something to read.
    pub(crate) fn begin(&mut self) {
        if let Some(progress) = &mut self.progress {
            progress.begin();
        }
    }

    /// Records that more of what was read has left.
    pub(crate) fn advance(&mut self) {
        if let Some(progress) = &mut self.progress {
            progress.advance();
        }
    }

    /// Records that everything was read.
    pub(crate) fn rest(&mut self) {
        if let Some(progress) = &mut self.progress {
            progress.rest();
        }
    }

    /// Wakes the reader at the next [`wake`](Self::wake).
    pub(crate) fn wait(&mut self, cx: &Context<'_>) {
        match &mut self.waker {
            Some(known) => known.clone_from(cx.waker()),
            unknown => *unknown = Some(cx.waker().clone()),
        }
    }

    pub(crate) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
