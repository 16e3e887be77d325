//! Judges the keys against the function and makes the model of both.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::{Attribute, FnArg, GenericParam, ItemFn, LitStr, ReturnType, Safety, Type};

use super::model::{Description, Hints, Tool};
use super::parse::Keys;
use super::{doc, duration, name};
use crate::errors::Errors;

/// The model, or `None` where a parameter could not be read.
pub(crate) fn check(keys: Keys, function: &ItemFn, errors: &mut Errors) -> Option<Tool> {
    signature(function, errors);
    work(&keys, function, errors);
    hints_agree(&keys, errors);
    let parameters = parameters(function, errors);
    let docs = attributes(function, "doc");
    // All are judged before the first missing one ends it.
    let name = tool_name(&keys, function, errors);
    let title = words("title", keys.title, errors);
    let description = description(keys.description, &docs, function, errors);
    let timeout_millis = keys.timeout.and_then(|text| timeout(&text, errors));
    let scope = keys.scope.and_then(|text| scope(text, errors));
    let output = output(function, errors);
    Some(Tool {
        krate: keys.krate,
        ident: function.sig.ident.clone(),
        visibility: function.vis.clone(),
        cfgs: attributes(function, "cfg"),
        docs,
        deprecated: !attributes(function, "deprecated").is_empty(),
        name,
        title,
        description: description?,
        hints: Hints {
            read_only: keys.read_only.map(|flag| flag.value),
            destructive: keys.destructive.map(|flag| flag.value),
            idempotent: keys.idempotent.map(|flag| flag.value),
            open_world: keys.open_world.map(|flag| flag.value),
        },
        timeout_millis,
        scope,
        blocking: keys.blocking.is_some_and(|flag| flag.value),
        parameters: parameters?,
        output,
    })
}

/// Whether the macro may stand beside the function at all: a method's type
/// would be an item inside an `impl`, which is no Rust.
pub(crate) fn is_method(function: &ItemFn) -> bool {
    function.sig.receiver().is_some() || contains_word(&function.sig.to_token_stream(), "Self")
}

/// Whether this is `#[tool]` once more.
pub(crate) fn is_tool(attribute: &Attribute) -> bool {
    attribute
        .path()
        .segments
        .last()
        .is_some_and(|last| last.ident == "tool")
}

fn signature(function: &ItemFn, errors: &mut Errors) {
    let sig = &function.sig;
    for attribute in &function.attrs {
        if attribute
            .path()
            .segments
            .last()
            .is_some_and(|last| last.ident == "tool")
        {
            errors.on(
                attribute.path(),
                "`#[tool]` stands twice on this function: keep one",
            );
        }
    }
    if let Some(receiver) = sig.receiver() {
        errors.at(
            receiver.self_token.span,
            "a tool is a free function: move it out of the `impl` and take what `self` \
             holds as `State<T>`",
        );
    } else if is_method(function) {
        errors.at(
            sig.ident.span(),
            "a tool is a free function: move it out of the `impl` and name the type in place \
             of `Self`",
        );
    }
    if let Some(parameter) = sig.generics.params.first() {
        let message = match parameter {
            GenericParam::Lifetime(_) => {
                "a tool owns its arguments and cannot have lifetimes: take owned types"
            }
            _ => {
                "a tool cannot be generic: its schema needs concrete types. Make a plain function \
                 for each type, and let it call this one"
            }
        };
        errors.on(parameter, message);
    }
    if let Some(token) = &sig.constness {
        errors.on(token, "a tool cannot be a `const fn`: remove `const`");
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.on(
            token,
            "a tool cannot be an `unsafe fn`: a client could not keep its promises. Check them \
             inside and remove `unsafe`",
        );
    }
    if let Some(abi) = &sig.abi {
        errors.on(abi, "a tool cannot be an `extern` function: remove the ABI");
    }
    if let Some(variadic) = &sig.variadic {
        errors.on(
            variadic,
            "a tool cannot be variadic: put a list into its argument struct",
        );
    }
}

fn work(keys: &Keys, function: &ItemFn, errors: &mut Errors) {
    let blocking = keys.blocking.filter(|flag| flag.value);
    match (&function.sig.asyncness, blocking) {
        (None, None) => errors.at(
            function.sig.fn_token.span,
            "a tool is an `async fn`: add `async`, or write `#[tool(blocking)]` if it blocks or \
             computes for long",
        ),
        (Some(_), Some(flag)) => errors.at(
            flag.span,
            "`blocking` is for a plain `fn`: remove it here, or remove `async` from the function",
        ),
        _ => {}
    }
}

fn hints_agree(keys: &Keys, errors: &mut Errors) {
    if let (Some(read_only), Some(destructive)) = (keys.read_only, keys.destructive)
        && read_only.value
        && destructive.value
    {
        errors.at(
            destructive.span,
            "a `read_only` tool destroys nothing: remove one of the two",
        );
    }
}

/// All parameters' types; `None` if there is a receiver among them.
fn parameters(function: &ItemFn, errors: &mut Errors) -> Option<Vec<Type>> {
    let mut types = Vec::new();
    for input in &function.sig.inputs {
        let FnArg::Typed(parameter) = input else {
            return None;
        };
        for attribute in &parameter.attrs {
            if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
                errors.on(
                    attribute,
                    "a tool's parameters cannot depend on `cfg`: put it on the whole function, \
                     once for each case",
                );
            }
        }
        let ty = &*parameter.ty;
        match ty {
            Type::Reference(reference) => errors.on(
                reference,
                "a tool owns its arguments: take the type without `&`",
            ),
            Type::ImplTrait(_) => errors.on(
                ty,
                "a tool cannot take `impl Trait`: its schema needs a concrete type. Name the type",
            ),
            _ if contains_word(&ty.to_token_stream(), "impl") => errors.on(
                ty,
                "a tool cannot take `impl Trait`: its schema needs a concrete type. Name the type",
            ),
            _ => {}
        }
        types.push(ty.clone());
    }
    Some(types)
}

fn output(function: &ItemFn, errors: &mut Errors) -> Option<Type> {
    let ReturnType::Type(_, ty) = &function.sig.output else {
        return None;
    };
    if contains_word(&ty.to_token_stream(), "impl") {
        errors.on(
            ty,
            "a tool cannot return `impl Trait`: name the type, such as `String` or `Json<T>`",
        );
    }
    Some((**ty).clone())
}

fn tool_name(keys: &Keys, function: &ItemFn, errors: &mut Errors) -> String {
    let (name, span) = match &keys.name {
        Some(text) => (text.value(), text.span()),
        None => (
            function.sig.ident.unraw().to_string(),
            function.sig.ident.span(),
        ),
    };
    if let Err(message) = name::check(&name) {
        errors.at(span, message);
    }
    name
}

fn description(
    key: Option<LitStr>,
    docs: &[Attribute],
    function: &ItemFn,
    errors: &mut Errors,
) -> Option<Description> {
    if key.is_some() {
        return words("description", key, errors).map(Description::Text);
    }
    let description = doc::description(docs);
    if description.is_none() {
        errors.at(
            function.sig.ident.span(),
            "this tool has no description, and models choose tools by it: write a doc comment \
             (`/// …`) above the function, or `description = \"…\"`",
        );
    }
    description
}

fn words(key: &str, text: Option<LitStr>, errors: &mut Errors) -> Option<String> {
    let text = text?;
    let value = text.value();
    if value.trim().is_empty() {
        errors.at(
            text.span(),
            format!("`{key}` is empty: say something or leave it out"),
        );
        return None;
    }
    Some(value)
}

fn timeout(text: &LitStr, errors: &mut Errors) -> Option<u64> {
    duration::millis(&text.value())
        .map_err(|message| errors.at(text.span(), message))
        .ok()
}

/// A scope is one word of OAuth 2.0 (RFC 6749, section 3.3).
fn scope(text: LitStr, errors: &mut Errors) -> Option<String> {
    let value = text.value();
    let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\');
    if value.is_empty() || !value.chars().all(fits) {
        errors.at(
            text.span(),
            "a scope is one word such as `files:read`: printable ASCII without spaces, `\"` and `\\`",
        );
        return None;
    }
    Some(value)
}

fn attributes(function: &ItemFn, name: &str) -> Vec<Attribute> {
    let wanted = |attribute: &&Attribute| match name {
        "doc" => doc::value(attribute).is_some(),
        _ => attribute.path().is_ident(name),
    };
    function.attrs.iter().filter(wanted).cloned().collect()
}

fn contains_word(tokens: &TokenStream, word: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => contains_word(&group.stream(), word),
        TokenTree::Ident(ident) => ident == word,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
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
            "a scope is one word",
            "this tool has no description",
        ];
        for start in starts {
            assert!(
                found.iter().any(|m| m.starts_with(start)),
                "{start}: {found:?}"
            );
        }
    }
}
