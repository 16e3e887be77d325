//! Prompts: templates of messages that a person chooses, such as a slash
//! command. Their definitions, their handlers and their results.
//!
//! A failure of a prompt is a JSON-RPC error, since its result cannot report
//! one. The guide explains [how to write a prompt](crate::guide::prompts).

mod function;
mod result;
mod row;
#[cfg(feature = "cli")]
mod shown;

pub use crate::content::{PromptMessage, PromptResult, Role};
pub use crate::handler::Parameter;
pub use crate::primitive::{PromptArgument, PromptDefinition};
pub use function::PromptFn;
#[doc(hidden)]
pub use function::PromptSpec;
pub(crate) use function::describe;
pub use result::IntoPromptResult;

use std::future::Future;

use async_trait::async_trait;

use crate::call::{Call, Error, Handler, NextFuture, Reply};

/// A prompt: a definition and a handler.
///
/// `#[prompt]` functions and [`from_fn`] make one; implement it by hand for
/// prompts whose definition is only known at run time and whose handler needs
/// state of its own.
///
/// ```
/// use mcp_kit::call::{Call, Error};
/// use mcp_kit::prompt::{Prompt, PromptDefinition, PromptMessage, PromptResult};
///
/// struct Template { definition: PromptDefinition, text: String }
///
/// #[mcp_kit::async_trait]
/// impl Prompt for Template {
///     fn definition(&self) -> &PromptDefinition { &self.definition }
///
///     async fn get(&self, _call: Call) -> Result<PromptResult, Error> {
///         Ok(PromptResult::new(vec![PromptMessage::user(self.text.as_str())]))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a prompt that is known at run time",
    label = "does not implement `Prompt`",
    note = "make one with `mcp_kit::prompt::from_fn(definition, handler)`, or implement `mcp_kit::prompt::Prompt`; a function with `#[prompt]` is registered with `.prompt::<my_function>()`"
)]
#[async_trait]
pub trait Prompt: Send + Sync + 'static {
    /// Returns the name, description, arguments and policy. Called once, when
    /// the prompt is registered.
    fn definition(&self) -> &PromptDefinition;

    /// Makes the messages. The arguments are those of the definition, and none
    /// that is required is missing.
    ///
    /// # Errors
    ///
    /// Returns the failure of the prompt: [`Error`] decides what the client
    /// sees of it.
    async fn get(&self, call: Call) -> Result<PromptResult, Error>;
}

/// Makes a prompt of a definition and a handler.
///
/// The arguments are checked against the definition before the handler runs;
/// [`Call::arguments`] has them, each a text.
///
/// ```
/// use mcp_kit::{Server, prompt};
/// use mcp_kit::call::Call;
/// use mcp_kit::prompt::{PromptArgument, PromptDefinition};
///
/// let definition = PromptDefinition::new("translate", "Translates a text.")
///     .with_argument(PromptArgument::new("text").with_required(true));
/// let translate = prompt::from_fn(definition, async |call: Call| {
///     let text = call.arguments()["text"].as_str().unwrap_or_default();
///     format!("Translate into English: {text}")
/// });
/// let server = Server::builder("translator", "1.0.0").add(translate).build()?;
/// # Ok::<(), mcp_kit::server::BuildError>(())
/// ```
pub fn from_fn<F, Fut>(definition: PromptDefinition, handler: F) -> RuntimePrompt<F>
where
    F: Fn(Call) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoPromptResult> + Send + 'static,
{
    RuntimePrompt {
        definition,
        handler,
    }
}

/// A prompt made by [`from_fn`].
#[derive(Debug)]
pub struct RuntimePrompt<F> {
    definition: PromptDefinition,
    handler: F,
}

#[async_trait]
impl<F, Fut> Prompt for RuntimePrompt<F>
where
    F: Fn(Call) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoPromptResult> + Send + 'static,
{
    fn definition(&self) -> &PromptDefinition {
        &self.definition
    }

    async fn get(&self, call: Call) -> Result<PromptResult, Error> {
        (self.handler)(call).await.into_prompt_result()
    }
}

/// A prompt that is known only at run time, as the innermost part of its chain.
pub(crate) struct RuntimeHandler<T>(pub(crate) T);

impl<T: Prompt> Handler for RuntimeHandler<T> {
    fn passes_call_on(&self) -> bool {
        true
    }

    fn run(&self, call: Call) -> NextFuture<'_> {
        Box::pin(async move { self.0.get(call).await.map(Reply::from) })
    }
}
