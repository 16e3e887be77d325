//! `#[tool]`: the hints for the client and the output schema, which no other
//! attribute has.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::parse::ParseStream;
use syn::{Ident, ItemFn, LitStr, Token};

use crate::errors::Errors;
use crate::handler::keys::Key;
use crate::handler::value::{self, Flag};
use crate::handler::{Attribute, Noun, Spec};

pub(crate) const NOUN: Noun = Noun {
    word: "tool",
    described: "models choose tools by it",
    returned: "`String` or `Json<T>`",
    result: "ToolResult",
    into_result: ("IntoToolResult", "into_tool_result"),
    function: "ToolFn",
    spec: "ToolSpec",
};

keys! {
    /// The keys that only `#[tool]` has.
    pub(crate) struct ToolKeys {
        "read_only" read_only: Flag = value::flag, "read_only", [];
        "destructive" destructive: Flag = value::flag, "destructive", [];
        "idempotent" idempotent: Flag = value::flag, "idempotent", [];
        "open_world" open_world: Flag = value::flag, "open_world", [];
        "task" task: Task = task, "task", ["tasks", "long_running", "background", "is_async"];
    }
    advice &[
        (
            &["annotations", "hints"],
            "write each hint by itself: `read_only`, `destructive`, `idempotent`, `open_world`",
        ),
        (
            &["writes", "mutating", "safe"],
            "the hints are `read_only` and `destructive = false`",
        ),
        (
            &["output_schema", "output", "returns", "structured"],
            "the output schema comes from the return type: return `Json<T>`",
        ),
        (
            &["layer", "layers", "middleware", "middlewares"],
            "add it where the tool is registered: `.tool_with::<name>(|tool| tool.layer(…))`",
        ),
    ]
}

/// Which calls become tasks.
#[derive(Clone, Copy)]
pub(crate) enum Task {
    Optional(bool),
    Required,
}

/// `task`, `task = true`, `task = false` or `task = "required"`.
fn task(key: &Key<'_>, input: ParseStream<'_>) -> syn::Result<Task> {
    let ahead = input.fork();
    if ahead.parse::<Token![=]>().is_err() || !ahead.peek(LitStr) {
        return value::flag(key, input).map(|flag| Task::Optional(flag.value));
    }
    input.parse::<Token![=]>()?;
    let word: LitStr = input.parse()?;
    match word.value().as_str() {
        "required" => Ok(Task::Required),
        _ => Err(syn::Error::new(
            word.span(),
            "`task` takes no value, or `\"required\"` for a tool whose every call must become a task",
        )),
    }
}

/// The data of a tool in addition to the shared part.
pub(crate) struct Tool {
    /// The hints that were set, by the names of the functions that set them.
    hints: Vec<(&'static str, bool)>,
    task: Option<Task>,
}

impl Attribute for Tool {
    const NOUN: Noun = NOUN;
    type Keys = ToolKeys;

    fn check(keys: ToolKeys, _: &ItemFn, errors: &mut Errors) -> Self {
        if let Some(destructive) = keys.destructive
            && destructive.value
            && keys.read_only.is_some_and(|read_only| read_only.value)
        {
            errors.at(
                destructive.span,
                "a tool cannot be both `read_only` and `destructive`: remove one",
            );
        }
        let hints = [
            ("read_only", keys.read_only),
            ("destructive", keys.destructive),
            ("idempotent", keys.idempotent),
            ("open_world", keys.open_world),
        ];
        let given = hints.into_iter();
        Self {
            hints: given
                .filter_map(|(hint, flag)| Some((hint, flag?.value)))
                .collect(),
            task: keys.task,
        }
    }

    fn describe(&self, spec: &Spec<'_>) -> TokenStream {
        let Spec {
            ident,
            krate,
            output,
        } = spec;
        let hints = self.hints.iter().map(|(hint, value)| {
            let hint = Ident::new(hint, ident.span());
            quote_spanned!(ident.span()=> #ident.#hint(#value);)
        });
        let task = self.task.map(|task| match task {
            Task::Optional(is_task) => quote_spanned!(ident.span()=> #ident.task(#is_task);),
            Task::Required => quote_spanned!(ident.span()=> #ident.task_required();),
        });
        quote_spanned! {ident.span()=>
            #(#hints)*
            #task
            #ident.output(<#output as #krate::IntoToolResult>::output_schema);
        }
    }
}
