//! The changes that [`Registry::update`](super::Registry::update) makes
//! together, and why they could not be made.

use std::fmt;

use super::steps::Step;
use super::{IntoRegistration, Router, Via, adding_methods};
use crate::primitive::Kind;
use crate::prompt::PromptFn;
use crate::resource::ResourceFn;
use crate::tool::ToolFn;

/// Changes that are made together; see
/// [`Registry::update`](super::Registry::update).
#[derive(Default)]
pub struct Changes {
    pub(super) steps: Vec<Step>,
}

impl Changes {
    /// Adds a primitive that is known only at run time, or any
    /// [`Registration`](super::Registration), at the end of its list.
    pub fn add<M: Via>(&mut self, primitive: impl IntoRegistration<M>) {
        self.steps.push(Step::Add(primitive.into_registration()));
    }

    adding_methods! { (&mut self), self;
        tool, tool_with: ToolFn;
        prompt, prompt_with: PromptFn;
        resource, resource_with: ResourceFn;
        ///
        /// ```
        /// # use mcp_kit::{Server, tool};
        /// # /// A report.
        /// # #[tool] async fn report() -> String { String::new() }
        /// let server = Server::builder("reports", "1.0.0").build()?;
        /// server.registry().update(|changes| {
        ///     changes.tool_with::<report>(|tool| tool.concurrency(2));
        /// })?;
        /// assert_eq!(server.tools().len(), 1);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
    }

    /// Adds everything in a router, with its layers, scope and prefix.
    pub fn merge(&mut self, router: Router) {
        let added = router.into_registrations().into_iter();
        self.steps.extend(added.map(Step::Add));
    }

    /// Puts a primitive in the place of the one of the same kind and name. It keeps
    /// the place in the list, and stays hidden if that was.
    pub fn replace<M: Via>(&mut self, primitive: impl IntoRegistration<M>) {
        self.steps
            .push(Step::Replace(primitive.into_registration()));
    }

    /// Removes a primitive.
    pub fn remove(&mut self, kind: Kind, name: &str) {
        self.steps.push(Step::Remove((kind, name.to_owned())));
    }

    /// Hides a primitive. A hidden one remains hidden.
    pub fn hide(&mut self, kind: Kind, name: &str) {
        self.steps.push(Step::Hide((kind, name.to_owned())));
    }

    /// Shows a primitive. A shown one remains shown.
    pub fn show(&mut self, kind: Kind, name: &str) {
        self.steps.push(Step::Show((kind, name.to_owned())));
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes")
            .field("steps", &self.steps.len())
            .finish_non_exhaustive()
    }
}
