//! What the checks of `#[tool]` refuse, and what they leave alone.

use quote::quote;

use super::*;
use crate::tool::parse;

fn messages(attribute: TokenStream, function: TokenStream) -> Vec<String> {
    let mut errors = Errors::default();
    let keys = parse::keys(attribute, &mut errors);
    let function = parse::function(&function, &mut errors);
    if let Some(function) = function {
        check(keys, &function, &mut errors);
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
fn all_mistakes_of_a_function_are_told_at_once() {
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
        "a tool requires one scope",
        "this tool has no description",
    ];
    for start in starts {
        assert!(
            found.iter().any(|m| m.starts_with(start)),
            "{start}: {found:?}"
        );
    }
}
