//! Tests of what the attributes accept, and what they report. Most cases are of
//! `#[tool]`.

use quote::quote;

use super::keys::Table as _;
use super::value::Value;
use super::*;
use crate::tool::{NOUN, Tool, ToolKeys};

fn keys(attribute: TokenStream, errors: &mut Errors) -> (keys::SharedKeys, ToolKeys) {
    keys::read(attribute, errors)
}

fn messages_of_keys(attribute: TokenStream) -> Vec<String> {
    let mut errors = Errors::default();
    keys(attribute, &mut errors);
    errors.messages()
}

fn messages(attribute: TokenStream, function: TokenStream) -> Vec<String> {
    let mut errors = Errors::default();
    let (shared, own) = keys(attribute, &mut errors);
    if let Some(function) = signature::function(&NOUN, &function, &mut errors) {
        check::check(&NOUN, shared, &function, &mut errors);
        Tool::check(own, &function, &mut errors);
    }
    errors.messages()
}

#[test]
fn a_plain_tool_has_no_mistakes() {
    let found = messages(
        quote! { timeout = "15s", scope = "web:search", read_only, destructive = false },
        quote! {
            /// Searches.
            pub(crate) async fn r#type((a, b): Pair, State(s): State<S>) -> String {}
        },
    );
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_path_that_begins_with_the_own_name_is_seen() {
    let of = |body: TokenStream| {
        messages(
            quote!(),
            quote! {
                /// Makes one.
                async fn uuid() -> String { #body }
            },
        )
    };
    for body in [
        quote!(uuid::Uuid::nil().to_string()),
        quote!(format!("{}", uuid::Uuid::nil())),
        quote!({
            let id: uuid::Uuid = make();
            id.to_string()
        }),
    ] {
        assert!(of(body)[0].contains("write the whole path `::uuid::…`"));
    }
    for body in [
        quote!(::uuid::Uuid::nil().to_string()),
        quote!(crate::uuid::nil()),
        quote!(uuid::<u8>().await),
        quote!(self.uuid),
        quote!({
            use ::uuid;
            uuid::Uuid::nil()
        }),
    ] {
        assert_eq!(of(body), [""; 0]);
    }
}

#[test]
fn what_has_no_size_is_shared() {
    let found = messages(
        quote!(),
        quote! {
            /// Searches.
            async fn search(State(db): State<dyn Db>) -> Box<dyn IntoToolResult> {}
        },
    );
    assert!(found[0].contains("as `Arc<dyn Db>`"), "{found:?}");
    assert!(found[1].contains("return `ToolResult`"), "{found:?}");
}

#[test]
fn all_mistakes_of_a_function_are_reported_at_once() {
    let found = messages(
        quote! { title = " ", timeout = "soon", scope = "a b" },
        quote! { unsafe fn f<T>(a: &str, b: impl Into<T>) -> impl Sized {} },
    );
    let starts = [
        "a tool cannot be generic",
        "a tool cannot be an `unsafe fn`",
        "a tool is an `async fn`",
        "a tool owns its arguments",
        "a tool cannot take `impl Trait`",
        "`title` is empty",
        "expected a whole number and a unit",
        "`scope` takes one scope",
        "this tool has no description",
    ];
    for start in starts {
        assert!(
            found.iter().any(|m| m.starts_with(start)),
            "{start}: {found:?}"
        );
    }
}

#[test]
fn every_key_is_read() {
    let mut errors = Errors::default();
    let (shared, own) = keys(
        quote! {
            name = "n", title = "t", description = "d", icon = "data:x", read_only, destructive = false,
            idempotent = true, open_world, timeout = "1s", scope = "s", blocking, rate = "5/s",
            concurrency = 2, result_bytes = 64 * 1024,
            allow(long_timeout, unique_items), crate = some::kit,
        },
        &mut errors,
    );
    assert!(errors.is_empty());
    assert!(matches!(shared.name, Some(Value::Text(text)) if text.value() == "n"));
    assert!(matches!(shared.scope, Some(Value::Text(text)) if text.value() == "s"));
    assert!(matches!(shared.rate, Some(Value::Text(text)) if text.value() == "5/s"));
    assert!(matches!(shared.icon, Some(Value::Text(text)) if text.value() == "data:x"));
    assert!(shared.concurrency.is_some() && shared.result_bytes.is_some());
    assert!(own.read_only.is_some_and(|flag| flag.value));
    assert!(own.destructive.is_some_and(|flag| !flag.value));
    assert_eq!(shared.allow.unwrap(), ["LongTimeout", "UniqueItems"]);
    assert!(shared.krate.is_some());
}

#[test]
fn all_mistakes_in_keys_are_reported_at_once() {
    assert_eq!(
        messages_of_keys(
            quote! { titel, title = 5, title = "a", title = "b", read_only = 1, name }
        ),
        [
            "unknown key `titel`: did you mean `title`?",
            "`title` takes a string",
            "`title` appears twice: keep one",
            "write `read_only`, `read_only = true` or `read_only = false`",
            "`name` takes a value: write `name = \"…\"`",
        ]
    );
}

#[test]
fn what_only_rustc_knows_is_passed_on() {
    let mut errors = Errors::default();
    let (shared, _) = keys(
        quote! {
            name = NAME, title = texts::TITLE, description = include_str!("d.md"),
            icon = Icon::new(LOGO), timeout = Duration::from_secs(15), rate = Rate::per_second(5), scope = SCOPE,
            concurrency = MOST, result_bytes = 64 << 10
        },
        &mut errors,
    );
    assert_eq!(errors.messages(), [""; 0]);
    for value in [
        shared.name,
        shared.title,
        shared.description,
        shared.icon,
        shared.timeout,
        shared.rate,
        shared.scope,
    ] {
        assert!(matches!(value, Some(Value::Expr(_))));
    }
}

#[test]
fn each_wrong_form_names_the_right_one() {
    let right = [
        (quote!(readOnlyHint), "did you mean `read_only`?"),
        (quote!(openWorldHint = true), "did you mean `open_world`?"),
        (quote!(annotations(read_only)), "write each hint by itself"),
        (quote!(rate_limit = "5/s"), "write `rate = "),
        (quote!(permissions = "a"), "write `scope = "),
        (quote!(output_schema = Hits), "return `Json<T>`"),
        (quote!(read - only), "with `_`: `read_only`"),
        (quote!(time - limit = "5s"), "write `timeout = "),
        (quote!(read_only(true)), "`read_only = true`"),
        (quote!("search"), "write `name = \"search\"`"),
        (quote!(name = search), "`name = \"search\"`"),
        (quote!(name("search")), "write `name = \"…\"`"),
        (quote!(description = format!("a")), "concat!"),
        (quote!(icon = ["a", "b"]), "`.icon(…)`"),
        (
            quote!(icon),
            "write `icon = \"https://example.com/icon.svg\"`",
        ),
        (quote!(icons = "https://a.example/b.png"), "write `icon = "),
        (quote!(timeout = 15), "`timeout = \"15s\"`"),
        (quote!(timeout("15s")), "`timeout = \"15s\"`"),
        (quote!(rate = 5 / s), "`\"60/min\"`"),
        (quote!(concurrency = 0), "every call would fail"),
        (quote!(concurrency = "4"), "whole number"),
        (quote!(result_bytes = "64k"), "whole number"),
        (quote!(scope = ["a", "b"]), "one scope"),
        (quote!(scope("a")), "write `scope = \"…\"`"),
        (quote!(allow), "write `allow(long_timeout)`"),
        (quote!(allow()), "write `allow(long_timeout)`"),
        (
            quote!(allow = "long-timeout"),
            "write `allow(long_timeout)`",
        ),
        (
            quote!(allow("long-timeout")),
            "expected the code of a warning",
        ),
        (
            quote!(allow(long - timeout)),
            "with `_` here: `long_timeout`",
        ),
        (quote!(allow(long_timeuot)), "did you mean `long_timeout`?"),
        (quote!(allow(UniqueItems)), "did you mean `unique_items`?"),
        (quote!(allow(dead_code)), "the codes are `long_name`, "),
        (
            quote!(allow(no_tools)),
            ".accept_warning(WarningCode::NoTools)",
        ),
        (quote!(allow(long_name, long_name)), "appears twice"),
        (
            quote!(accept_warning(long_name)),
            "write `allow(long_timeout)`",
        ),
        (quote!(crate = mcp_kit::prelude), "`crate = mcp_kit`"),
    ];
    for (attribute, expected) in right {
        let found = messages_of_keys(attribute.clone());
        assert!(
            found.len() == 1 && found[0].contains(expected),
            "{attribute}: {found:?}"
        );
    }
}

#[test]
fn a_function_without_a_body_is_seen() {
    let mut errors = Errors::default();
    let found = signature::function(
        &NOUN,
        &quote! { pub async fn search(args: Args) -> String; },
        &mut errors,
    );
    assert!(found.is_some());
    assert!(errors.messages()[0].starts_with("a tool needs a body"));
}

#[test]
fn a_crate_is_a_path() {
    assert_eq!(
        messages_of_keys(quote! { crate = "kit" }),
        ["`crate` takes the path to mcp-kit, without quotes: `crate = kit`"]
    );
}

/// An attribute as the next one could be.
struct Note {
    pinned: bool,
}

keys! {
    struct NoteKeys {
        "pinned" pinned: value::Flag = value::flag, "pinned", ["sticky"];
    }
    advice &[(&["output"], "a note has no output schema")]
}

impl Attribute for Note {
    const NOUN: Noun = Noun {
        word: "note",
        described: "users choose notes by it",
        returned: "`String`",
        result: "NoteResult",
        into_result: ("IntoNoteResult", "into_note_result"),
        function: "NoteFn",
        spec: "NoteSpec",
    };
    type Keys = NoteKeys;

    fn check(keys: NoteKeys, _: &syn::ItemFn, _: &mut Errors) -> Self {
        Self {
            pinned: keys.pinned.is_some_and(|flag| flag.value),
        }
    }

    fn describe(&self, spec: &Spec<'_>) -> TokenStream {
        let (spec, pinned) = (spec.ident, self.pinned);
        quote!(#spec.pinned(#pinned);)
    }
}

#[test]
fn another_attribute_brings_a_noun_its_keys_and_its_part_of_the_spec() {
    let note =
        |keys: TokenStream, function: TokenStream| attribute::<Note>(keys, function).to_string();
    let written = note(
        quote! { pinned, timeout = "5s" },
        quote! {
            /// A note.
            async fn ping(args: Args) -> String {}
        },
    );
    for part in [
        "impl :: mcp_kit :: __private :: NoteFn for ping",
        "fn describe (__spec : & mut :: mcp_kit :: __private :: NoteSpec)",
        "__spec . pinned (true) ;",
        "IntoNoteResult > :: into_note_result (ping (__p0) . await)",
    ] {
        assert!(written.contains(part), "{part}: {written}");
    }
    let written = note(
        quote! { sticky, read_only, output = Hits },
        quote! { const fn ping(&self) -> Box<dyn IntoNoteResult> {} },
    );
    for part in [
        "unknown key `sticky`: write `pinned`",
        "unknown key `read_only`: the keys are `name`, ",
        "unknown key `output`: a note has no output schema",
        "a note is a free function",
        "a note cannot be a `const fn`",
        "write `#[note(blocking)]`",
        "return `NoteResult` if",
        "this note has no description, and users choose notes by it",
    ] {
        assert!(written.contains(part), "{part}: {written}");
    }
}

#[test]
fn no_key_has_the_name_of_another() {
    let rows = || keys::SharedKeys::ROWS.iter().chain(ToolKeys::ROWS);
    let advice = || keys::SharedKeys::ADVICE.iter().chain(ToolKeys::ADVICE);
    let others = rows().flat_map(|row| row.other_names);
    let words = advice().flat_map(|(words, _)| *words);
    let mut names: Vec<&str> = rows().map(|row| row.name).collect();
    names.extend(others.chain(words));
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn prompt_has_the_shared_keys_and_no_hints() {
    let messages = |attribute: TokenStream| {
        let mut errors = Errors::default();
        let _ = keys::read::<crate::prompt::PromptKeys>(attribute, &mut errors);
        errors.messages()
    };
    let shared = quote! { title = "Review", timeout = "5s", rate = "60/min", allow(long_timeout) };
    assert_eq!(messages(shared), [""; 0]);
    for (attribute, expected) in [
        (
            quote!(read_only),
            "hints are for tools, and prompts have none",
        ),
        (
            quote!(openWorld = true),
            "hints are for tools, and prompts have none",
        ),
        (
            quote!(messages = "a"),
            "the messages come from the return value",
        ),
        (quote!(output_schema), "prompts have no output schema"),
        (quote!(layer = Log), "`.prompt_with::<name>"),
        (quote!(titel = "Review"), "did you mean `title`?"),
    ] {
        let found = messages(attribute);
        assert!(found[0].contains(expected), "{found:?}");
    }
}
