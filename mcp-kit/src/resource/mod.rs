//! Resources: data that a host reads by its URI and puts before a model or a
//! person. Their definitions, their handlers and their results.
//!
//! | what is offered | how | listed by |
//! |---|---|---|
//! | one resource | `#[resource(uri = "docs://index")]`, [`from_fn`], [`Resource`] | `resources/list` |
//! | a template of URIs | `#[resource(uri = "docs://{page}")]`, [`from_fn`], [`Resource`] | `resources/templates/list` |
//! | a set that is known only at run time | [`ResourceProvider`] | `resources/list` |
//!
//! A URI is read from the resource with this very URI, otherwise from the most
//! specific template or provider that matches it ([`UriTemplate`]). A failure is
//! a JSON-RPC error, since a resource's result cannot report one.
//!
//! The guide explains [how to offer resources](crate::guide::resources).

mod function;
mod provider;
mod result;
mod row;
#[cfg(feature = "cli")]
mod shown;

pub use crate::call::ResourceUri;
pub use crate::content::{
    CacheScope, ResourceAnnotations, ResourceContents, ResourcePage, ResourceResult, Role,
};
pub use crate::primitive::{ExpandError, ResourceDefinition, TemplateError, UriTemplate};
pub use function::ResourceFn;
#[doc(hidden)]
pub use function::ResourceSpec;
pub(crate) use function::describe;
pub use provider::ResourceProvider;
pub(crate) use provider::{ProviderHandler, provided};
pub use result::IntoResourceResult;

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;

use crate::call::{Call, Error, Handler, NextFuture};
use row::Inherited;

/// A resource or a template of resources: a definition and a handler.
///
/// `#[resource]` functions and [`from_fn`] make one; implement it by hand for
/// resources whose definition is only known at run time and whose handler needs
/// state of its own.
///
/// ```
/// use mcp_kit::call::{Call, Error};
/// use mcp_kit::resource::{Resource, ResourceContents, ResourceDefinition, ResourceResult};
///
/// struct Note { definition: ResourceDefinition, text: String }
///
/// #[mcp_kit::async_trait]
/// impl Resource for Note {
///     fn definition(&self) -> &ResourceDefinition { &self.definition }
///
///     async fn read(&self, _call: Call) -> Result<ResourceResult, Error> {
///         Ok(ResourceContents::from_text(self.text.as_str()).into())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a resource that is known at run time",
    label = "does not implement `Resource`",
    note = "make one with `mcp_kit::resource::from_fn(definition, handler)`, or implement `mcp_kit::resource::Resource`; a function with `#[resource]` is registered with `.resource::<my_function>()`"
)]
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    /// Returns the URI or template, the names, the media type and the policy.
    /// Called once, when the resource is registered.
    fn definition(&self) -> &ResourceDefinition;

    /// Reads the resource. [`Call::uri`] has the URI.
    ///
    /// # Errors
    ///
    /// Returns the failure of the read: [`Error`] decides what the client sees of
    /// it. [`Error::not_found`] is answered as a URI that does not exist.
    async fn read(&self, call: Call) -> Result<ResourceResult, Error>;
}

/// Makes a resource, or a template of resources, of a definition and a handler.
///
/// ```
/// use mcp_kit::{Server, resource};
/// use mcp_kit::call::Call;
/// use mcp_kit::resource::ResourceDefinition;
///
/// let definition = ResourceDefinition::new("greeting://{name}", "greeting");
/// let greeting = resource::from_fn(definition, async |call: Call| {
///     let name = call.uri().and_then(|uri| uri.value("name"))?;
///     Some(format!("Hello, {name}!"))
/// });
/// let server = Server::builder("greeter", "1.0.0").add(greeting).build()?;
/// # Ok::<(), mcp_kit::server::BuildError>(())
/// ```
pub fn from_fn<F, Fut>(definition: ResourceDefinition, handler: F) -> RuntimeResource<F>
where
    F: Fn(Call) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoResourceResult> + Send + 'static,
{
    RuntimeResource {
        definition,
        handler,
    }
}

/// A resource made by [`from_fn`].
#[derive(Debug)]
pub struct RuntimeResource<F> {
    definition: ResourceDefinition,
    handler: F,
}

#[async_trait]
impl<F, Fut> Resource for RuntimeResource<F>
where
    F: Fn(Call) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoResourceResult> + Send + 'static,
{
    fn definition(&self) -> &ResourceDefinition {
        &self.definition
    }

    async fn read(&self, call: Call) -> Result<ResourceResult, Error> {
        (self.handler)(call).await.into_resource_result()
    }
}

/// A resource that is known only at run time, as the innermost part of its
/// chain.
pub(crate) struct RuntimeHandler<T> {
    resource: T,
    inherited: Inherited,
}

impl<T: Resource> RuntimeHandler<T> {
    pub(crate) fn new(resource: T) -> Self {
        Self {
            inherited: Inherited::from(resource.definition()),
            resource,
        }
    }
}

impl<T: Resource> Handler for RuntimeHandler<T> {
    fn passes_call_on(&self) -> bool {
        true
    }

    fn run(&self, call: Call) -> NextFuture<'_> {
        Box::pin(async move {
            let context = Arc::clone(call.context());
            let result = self.resource.read(call).await?;
            Ok(self.inherited.complete(result, &context))
        })
    }
}
