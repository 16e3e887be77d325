//! The values that can be registered.

use super::Registration;
use crate::prompt::Prompt;
use crate::resource::Resource;
use crate::tool::Tool;

/// A value that can be registered: a [`Tool`], a [`Prompt`] or a [`Resource`] that
/// is known only at run time, or a [`Registration`], which has its own limits and
/// middlewares.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a primitive that is known at run time nor a `Registration`",
    label = "cannot be registered",
    note = "make a tool with `mcp_kit::tool::from_fn(definition, handler)`, or implement `mcp_kit::tool::Tool`; a function with `#[tool]` is registered with `.tool::<my_function>()`",
    note = "prompts and resources likewise: `mcp_kit::prompt::from_fn`, `mcp_kit::resource::Resource`, `.resource::<my_function>()`"
)]
pub trait IntoRegistration<M: sealed::Via> {
    /// Makes the registration.
    fn into_registration(self) -> Registration;
}

pub(crate) use sealed::Via;

/// How a value becomes a registration: one marker for each trait that it can have, so
/// that another kind of primitive can be added. Always inferred.
mod sealed {
    pub trait Via {}

    #[derive(Debug)]
    pub struct Itself;

    #[derive(Debug)]
    pub struct Tool;

    #[derive(Debug)]
    pub struct Prompt;

    #[derive(Debug)]
    pub struct Resource;

    impl Via for Itself {}
    impl Via for Tool {}
    impl Via for Prompt {}
    impl Via for Resource {}
}

impl IntoRegistration<sealed::Itself> for Registration {
    fn into_registration(self) -> Registration {
        self
    }
}

impl<T: Tool> IntoRegistration<sealed::Tool> for T {
    fn into_registration(self) -> Registration {
        Registration::of_tool(self)
    }
}

impl<T: Prompt> IntoRegistration<sealed::Prompt> for T {
    fn into_registration(self) -> Registration {
        Registration::of_prompt(self)
    }
}

impl<T: Resource> IntoRegistration<sealed::Resource> for T {
    fn into_registration(self) -> Registration {
        Registration::of_resource(self)
    }
}
