//! The macros of [mcp-kit](../mcp_kit/index.html). Use them through that crate.
//!
//! All macros go the same way: *keys* or *parse* reads attributes, *check* judges
//! them against the item and fills the *model*, *expand* writes the code. Every
//! mistake is collected in `errors::Errors`; then *fallback* writes just
//! enough for the rest of the user's crate to compile without further errors.
//! `handler` is what the attributes on functions share.

mod elicit_form;
mod errors;
#[cfg(test)]
#[allow(clippy::panic)]
mod expansion;
#[macro_use]
mod handler;
mod krate;
mod prompt;
mod resource;
mod suggest;
mod tool;
mod tool_args;

use krate::krate;
use proc_macro::TokenStream;

/// Turns a function into a tool.
///
/// The function stays as it is and can be called as before. The macro adds
/// a type of the same name, which `Server::builder(…).tool::<name>()` takes.
/// Types and functions have separate namespaces, so one `use` imports both:
///
/// ```text
/// use crate::tools::search_web;
///
/// Server::builder("web", "1.0.0").tool::<search_web>(); // the type
/// search_web(args).await; // the function
/// ```
///
/// An editor's "go to definition" may show either of them.
///
/// The doc comment is the description that the model reads, its markdown kept.
/// At most one parameter is an argument struct (it derives `ToolArgs`); all
/// others are extractors such as `State<T>`, in any order. The return type
/// implements `IntoToolResult`.
///
/// | key | meaning |
/// |---|---|
/// | `name = "…"` | the tool's name, if not the function's: 1 to 64 of `A-Z a-z 0-9 _ . -` |
/// | `title = "…"` | a name for people |
/// | `description = "…"` | in place of the doc comment |
/// | `icon = "https://…"` | a picture that hosts may show: an `https:`, `http:` or `data:` URI, or an `Icon` |
/// | `read_only`, `destructive`, `idempotent`, `open_world` | hints for the client; also `= true` and `= false` |
/// | `timeout = "15s"` | the longest time a call may take, waiting included: a whole number and `ms`, `s`, `m` or `h`, at most 24 hours |
/// | `rate = "60/min"` | how often each caller may call the tool: a whole number, `/` and `s`, `min` or `h` |
/// | `concurrency = 4` | how many calls of the tool run at once; others wait within their time |
/// | `result_bytes = 65_536` | the largest result, in bytes of JSON |
/// | `scope = "…"` | what the caller must have been granted: one scope |
/// | `blocking` | for a plain `fn`: it runs on the pool for blocking work |
/// | `allow(long_timeout)` | warnings of `check` that are accepted for this tool, by their codes with `_` for `-` |
/// | `crate = path` | where mcp-kit is, if renamed or re-exported |
///
/// A text may also be a constant, `concat!(…)` or `include_str!(…)`, a time any
/// `Duration`, and a rate any `mcp_kit::limits::Rate`. A `timeout`, `rate`,
/// `concurrency` or `result_bytes` that is set where the tool is registered
/// (`tool_with`) overrides the attribute's.
///
/// # Where it can be used
///
/// Above a free function. The type takes the function's name among types and
/// modules, so a module or a crate of the same name cannot be used beside it:
/// write `::uuid::Uuid` in a tool `uuid`, or give the function another name and
/// the tool its name with `name = "uuid"`. In an `impl` or a trait the compiler
/// reports "struct is not supported in `trait`s or `impl`s": move the function
/// out and take what `self` holds as `State<T>`.
#[proc_macro_attribute]
pub fn tool(attribute: TokenStream, item: TokenStream) -> TokenStream {
    handler::attribute::<tool::Tool>(attribute.into(), item.into()).into()
}

/// Turns a function into a prompt.
///
/// The function stays as it is and can be called as before. The macro adds
/// a type of the same name, which `Server::builder(…).prompt::<name>()` takes.
///
/// The doc comment is the description that people read, its markdown kept. At
/// most one parameter is an argument struct (it derives `ToolArgs`), whose
/// fields are the prompt's arguments, in the order of the struct; all others
/// are extractors such as `State<T>`. The return type implements
/// `IntoPromptResult`: text, `PromptMessage`, `Vec<PromptMessage>`, `Result` of
/// these.
///
/// Clients send each argument as a text, which is read as the type of its
/// field: text, a number, a boolean or an enum of names. A field that is a list
/// or an object is an error of `build()`.
///
/// | key | meaning |
/// |---|---|
/// | `name = "…"` | the prompt's name, if not the function's: 1 to 64 of `A-Z a-z 0-9 _ . -` |
/// | `title = "…"` | a name for people |
/// | `description = "…"` | in place of the doc comment |
/// | `icon = "https://…"` | a picture that hosts may show: an `https:`, `http:` or `data:` URI, or an `Icon` |
/// | `timeout = "15s"` | the longest time a request may take, waiting included: a whole number and `ms`, `s`, `m` or `h`, at most 24 hours |
/// | `rate = "60/min"` | how often each caller may request the prompt: a whole number, `/` and `s`, `min` or `h` |
/// | `concurrency = 4` | how many requests of the prompt run at once; others wait within their time |
/// | `result_bytes = 65_536` | the largest result, in bytes of JSON |
/// | `scope = "…"` | what the caller must have been granted: one scope |
/// | `blocking` | for a plain `fn`: it runs on the pool for blocking work |
/// | `allow(long_timeout)` | warnings of `check` that are accepted for this prompt, by their codes with `_` for `-` |
/// | `crate = path` | where mcp-kit is, if renamed or re-exported |
///
/// Hints such as `read_only` are for tools. What [`macro@tool`] documents of the
/// values and of where it can be used holds for prompts.
#[proc_macro_attribute]
pub fn prompt(attribute: TokenStream, item: TokenStream) -> TokenStream {
    handler::attribute::<prompt::Prompt>(attribute.into(), item.into()).into()
}

/// Turns a function into a resource, or into a template of resources.
///
/// The function stays as it is and can be called as before. The macro adds
/// a type of the same name, which `Server::builder(…).resource::<name>()` takes.
///
/// A URI with variables is a template (`UriTemplate`): `{page}` matches a segment
/// of a path, `{+path}` any text, `{?a,b}` the parameters of a query. The function
/// takes the values as an argument struct (it derives `ToolArgs`) with a field for
/// each variable; those of a query may be absent, so their fields are `Option`s or
/// have a default. Values are decoded and checked as the arguments of a tool; a URI
/// that breaks a rule is answered with -32602 and the whole report. All other
/// parameters are extractors, and the return type implements
/// `IntoResourceResult`.
///
/// | key | meaning |
/// |---|---|
/// | `uri = "…"` | the URI, or a template of URIs: required |
/// | `name = "…"` | the name in lists, if not the function's: 1 to 64 of `A-Z a-z 0-9 _ . -` |
/// | `title = "…"` | a name for people |
/// | `description = "…"` | in place of the doc comment |
/// | `icon = "https://…"` | a picture that hosts may show: an `https:`, `http:` or `data:` URI, or an `Icon` |
/// | `mime_type = "…"` | the media type of contents that have none |
/// | `size = 1_024` | the size in bytes; not for a template |
/// | `audience(user, assistant)` | for whom it is |
/// | `priority = 0.8` | how important it is, from 0.0 to 1.0 |
/// | `ttl = "5m"` | how long clients may keep what they have read |
/// | `cache_scope = "public"` | who may use a kept result: every caller, or with `"private"` (the default) the one that has read it |
///
/// `timeout`, `rate`, `concurrency`, `result_bytes`, `scope`, `blocking`, `allow`
/// and `crate` are those of [`macro@tool`].
#[proc_macro_attribute]
pub fn resource(attribute: TokenStream, item: TokenStream) -> TokenStream {
    handler::attribute::<resource::Resource>(attribute.into(), item.into()).into()
}

/// Adds the implementation that an attribute generated for a function to its
/// type. Only for the code that the macro writes.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn tool_function(implementation: TokenStream, mut item: TokenStream) -> TokenStream {
    item.extend(implementation);
    item
}

/// Implements `ToolArgs`: the type can be the arguments of a tool or a prompt, or
/// a part of them.
///
/// Derive it beside `serde::Deserialize`, `schemars::JsonSchema` and
/// `garde::Validate`. It reads their attributes, so that reports use the
/// names that the client sent, and refuses what the schema cannot express.
///
/// | where | key | meaning |
/// |---|---|---|
/// | field | `opaque` | only serde and garde check what is inside |
/// | field | `rule = "…"` | a rule in words for the model; repeatable |
/// | type | `rule = "…"` | a rule on the whole struct, in words |
/// | type | `allow_unknown` | unknown arguments are ignored, not refused |
/// | type | `crate = path` | where mcp-kit is, if renamed or re-exported |
///
/// Rules of `mcp_kit::guard::text` in garde's `custom` need no words:
/// `#[garde(custom(text::slug))]`. A rule that a later garde has and mcp-kit
/// does not know yet needs words or `opaque`.
// The other derives' attributes are also listed here: if one of those derives
// is missing, the user reads that and not "cannot find attribute `serde`".
#[proc_macro_derive(ToolArgs, attributes(tool_args, serde, schemars, garde))]
pub fn tool_args(item: TokenStream) -> TokenStream {
    tool_args::tool_args(item.into()).into()
}

/// Implements `ElicitForm`: the struct can be asked of the client's user with
/// `client.elicit::<T>(…)`. It also implements `ToolArgs`; do not derive both.
///
/// Derive it beside `serde::Deserialize`, `schemars::JsonSchema` and
/// `garde::Validate`. A form is flat: each field is a text, a number, a
/// boolean, an enum of names that derives `ToolArgs`, a list of such an enum,
/// or an `Option` of these. The doc comment of a field describes it, and
/// `#[schemars(title = "…")]` is its label. Fields take the rules and the keys
/// of [`macro@ToolArgs`]: `#[tool_args(…)]`.
#[proc_macro_derive(ElicitForm, attributes(tool_args, serde, schemars, garde))]
pub fn elicit_form(item: TokenStream) -> TokenStream {
    elicit_form::elicit_form(item.into()).into()
}
