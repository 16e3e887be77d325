//! Counts the requests that are being answered, and the answers on their way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The requests that a service is answering.
pub(crate) struct OpenRequests {
    requests: AtomicUsize,
    /// Above this many open requests, a caller whose calls wait is refused
    /// further ones.
    half: AtomicUsize,
    /// Those of them whose answers are on their way.
    answers: AtomicUsize,
}

/// A request that is open until this is dropped.
pub(crate) struct OpenRequest {
    all: Arc<OpenRequests>,
    /// It counts against the limit on open requests.
    has_place: bool,
    is_answered: bool,
}

impl OpenRequests {
    /// Creates a counter; `most` is the limit on connections or requests.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            requests: AtomicUsize::new(0),
            half: AtomicUsize::new(most / 2),
            answers: AtomicUsize::new(0),
        })
    }

    /// Lowers the limit to a number of connections.
    pub(crate) fn limit(&self, connections: usize) {
        self.half.fetch_min(connections / 2, Ordering::Relaxed);
    }

    /// Counts a request, unless `most` are open already.
    pub(crate) fn open(self: &Arc<Self>, most: usize) -> Option<OpenRequest> {
        let request = OpenRequest {
            all: Arc::clone(self),
            has_place: true,
            is_answered: false,
        };
        let before = self.requests.fetch_add(1, Ordering::Relaxed);
        (before < most).then_some(request)
    }

    /// Whether requests take up half of the connections. A call that would wait
    /// is then refused: the waiting calls of one caller would take up all of
    /// them.
    pub(crate) fn is_half_full(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > self.half.load(Ordering::Relaxed)
    }

    /// Whether answers are on their way.
    pub(crate) fn has_answers(&self) -> bool {
        self.answers.load(Ordering::Acquire) > 0
    }
}

impl OpenRequest {
    /// Stops counting a request whose answer is endless and has a separate
    /// limit.
    #[cfg(feature = "sse")]
    pub(crate) fn endless(mut self) -> Self {
        if std::mem::take(&mut self.has_place) {
            self.all.requests.fetch_sub(1, Ordering::Relaxed);
        }
        self
    }

    /// Records that the answer is on its way.
    pub(crate) fn answered(mut self) -> Self {
        self.is_answered = true;
        self.all.answers.fetch_add(1, Ordering::AcqRel);
        self
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        if self.has_place {
            self.all.requests.fetch_sub(1, Ordering::Relaxed);
        }
        if self.is_answered {
            self.all.answers.fetch_sub(1, Ordering::AcqRel);
        }
    }
}
