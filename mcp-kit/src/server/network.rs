//! The options of a network transport, which the server carries and does not read.

use std::any::Any;
#[cfg(all(feature = "cli", feature = "http"))]
use std::sync::Arc;

#[cfg(all(feature = "cli", feature = "http"))]
use super::Server;
#[cfg(feature = "http")]
use super::ServerInner;
use crate::limits::Rate;
use crate::observe::Meter;

/// The options of a network transport, of which the server reads only these.
pub(crate) trait NetworkOptions: Any + Send + Sync {
    /// Returns the rate of each caller for primitives without a rate of their
    /// own.
    fn default_rate(&self) -> Option<Rate>;

    /// Returns what is wrong with them, for `build()` to report.
    fn problems(&self, meter: &Meter) -> Vec<String>;
}

/// No options: each transport uses its defaults.
pub(super) struct NoNetwork;

impl NetworkOptions for NoNetwork {
    fn default_rate(&self) -> Option<Rate> {
        Some(Rate::OVER_NETWORK)
    }

    fn problems(&self, _: &Meter) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(all(feature = "cli", feature = "http"))]
impl Server {
    /// Replaces the options of the network transport; services that were made
    /// before keep theirs.
    pub(crate) fn set_network(&self, options: impl NetworkOptions) {
        (self.inner.registry).set_network_rate(options.default_rate());
        self.inner.network.store(Arc::new(Box::new(options)));
    }
}

#[cfg(feature = "http")]
impl ServerInner {
    /// Returns the options of the network transport, if they are of this type.
    pub(crate) fn network<T: Clone + 'static>(&self) -> Option<T> {
        let options: &dyn Any = &***self.network.load();
        options.downcast_ref().cloned()
    }
}
