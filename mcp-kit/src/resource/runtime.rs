//! Resources known only at run time: a definition and a closure.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;

use super::row::Inherited;
use super::{IntoResourceResult, Resource, ResourceDefinition, ResourceResult};
use crate::call::{Call, Error, Handler, NextFuture};

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
