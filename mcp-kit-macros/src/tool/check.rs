//! Judges the keys against the function and makes the model of both.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::{Attribute, FnArg, GenericArgument, GenericParam, Ident, ItemFn, LitStr};
use syn::{PathArguments, ReturnType, Safety, Type};

use super::model::{Description, Hints, Rate, Tool};
use super::parse::{Keys, Value};
use super::{doc, duration, name, rate};
use crate::errors::{Errors, Hidden};

/// The model, or `None` where a parameter could not be read.
pub(crate) fn check(keys: Keys, function: &ItemFn, errors: &mut Errors) -> Option<Tool> {
    signature(function, errors);
    work(&keys, function, errors);
    hints_agree(&keys, errors);
    let parameters = parameters(function, errors);
    own_name(function, errors);
    let docs = attributes(function, "doc");
    // All are judged before the first missing one ends it.
    let name = tool_name(&keys, function, errors);
    let title = words("title", keys.title, errors);
    let description = description(keys.description, &docs, function, errors);
    let timeout = keys.timeout.and_then(|value| timeout(value, errors));
    let rate = keys.rate.and_then(|value| rate_of(value, errors));
    let scope = keys.scope.and_then(|value| scope(value, errors));
    let output = output(function, errors);
    Some(Tool {
        krate: keys.krate,
        ident: function.sig.ident.clone(),
        visibility: function.vis.clone(),
        cfgs: attributes(function, "cfg"),
        docs: docs.into_iter().filter(doc::is_literal).collect(),
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
        timeout,
        rate,
        concurrency: keys.concurrency,
        result_bytes: keys.result_bytes,
        scope,
        blocking: keys.blocking.is_some_and(|flag| flag.value),
        allow: keys.allow.unwrap_or_default(),
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
                "`#[tool]` is given twice on this function: keep one",
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
        if let Some(inner) = unsized_inside(ty) {
            errors.on(
                ty,
                format!("`{inner}` has no size that is known: share it as `Arc<{inner}>`"),
            );
            errors.hide(Hidden::Signature);
        }
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
    } else if contains_word(&ty.to_token_stream(), "IntoToolResult") {
        errors.on(
            ty,
            "a tool names the type of its result: return `ToolResult` if there are several kinds",
        );
        errors.hide(Hidden::Signature);
    }
    Some((**ty).clone())
}

fn tool_name(keys: &Keys, function: &ItemFn, errors: &mut Errors) -> TokenStream {
    let (name, span) = match &keys.name {
        // `build()` checks it.
        Some(Value::Expr(name)) => return name.to_token_stream(),
        Some(Value::Text(text)) => (text.value(), text.span()),
        None => (
            function.sig.ident.unraw().to_string(),
            function.sig.ident.span(),
        ),
    };
    if let Err(message) = name::check(&name) {
        errors.at(span, message);
    }
    quote!(#name)
}

fn description(
    key: Option<Value>,
    docs: &[Attribute],
    function: &ItemFn,
    errors: &mut Errors,
) -> Option<Description> {
    match key {
        Some(Value::Expr(value)) => return Some(Description::Expr(value)),
        Some(Value::Text(text)) => {
            return not_empty("description", &text, errors).map(Description::Text);
        }
        None => {}
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

fn words(key: &str, value: Option<Value>, errors: &mut Errors) -> Option<TokenStream> {
    match value? {
        Value::Text(text) => not_empty(key, &text, errors).map(|text| quote!(#text)),
        Value::Expr(value) => Some(value.to_token_stream()),
    }
}

fn not_empty(key: &str, text: &LitStr, errors: &mut Errors) -> Option<String> {
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

/// A `Duration`. `build()` checks one that is not written here.
fn timeout(value: Value, errors: &mut Errors) -> Option<TokenStream> {
    match value {
        Value::Expr(value) => Some(value.to_token_stream()),
        Value::Text(text) => match duration::millis(&text.value()) {
            Ok(millis) => Some(quote!(::core::time::Duration::from_millis(#millis))),
            Err(message) => {
                errors.at(text.span(), message);
                None
            }
        },
    }
}

fn rate_of(value: Value, errors: &mut Errors) -> Option<Rate> {
    match value {
        Value::Expr(value) => Some(Rate::Expr(value)),
        Value::Text(text) => match rate::constructor(&text.value()) {
            Ok((constructor, calls)) => Some(Rate::Calls(constructor, calls)),
            Err(message) => {
                errors.at(text.span(), message);
                None
            }
        },
    }
}

/// A scope is one word of OAuth 2.0 (RFC 6749, section 3.3). A comma may be in
/// one, but is more likely meant to separate two.
fn scope(value: Value, errors: &mut Errors) -> Option<TokenStream> {
    let text = match value {
        Value::Expr(value) => return Some(value.to_token_stream()),
        Value::Text(text) => text,
    };
    let value = text.value();
    let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | ',');
    if value.is_empty() || !value.chars().all(fits) {
        let message = match value.contains([' ', ',']) {
            true => {
                "a tool requires one scope, which is one word such as `files:read`: ask for \
                 others in the function with `Principal::has_scope`"
            }
            false => {
                "a scope is one word such as `files:read`: printable ASCII without spaces, `\"` \
                 and `\\`"
            }
        };
        errors.at(text.span(), message);
        return None;
    }
    Some(quote!(#value))
}

/// Modules of std that a tool could be named like.
const STD: &[&str] = &[
    "env", "fmt", "fs", "hash", "io", "iter", "mem", "net", "path", "process", "str", "string",
    "sync", "task", "thread", "time", "vec",
];

/// The tool's type takes the function's name among types and modules: a path
/// that begins with it does not reach a crate or a module of that name.
fn own_name(function: &ItemFn, errors: &mut Errors) {
    let name = &function.sig.ident;
    let block = function.block.to_token_stream();
    let output = function.sig.output.to_token_stream();
    let inputs = function.sig.inputs.to_token_stream();
    let hidden = match (begins_path(&inputs, name), begins_path(&output, name)) {
        (None, None) => begins_path(&block, name).map(|found| (found, Hidden::Body)),
        (found, other) => found.or(other).map(|found| (found, Hidden::Signature)),
    };
    let Some((found, hidden)) = hidden else {
        return;
    };
    let root = match STD.iter().any(|module| name == module) {
        true => "std",
        false => "",
    };
    errors.at(
        found.span(),
        format!(
            "`{name}` here is the tool's own type, which `#[tool]` makes beside the function: \
             write the whole path `{root}::{name}::…`, or name the function otherwise, such as \
             `make_{name}`, with `#[tool(name = \"{name}\")]`",
        ),
    );
    errors.hide(hidden);
}

/// The first `name::` that begins a path; not where the name is imported.
fn begins_path(tokens: &TokenStream, name: &Ident) -> Option<Ident> {
    if is_imported(tokens, name) {
        return None;
    }
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let is = |at: Option<usize>, sign: char| {
        let token = at.and_then(|at| tokens.get(at));
        matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
    };
    let separates = |at: Option<usize>| is(at, ':') && is(at.map(|at| at + 1), ':');
    tokens
        .iter()
        .enumerate()
        .find_map(|(i, token)| match token {
            TokenTree::Group(group) => begins_path(&group.stream(), name),
            TokenTree::Ident(ident) if ident == name => {
                let inside = separates(i.checked_sub(2)) || is(i.checked_sub(1), '.');
                let begins = separates(Some(i + 1)) && !is(Some(i + 3), '<');
                (begins && !inside).then(|| ident.clone())
            }
            _ => None,
        })
}

/// Whether a `use` or a `mod` among the tokens brings the name into scope.
fn is_imported(tokens: &TokenStream, name: &Ident) -> bool {
    let mut imports = false;
    tokens.clone().into_iter().any(|token| {
        match &token {
            TokenTree::Ident(word) if word == "use" || word == "mod" => imports = true,
            TokenTree::Punct(end) if end.as_char() == ';' => imports = false,
            TokenTree::Ident(word) => return imports && word == name,
            TokenTree::Group(group) if imports => {
                return contains_word(&group.stream(), &name.to_string());
            }
            _ => {}
        }
        false
    })
}

/// The `dyn Trait` or `str` that is written without a pointer in `State<dyn Trait>`.
fn unsized_inside(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    if !["State", "Extension", "Json"]
        .iter()
        .any(|name| last.ident == name)
    {
        return None;
    }
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(inner @ (Type::TraitObject(_) | Type::Slice(_))) => {
            Some(inner.to_token_stream().to_string())
        }
        _ => None,
    })
}

fn attributes(function: &ItemFn, name: &str) -> Vec<Attribute> {
    let wanted = |attribute: &&Attribute| match name {
        "doc" => doc::value(attribute).is_some(),
        _ => attribute.path().is_ident(name),
    };
    let attributes = function.attrs.iter().filter(wanted).cloned();
    // `//!` in the function's body is its documentation too.
    attributes
        .map(|attribute| Attribute {
            style: syn::AttrStyle::Outer,
            ..attribute
        })
        .collect()
}

fn contains_word(tokens: &TokenStream, word: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => contains_word(&group.stream(), word),
        TokenTree::Ident(ident) => ident == word,
        _ => false,
    })
}

#[cfg(test)]
mod tests;
