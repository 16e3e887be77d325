//! Lists what a server offers, for the program that serves it.

use std::any::Any;
use std::sync::Arc;

use super::Server;
use crate::primitive::{Kind, PromptDefinition, ResourceDefinition, ToolDefinition};
use crate::registry::{CallPolicy, Registry, Warning};

impl Server {
    /// Returns the registry, which changes what the server offers while it
    /// runs.
    #[must_use]
    pub fn registry(&self) -> Registry {
        Registry::new(&self.inner.registry)
    }

    /// Returns the definitions of all tools, in the order in which they are
    /// listed. Hidden tools are omitted.
    ///
    /// The result is a snapshot: a later change of the
    /// [registry](Self::registry) does not affect it.
    #[must_use]
    pub fn tools(&self) -> Vec<Arc<ToolDefinition>> {
        self.definitions(Kind::Tool)
    }

    /// Returns the definitions of all prompts, in the order in which they are
    /// listed. Hidden prompts are omitted. A snapshot, as of
    /// [`tools`](Self::tools).
    #[must_use]
    pub fn prompts(&self) -> Vec<Arc<PromptDefinition>> {
        self.definitions(Kind::Prompt)
    }

    /// Returns the definitions of all resources, in the order in which they are
    /// listed. Hidden resources, templates and providers are omitted. A snapshot,
    /// as of [`tools`](Self::tools).
    #[must_use]
    pub fn resources(&self) -> Vec<Arc<ResourceDefinition>> {
        self.definitions(Kind::Resource)
    }

    /// Returns the definitions of all templates of resources, in the order in which
    /// they are listed. Hidden templates and providers are omitted. A snapshot, as
    /// of [`tools`](Self::tools).
    #[must_use]
    pub fn resource_templates(&self) -> Vec<Arc<ResourceDefinition>> {
        let mut all: Vec<Arc<ResourceDefinition>> = self.definitions(Kind::ResourceTemplate);
        all.retain(|definition| !definition.is_provider);
        all
    }

    fn definitions<D: Any + Send + Sync>(&self, kind: Kind) -> Vec<Arc<D>> {
        let current = self.inner.registry.current();
        let shown = current.shown(kind);
        shown.filter_map(|entry| entry.definition()).collect()
    }

    /// Returns the policy of the calls of each primitive of a kind, in the order
    /// of its list. Hidden primitives are omitted.
    ///
    /// ```
    /// # use mcp_kit::{Server, tool};
    /// # /// A report.
    /// # #[tool(timeout = "15s")] async fn report() -> String { String::new() }
    /// use mcp_kit::primitive::Kind;
    ///
    /// let server = Server::builder("reports", "1.0.0")
    ///     .tool_with::<report>(|tool| tool.concurrency(2))
    ///     .build()?;
    /// for policy in server.policies(Kind::Tool) {
    ///     assert_eq!(policy.info().name(), "report");
    ///     assert!(policy.timeout().as_secs() < 60);
    ///     let layers: Vec<_> = policy.layers().collect();
    ///     assert_eq!(layers, ["Timeout(15 s)", "ConcurrencyLimit(2)", "Validate"]);
    /// }
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    #[must_use]
    pub fn policies(&self, kind: Kind) -> Vec<CallPolicy> {
        let current = self.inner.registry.current();
        current.shown(kind).map(CallPolicy::of).collect()
    }

    /// Returns the warnings: what works, but could serve models and hosts
    /// better. They concern names, descriptions, hints, and schemas that some
    /// hosts refuse, each with the fix. A good test is that there are none;
    /// those that do not apply can be accepted one by one
    /// ([`Registration::accept_warning`](crate::registry::Registration::accept_warning)).
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        self.inner.registry.warnings().0
    }

    /// Returns the identifiers of the extensions that clients of the newest version see,
    /// without those of mcp-kit itself.
    #[cfg(feature = "cli")]
    pub(crate) fn extensions(&self) -> Vec<String> {
        let declared = self.inner.extensions.iter();
        let declared = declared.flat_map(|all| all.of_era(crate::protocol::Era::Modern));
        declared
            .map(|(identifier, _)| identifier.to_string())
            .collect()
    }

    /// Returns a result of a kind for people; `None` if the server has nothing of it.
    #[cfg(feature = "cli")]
    pub(crate) fn shown_result(&self, kind: Kind, result: &serde_json::Value) -> Option<String> {
        self.inner.registry.current().shown_result(kind, result)
    }

    /// Returns the code of asking, if a handler or a middleware may ask the client.
    #[cfg(feature = "cli")]
    pub(crate) fn ask_code(&self) -> Option<&'static crate::call::AskCode> {
        self.inner.registry.current().ask_code()
    }

    /// Returns how many warnings were accepted.
    #[cfg(feature = "cli")]
    pub(crate) fn accepted_warnings(&self) -> usize {
        self.inner.registry.warnings().1
    }

    /// Returns every primitive of a kind, as a list of the newest protocol
    /// version shows it.
    #[cfg(feature = "cli")]
    pub(crate) fn listed(&self, kind: Kind) -> serde_json::Value {
        let mut items = Vec::new();
        for entry in self.inner.registry.current().shown(kind) {
            if !entry.is_provider() {
                let listed = entry.listed(crate::protocol::Era::Modern);
                items.push(serde_json::from_str(listed).unwrap_or_default());
            }
        }
        serde_json::Value::Array(items)
    }
}
