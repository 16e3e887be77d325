//! The interface between the registry and the definition of a primitive of any
//! kind.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{KindRow, Middleware};
use crate::args::CompiledArgs;
use crate::limits::Rate;
#[cfg(feature = "http")]
use crate::primitive::ParamHeader;
use crate::primitive::{Annotations, PrimitiveInfo, Scopes, WarningCode};
use crate::protocol::Era;

/// A definition of one kind, such as a
/// [`ToolDefinition`](crate::primitive::ToolDefinition). The registry names no
/// concrete type: a new kind adds an implementation in its own folder.
pub(crate) trait Definition: Any + fmt::Debug + Send + Sync {
    /// Returns the differences of its kind.
    fn row(&self) -> &'static KindRow;

    fn name(&self) -> &str;

    /// Renames the primitive, if a router has a prefix.
    fn rename(&mut self, name: String);

    /// Returns the view of middlewares. `scopes` are those of the routers
    /// around it, and `defaults` the hints of the server.
    fn info(&self, scopes: Scopes, defaults: &Annotations) -> PrimitiveInfo;

    /// Returns the primitive as a list shows it, as JSON.
    fn listing(&self, info: &PrimitiveInfo, era: Era) -> String;

    fn arguments(&self) -> &Arc<CompiledArgs>;

    /// Returns the limits that its author set.
    fn limits(&self) -> OwnLimits;

    /// Returns the middlewares that belong to it, outside of those of the
    /// server.
    fn layers(&self) -> Vec<Arc<dyn Middleware>>;

    /// Returns what is wrong with it, each in a sentence that names it.
    fn problems(&self) -> Vec<String>;

    /// Returns suggestions that would serve models and hosts better.
    fn warnings(&self, info: &PrimitiveInfo, timeout: Duration) -> Vec<(WarningCode, String)>;

    /// Returns the warnings that its author accepted.
    fn accepted_warnings(&self) -> &[WarningCode];

    /// Returns the arguments that a client repeats in headers; the error
    /// describes what is wrong with them.
    #[cfg(feature = "http")]
    fn param_headers(&self) -> Result<Vec<ParamHeader>, String>;
}

/// The limits that a primitive's author set. Those of the registration override
/// them, and the server's apply if neither is set.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OwnLimits {
    pub(crate) timeout: Option<Duration>,
    pub(crate) result_bytes: Option<usize>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) rate: Option<Rate>,
}

impl OwnLimits {
    /// Returns these limits, with `other`'s for those that are not set.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            timeout: self.timeout.or(other.timeout),
            result_bytes: self.result_bytes.or(other.result_bytes),
            concurrency: self.concurrency.or(other.concurrency),
            rate: self.rate.or(other.rate),
        }
    }
}
