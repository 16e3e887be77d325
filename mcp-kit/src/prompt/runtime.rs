//! Prompts known only at run time: a definition and a closure.

use std::future::Future;

use async_trait::async_trait;

use super::{IntoPromptResult, Prompt, PromptDefinition, PromptResult};
use crate::call::{Call, Error, Handler, NextFuture, Reply};

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
