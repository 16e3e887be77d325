//! The interface between the registry and the definition of a primitive of any
//! kind.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use super::{KindRow, Middleware};
#[cfg(feature = "http")]
use crate::primitive::ParamHeader;
use crate::primitive::{
    Annotations, CommonDefinition, PrimitiveInfo, Scopes, TaskOffer, UriTemplate, WarningCode,
};
use crate::protocol::Era;

/// A definition of one kind, such as a
/// [`ToolDefinition`](crate::primitive::ToolDefinition). The registry names no
/// concrete type: a new kind adds an implementation in its own folder.
pub(crate) trait Definition: Any + Send + Sync {
    /// Returns the differences of its kind.
    fn row(&self) -> &'static KindRow;

    /// Returns the part that definitions of every kind have.
    fn common(&self) -> &CommonDefinition;

    fn common_mut(&mut self) -> &mut CommonDefinition;

    /// Returns the name under which clients call it.
    fn name(&self) -> &str {
        &self.common().name
    }

    /// Puts the prefix of a router in front of its name.
    fn add_prefix(&mut self, prefix: &str) {
        let name = &mut self.common_mut().name;
        *name = format!("{prefix}{name}").into();
    }

    /// Returns the template of the URIs that belong to it, if it is one of
    /// resources.
    fn template(&self) -> Option<&UriTemplate> {
        None
    }

    /// Whether it lists resources of its own, and is itself in no list.
    fn is_provider(&self) -> bool {
        false
    }

    /// Returns the view of middlewares. `scopes` are those of the routers
    /// around it, and `defaults` the hints of the server.
    fn info(&self, scopes: Scopes, defaults: &Annotations) -> PrimitiveInfo {
        let _ = defaults;
        PrimitiveInfo::new(self.row().kind, self.common(), scopes)
    }

    /// Returns the primitive as a list shows it, as JSON.
    fn listing(&self, info: &PrimitiveInfo, era: Era) -> String;

    /// Returns the middlewares that belong to it, outside of those of the
    /// server.
    fn layers(&self) -> Vec<Arc<dyn Middleware>> {
        Vec::new()
    }

    /// Returns which of its calls become tasks, and how.
    fn task(&self) -> Option<TaskOffer> {
        None
    }

    /// Writes it for people, in the command that lists its kind. Here, and in `shown_result`,
    /// so that a server contains the texts of its kinds alone.
    #[cfg(feature = "cli")]
    fn describe(&self, info: &PrimitiveInfo, text: &mut String) {
        text.push_str(info.name());
    }

    /// Returns a result for people.
    #[cfg(feature = "cli")]
    fn shown_result(&self, result: &serde_json::Value) -> String {
        result.to_string()
    }

    /// Returns what is wrong with it, each in a sentence that names it.
    fn problems(&self) -> Vec<String>;

    /// Returns suggestions that would serve models and hosts better.
    fn warnings(&self, info: &PrimitiveInfo, timeout: Duration) -> Vec<(WarningCode, String)>;

    /// Returns the arguments that a client repeats in headers; the error
    /// describes what is wrong with them.
    #[cfg(feature = "http")]
    fn param_headers(&self) -> Result<Vec<ParamHeader>, String> {
        Ok(Vec::new())
    }
}
