//! What a server offers, as its builder registers it.

use super::ServerBuilder;
use crate::prompt::PromptFn;
use crate::registry::{IntoRegistration, Registration, Router, Via};
use crate::resource::{ResourceFn, ResourceProvider};
use crate::tool::ToolFn;

impl ServerBuilder {
    /// Registers a `#[tool]` function: `.tool::<search_web>()`.
    ///
    /// The function's name is between `::<` and `>`; there is no argument.
    pub fn tool<NameOfFunction: ToolFn>(self) -> Self {
        self.add(Registration::tool::<NameOfFunction>())
    }

    /// Registers a `#[tool]` function with its own limits and middlewares.
    ///
    /// ```
    /// # use mcp_kit::{Server, tool};
    /// # /// A report.
    /// # #[tool] async fn report() -> String { String::new() }
    /// Server::builder("reports", "1.0.0")
    ///     .tool_with::<report>(|tool| tool.result_bytes(4 << 20).concurrency(2))
    ///     .build()?;
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    pub fn tool_with<NameOfFunction: ToolFn>(
        self,
        change: impl FnOnce(Registration) -> Registration,
    ) -> Self {
        self.add(change(Registration::tool::<NameOfFunction>()))
    }

    /// Registers a `#[prompt]` function: `.prompt::<code_review>()`.
    ///
    /// The server declares the capability for prompts once it has one.
    pub fn prompt<NameOfFunction: PromptFn>(self) -> Self {
        self.add(Registration::prompt::<NameOfFunction>())
    }

    /// Registers a `#[prompt]` function with its own limits and middlewares.
    pub fn prompt_with<NameOfFunction: PromptFn>(
        self,
        change: impl FnOnce(Registration) -> Registration,
    ) -> Self {
        self.add(change(Registration::prompt::<NameOfFunction>()))
    }

    /// Registers a `#[resource]` function: `.resource::<manual_page>()`.
    ///
    /// The server declares the capability for resources once it has a resource, a
    /// template or a provider.
    pub fn resource<NameOfFunction: ResourceFn>(self) -> Self {
        self.add(Registration::resource::<NameOfFunction>())
    }

    /// Registers a `#[resource]` function with its own limits and middlewares.
    pub fn resource_with<NameOfFunction: ResourceFn>(
        self,
        change: impl FnOnce(Registration) -> Registration,
    ) -> Self {
        self.add(change(Registration::resource::<NameOfFunction>()))
    }

    /// Registers a provider: a set of resources that is known only at run time.
    /// For limits and middlewares of its own,
    /// [`add`](Self::add)`(`[`Registration::of_provider`]`(…))`.
    pub fn resource_provider(self, provider: impl ResourceProvider) -> Self {
        self.add(Registration::of_provider(provider))
    }

    /// Registers a primitive that is known only at run time, or any
    /// [`Registration`], which has its own limits and middlewares.
    #[expect(clippy::should_implement_trait, reason = "routers are not numbers")]
    pub fn add<M: Via>(mut self, primitive: impl IntoRegistration<M>) -> Self {
        self.router = self.router.add(primitive);
        self
    }

    /// Registers everything in a router, with its layers, scope and prefix. The
    /// server's own layers are around those of the router.
    pub fn merge(mut self, router: Router) -> Self {
        self.router = self.router.merge(router);
        self
    }

    /// Registers everything in a router, with `prefix` in front of its names: see
    /// [`Router::nest`].
    pub fn nest(mut self, prefix: impl AsRef<str>, router: Router) -> Self {
        self.router = self.router.nest(prefix, router);
        self
    }
}
