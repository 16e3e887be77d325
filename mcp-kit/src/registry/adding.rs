//! The methods that add primitives of each kind, written once for
//! [`ServerBuilder`](crate::server::ServerBuilder), [`Router`](super::Router) and
//! [`Changes`](super::Changes).

/// Writes the methods of a type that has `add` and `merge`: the receiver, `self`,
/// what they return, the methods for functions with the trait of each kind, and the
/// example of `tool_with`.
///
/// The names and traits are arguments and the type's own module must use the macro, for
/// the messages about a function that is not what a method takes: they show the method
/// and the trait, and name the method by the path of the module.
macro_rules! adding_methods {
    (
        ($($receiver:tt)+), $this:ident $(-> $returned:ty)?;
        $tool:tt, $tool_with:tt: $ToolFn:tt;
        $prompt:tt, $prompt_with:tt: $PromptFn:tt;
        $resource:tt, $resource_with:tt: $ResourceFn:tt;
        $(#[$example:meta])*
    ) => {
        /// Adds a `#[tool]` function: `.tool::<search_web>()`.
        ///
        /// The function's name is between `::<` and `>`; there is no argument.
        pub fn $tool<NameOfFunction: $ToolFn>($($receiver)+) $(-> $returned)? {
            $this.add($crate::registry::Registration::tool::<NameOfFunction>())
        }

        /// Adds a `#[tool]` function with its own limits and middlewares.
        $(#[$example])*
        pub fn $tool_with<NameOfFunction: $ToolFn>(
            $($receiver)+,
            change: impl FnOnce($crate::registry::Registration) -> $crate::registry::Registration,
        ) $(-> $returned)? {
            $this.add(change($crate::registry::Registration::tool::<NameOfFunction>()))
        }

        /// Adds a `#[prompt]` function: `.prompt::<code_review>()`.
        ///
        /// A server declares the capability for prompts once it has one.
        pub fn $prompt<NameOfFunction: $PromptFn>(
            $($receiver)+
        ) $(-> $returned)? {
            $this.add($crate::registry::Registration::prompt::<NameOfFunction>())
        }

        /// Adds a `#[prompt]` function with its own limits and middlewares.
        pub fn $prompt_with<NameOfFunction: $PromptFn>(
            $($receiver)+,
            change: impl FnOnce($crate::registry::Registration) -> $crate::registry::Registration,
        ) $(-> $returned)? {
            $this.add(change($crate::registry::Registration::prompt::<NameOfFunction>()))
        }

        /// Adds a `#[resource]` function: `.resource::<manual_page>()`.
        ///
        /// A server declares the capability for resources once it has a resource, a
        /// template or a provider.
        pub fn $resource<NameOfFunction: $ResourceFn>(
            $($receiver)+
        ) $(-> $returned)? {
            $this.add($crate::registry::Registration::resource::<NameOfFunction>())
        }

        /// Adds a `#[resource]` function with its own limits and middlewares.
        pub fn $resource_with<NameOfFunction: $ResourceFn>(
            $($receiver)+,
            change: impl FnOnce($crate::registry::Registration) -> $crate::registry::Registration,
        ) $(-> $returned)? {
            $this.add(change($crate::registry::Registration::resource::<NameOfFunction>()))
        }

        /// Adds a provider: a set of resources that is known only at run time.
        ///
        /// For limits and middlewares of its own, use [`add`](Self::add) with
        /// [`Registration::of_provider`](crate::registry::Registration::of_provider).
        pub fn resource_provider(
            $($receiver)+,
            provider: impl $crate::resource::ResourceProvider,
        ) $(-> $returned)? {
            $this.add($crate::registry::Registration::of_provider(provider))
        }

        /// Adds everything in a router, with `prefix` in front of its names:
        /// `.merge(router.prefix(prefix))`. See
        /// [`Router::prefix`](crate::registry::Router::prefix).
        pub fn nest(
            $($receiver)+,
            prefix: impl AsRef<str>,
            router: $crate::registry::Router,
        ) $(-> $returned)? {
            $this.merge(router.prefix(prefix))
        }
    };
}

pub(crate) use adding_methods;
