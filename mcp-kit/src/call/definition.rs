//! What the registry must know of a primitive's definition, whatever its kind.

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
/// other type: a kind adds an implementation, in its own folder.
pub(crate) trait Definition: Any + fmt::Debug + Send + Sync {
    /// The differences of its kind.
    fn row(&self) -> &'static KindRow;

    fn name(&self) -> &str;

    /// Gives it another name, when a router has a prefix.
    fn rename(&mut self, name: String);

    /// What middlewares see of it. `scopes` are those of the routers around it, and
    /// `defaults` the hints of the server.
    fn info(&self, scopes: Scopes, defaults: &Annotations) -> PrimitiveInfo;

    /// The primitive in a list, as JSON.
    fn listing(&self, info: &PrimitiveInfo, era: Era) -> String;

    fn arguments(&self) -> &Arc<CompiledArgs>;

    /// The limits that its author gave it.
    fn limits(&self) -> OwnLimits;

    /// Middlewares that belong to it, outside of those of the server.
    fn layers(&self) -> Vec<Arc<dyn Middleware>>;

    /// What is wrong with it, each in a sentence that names it.
    fn problems(&self) -> Vec<String>;

    /// What works, and could serve models and hosts better.
    fn warnings(&self, info: &PrimitiveInfo, timeout: Duration) -> Vec<(WarningCode, String)>;

    /// The warnings that its author accepted.
    fn accepted_warnings(&self) -> &[WarningCode];

    /// The arguments that a client repeats in headers; the error says what is wrong
    /// with them.
    #[cfg(feature = "http")]
    fn param_headers(&self) -> Result<Vec<ParamHeader>, String>;
}

/// The limits that a primitive's author gave it; those of the registration override
/// them, and the server's apply where neither is set.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OwnLimits {
    pub(crate) timeout: Option<Duration>,
    pub(crate) result_bytes: Option<usize>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) rate: Option<Rate>,
}

impl OwnLimits {
    /// These limits, and `other`'s where none is set.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            timeout: self.timeout.or(other.timeout),
            result_bytes: self.result_bytes.or(other.result_bytes),
            concurrency: self.concurrency.or(other.concurrency),
            rate: self.rate.or(other.rate),
        }
    }
}
