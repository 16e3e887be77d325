//! Where the answers of a session go: each to the response of its request, or
//! all to one stream (2024-11-05, feature `sse`).

use std::sync::Arc;

use crate::transport::http::calls::response::Exchange;
#[cfg(feature = "sse")]
use crate::transport::http::sse::Stream;

/// The stream that all answers go to, if there is one. The session ends with
/// it.
#[derive(Default)]
pub(super) struct Onto {
    #[cfg(feature = "sse")]
    stream: Option<Arc<Stream>>,
}

#[cfg(feature = "sse")]
impl From<&Arc<Stream>> for Onto {
    fn from(stream: &Arc<Stream>) -> Self {
        Self {
            stream: Some(Arc::clone(stream)),
        }
    }
}

#[cfg(feature = "sse")]
impl Onto {
    pub(super) fn is_stream(&self) -> bool {
        self.stream.is_some()
    }

    /// Whether answers would go nowhere.
    pub(super) fn is_lost(&self) -> bool {
        (self.stream.as_ref()).is_some_and(|stream| stream.has_ended())
    }

    /// An exchange that leads to the stream.
    pub(super) fn exchange(&self) -> Option<Arc<Exchange>> {
        self.stream.as_ref().map(Exchange::onto)
    }
}

#[cfg(not(feature = "sse"))]
impl Onto {
    pub(super) fn is_stream(&self) -> bool {
        false
    }

    pub(super) fn is_lost(&self) -> bool {
        false
    }

    pub(super) fn exchange(&self) -> Option<Arc<Exchange>> {
        None
    }
}
