//! `#[prompt]`: it has no keys of its own. Hints are for tools, and a mistake
//! here.

use proc_macro2::TokenStream;
use syn::ItemFn;

use crate::errors::Errors;
use crate::handler::{Attribute, Noun, Spec};

pub(crate) const NOUN: Noun = Noun {
    word: "prompt",
    described: "people choose prompts by it",
    returned: "`String` or `Vec<PromptMessage>`",
    result: "PromptResult",
    into_result: ("IntoPromptResult", "into_prompt_result"),
    function: "PromptFn",
    spec: "PromptSpec",
};

keys! {
    /// The keys that only `#[prompt]` has: none.
    pub(crate) struct PromptKeys {}
    advice &[
        (
            &[
                "read_only", "destructive", "idempotent", "open_world", "annotations", "hints",
                "writes", "mutating", "safe",
            ],
            "hints are for tools, and prompts have none: remove it",
        ),
        (
            &["messages", "message", "template", "text"],
            "the messages come from the return value: return text, `PromptMessage` or \
             `Vec<PromptMessage>`",
        ),
        (
            &["output_schema", "output", "returns", "structured"],
            "prompts have no output schema: remove it",
        ),
        (
            &["layer", "layers", "middleware", "middlewares"],
            "add it where the prompt is registered: `.prompt_with::<name>(|prompt| prompt.layer(…))`",
        ),
    ]
}

/// The data of a prompt in addition to the shared part: none.
pub(crate) struct Prompt;

impl Attribute for Prompt {
    const NOUN: Noun = NOUN;
    type Keys = PromptKeys;

    fn check(_: PromptKeys, _: &ItemFn, _: &mut Errors) -> Self {
        Self
    }

    fn describe(&self, _: &Spec<'_>) -> TokenStream {
        TokenStream::new()
    }
}
