//! Resources made from functions: the server side of the expansion of
//! `#[resource]`.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use super::row::Inherited;
use super::{ResourceDefinition, ResourceResult};
use crate::call::{Call, Handler, NextFuture, Reply};
use crate::content::{CacheHints, CacheScope, ResourceAnnotations, Role};
use crate::extract::Requirements;
use crate::handler::{Function, FunctionSpec, HandlerFuture, HandlerResult};

/// A function with `#[resource]`, as a type.
///
/// The macro implements it for a struct of the function's name, which is what
/// [`ServerBuilder::resource`](crate::server::ServerBuilder::resource) takes. Its
/// items may change with every release, so do not implement it by hand;
/// implement [`Resource`](super::Resource) instead.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a resource",
    label = "not a function with `#[resource]`",
    note = "write `#[resource(uri = \"…\")]` above the function and name it here: `.resource::<my_function>()`"
)]
pub trait ResourceFn: 'static {
    #[doc(hidden)]
    fn describe(spec: &mut ResourceSpec);
    #[doc(hidden)]
    fn call(call: Call) -> HandlerFuture;
}

/// The data that `#[resource]` records about a function: a `FunctionSpec`, and
/// what only resources have.
#[derive(Debug)]
pub struct ResourceSpec {
    function: FunctionSpec,
    uri: Cow<'static, str>,
    mime_type: Option<Cow<'static, str>>,
    size: Option<u64>,
    annotations: ResourceAnnotations,
    cache: CacheHints,
}

#[allow(missing_docs)]
impl ResourceSpec {
    pub fn uri(&mut self, uri: &'static str) {
        self.uri = Cow::Borrowed(uri);
    }

    pub fn mime_type(&mut self, mime_type: &'static str) {
        self.mime_type = Some(Cow::Borrowed(mime_type));
    }

    pub fn size(&mut self, bytes: u64) {
        self.size = Some(bytes);
    }

    pub fn audience(&mut self, role: Role) {
        self.annotations = std::mem::take(&mut self.annotations).with_audience(role);
    }

    pub fn priority(&mut self, priority: f64) {
        self.annotations = std::mem::take(&mut self.annotations).with_priority(priority);
    }

    pub fn ttl(&mut self, ttl: Duration) {
        self.cache.ttl = Some(ttl);
    }

    pub fn cache_scope(&mut self, scope: CacheScope) {
        self.cache.scope = Some(scope);
    }

    fn definition(self) -> (ResourceDefinition, Requirements) {
        let FunctionSpec {
            common,
            requirements,
        } = self.function;
        let mut definition = ResourceDefinition::of(common, self.uri);
        definition.mime_type = self.mime_type;
        definition.size = self.size;
        definition.annotations = self.annotations;
        definition.cache = self.cache;
        (definition, requirements)
    }
}

impl Deref for ResourceSpec {
    type Target = FunctionSpec;

    fn deref(&self) -> &FunctionSpec {
        &self.function
    }
}

impl DerefMut for ResourceSpec {
    fn deref_mut(&mut self) -> &mut FunctionSpec {
        &mut self.function
    }
}

impl HandlerResult for ResourceResult {
    fn into_reply(self) -> Reply {
        Reply::Resource(self)
    }
}

/// Returns the requirements of a `#[resource]` function, and its definition.
pub(crate) fn describe<T: ResourceFn>() -> (ResourceDefinition, Requirements, impl Handler) {
    let mut spec = ResourceSpec {
        function: FunctionSpec::new(),
        uri: Cow::Borrowed(""),
        mime_type: None,
        size: None,
        annotations: ResourceAnnotations::new(),
        cache: CacheHints::default(),
    };
    T::describe(&mut spec);
    let (definition, requirements) = spec.definition();
    let handler = ReadFunction {
        function: Function(T::call),
        inherited: Inherited::from(&definition).sees_caller(requirements.sees_caller()),
    };
    (definition, requirements, handler)
}

/// A `#[resource]` function, whose result is completed by its definition.
struct ReadFunction {
    function: Function,
    inherited: Inherited,
}

impl Handler for ReadFunction {
    fn run(&self, call: Call) -> NextFuture<'_> {
        let context = Arc::clone(call.context());
        let running = self.function.run(call);
        Box::pin(async move {
            match running.await? {
                Reply::Resource(result) => Ok(self.inherited.complete(result, &context)),
                reply => Ok(reply),
            }
        })
    }
}
