//! What the reader of `#[tool(…)]` takes, and what it reports.

use quote::quote;

use super::*;

fn messages(attribute: TokenStream) -> Vec<String> {
    let mut errors = Errors::default();
    keys(attribute, &mut errors);
    errors.messages()
}

#[test]
fn every_key_is_read() {
    let mut errors = Errors::default();
    let keys = keys(
        quote! {
            name = "n", title = "t", description = "d", read_only, destructive = false,
            idempotent = true, open_world, timeout = "1s", scope = "s", blocking, rate = "5/s", concurrency = 2, result_bytes = 64 * 1024,
            allow(long_timeout, unique_items), crate = some::kit,
        },
        &mut errors,
    );
    assert!(errors.is_empty());
    assert!(matches!(keys.name, Some(Value::Text(text)) if text.value() == "n"));
    assert!(matches!(keys.scope, Some(Value::Text(text)) if text.value() == "s"));
    assert!(matches!(keys.rate, Some(Value::Text(text)) if text.value() == "5/s"));
    assert!(keys.concurrency.is_some() && keys.result_bytes.is_some());
    assert!(keys.read_only.is_some_and(|flag| flag.value));
    assert!(keys.destructive.is_some_and(|flag| !flag.value));
    assert_eq!(keys.allow.unwrap(), ["LongTimeout", "UniqueItems"]);
    assert!(keys.krate.is_some());
}

#[test]
fn all_mistakes_are_told_at_once() {
    assert_eq!(
        messages(quote! { titel, title = 5, title = "a", title = "b", read_only = 1, name }),
        [
            "unknown key `titel`: did you mean `title`?",
            "`title` takes a text in quotes",
            "`title` is given twice: keep one",
            "write `read_only`, `read_only = true` or `read_only = false`",
            "`name` takes a value: write `name = \"…\"`",
        ]
    );
}

#[test]
fn what_only_rustc_knows_is_passed_on() {
    let mut errors = Errors::default();
    let keys = keys(
        quote! {
            name = NAME, title = texts::TITLE, description = include_str!("d.md"),
            timeout = Duration::from_secs(15), rate = Rate::per_second(5), scope = SCOPE,
            concurrency = MOST, result_bytes = 64 << 10
        },
        &mut errors,
    );
    assert_eq!(errors.messages(), [""; 0]);
    for value in [
        keys.name,
        keys.title,
        keys.description,
        keys.timeout,
        keys.rate,
        keys.scope,
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
        (quote!(timeout = 15), "`timeout = \"15s\"`"),
        (quote!(timeout("15s")), "`timeout = \"15s\"`"),
        (quote!(rate = 5 / s), "`\"60/min\"`"),
        (quote!(concurrency = 0), "no call could end well"),
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
        (quote!(allow(long_name, long_name)), "given twice"),
        (quote!(accept_warning(long_name)), "write `allow(…)`"),
        (quote!(crate = mcp_kit::prelude), "`crate = mcp_kit`"),
    ];
    for (attribute, expected) in right {
        let found = messages(attribute.clone());
        assert!(
            found.len() == 1 && found[0].contains(expected),
            "{attribute}: {found:?}"
        );
    }
}

#[test]
fn a_function_without_a_body_is_seen() {
    let mut errors = Errors::default();
    let found = function(
        &quote! { pub async fn search(args: Args) -> String; },
        &mut errors,
    );
    assert!(found.is_some());
    assert!(errors.messages()[0].starts_with("a tool needs a body"));
}

#[test]
fn a_crate_is_a_path() {
    assert_eq!(
        messages(quote! { crate = "kit" }),
        ["`crate` takes the path to mcp-kit, without quotes: `crate = kit`"]
    );
}
