//! Reads the item under an attribute and checks its signature.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, FnArg, GenericArgument, GenericParam, Ident, Item, ItemFn, PathArguments};
use syn::{ReturnType, Safety, Signature, Token, Type, Visibility, parse_quote};

use super::Noun;
use super::value::Flag;
use crate::errors::{Errors, Hidden};

/// Reads the function. Any other item is a mistake.
pub(crate) fn function(noun: &Noun, item: &TokenStream, errors: &mut Errors) -> Option<ItemFn> {
    let word = noun.word;
    if let Ok((function, semicolon)) = without_body.parse2(item.clone()) {
        errors.at(
            semicolon.span,
            format!("a {word} needs a body: write `{{ … }}` in place of `;`"),
        );
        return Some(function);
    }
    match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Fn(function)) => Some(function),
        Ok(other) => {
            errors.at(
                first_word(&other),
                format!(
                    "`#[{word}]` turns a function into a {word}: put it on an `async fn`, \
                     or on a `fn` as `#[{word}(blocking)]`"
                ),
            );
            None
        }
        // Not an item: the compiler reports it once the tokens are back.
        Err(error) => {
            errors.push(error);
            None
        }
    }
}

/// `fn name(…);`, with a body that keeps the compiler silent.
fn without_body(input: ParseStream<'_>) -> syn::Result<(ItemFn, Token![;])> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis: Visibility = input.parse()?;
    let sig: Signature = input.parse()?;
    let semicolon = input.parse()?;
    let mut function: ItemFn = parse_quote!(
        fn f() {
            ::core::unreachable!()
        }
    );
    (function.attrs, function.vis, function.sig) = (attrs, vis, sig);
    Ok((function, semicolon))
}

/// The item's first token after its attributes and visibility.
fn first_word(item: &Item) -> Span {
    let mut tokens = item.to_token_stream().into_iter().peekable();
    while let Some(token) = tokens.next() {
        match &token {
            // `#[…]`
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                tokens.next();
            }
            TokenTree::Group(_) => {}
            TokenTree::Ident(word) if word == "pub" => {}
            word => return word.span(),
        }
    }
    Span::call_site()
}

/// Whether this is a method. The type beside it would be an item inside an
/// `impl`, which Rust does not allow.
pub(crate) fn is_method(function: &ItemFn) -> bool {
    function.sig.receiver().is_some() || contains_word(&function.sig.to_token_stream(), "Self")
}

/// Checks everything in the signature except the parameters and the return
/// type.
pub(crate) fn check(noun: &Noun, function: &ItemFn, blocking: Option<Flag>, errors: &mut Errors) {
    let word = noun.word;
    let sig = &function.sig;
    for attribute in function.attrs.iter().filter(|other| noun.is(other)) {
        errors.on(
            attribute.path(),
            format!("`#[{word}]` appears twice on this function: keep one"),
        );
    }
    if let Some(receiver) = sig.receiver() {
        errors.at(
            receiver.self_token.span,
            format!(
                "a {word} is a free function: move it out of the `impl` and take what `self` \
                 holds as `State<T>`"
            ),
        );
    } else if is_method(function) {
        errors.at(
            sig.ident.span(),
            format!(
                "a {word} is a free function: move it out of the `impl` and name the type in \
                 place of `Self`"
            ),
        );
    }
    if let Some(parameter) = sig.generics.params.first() {
        let message = match parameter {
            GenericParam::Lifetime(_) => {
                format!("a {word} owns its arguments and cannot have lifetimes: take owned types")
            }
            _ => format!(
                "a {word} cannot be generic: its schema needs concrete types. Make a plain \
                 function for each type, and let it call this one"
            ),
        };
        errors.on(parameter, message);
    }
    if let Some(token) = &sig.constness {
        errors.on(
            token,
            format!("a {word} cannot be a `const fn`: remove `const`"),
        );
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.on(
            token,
            format!(
                "a {word} cannot be an `unsafe fn`: clients cannot uphold its safety \
                 requirements. Check them inside and remove `unsafe`"
            ),
        );
    }
    if let Some(abi) = &sig.abi {
        errors.on(
            abi,
            format!("a {word} cannot be an `extern` function: remove the ABI"),
        );
    }
    if let Some(variadic) = &sig.variadic {
        errors.on(
            variadic,
            format!("a {word} cannot be variadic: take a list in its argument struct"),
        );
    }
    match (&sig.asyncness, blocking.filter(|flag| flag.value)) {
        (None, None) => errors.at(
            sig.fn_token.span,
            format!(
                "a {word} is an `async fn`: add `async`, or write `#[{word}(blocking)]` if it \
                 blocks or computes for long"
            ),
        ),
        (Some(_), Some(flag)) => errors.at(
            flag.span,
            "`blocking` is for a plain `fn`: remove it here, or remove `async` from the function",
        ),
        _ => {}
    }
}

/// All parameters' types; `None` if there is a receiver among them.
pub(crate) fn parameters(noun: &Noun, function: &ItemFn, errors: &mut Errors) -> Option<Vec<Type>> {
    let word = noun.word;
    let mut types = Vec::new();
    for input in &function.sig.inputs {
        let FnArg::Typed(parameter) = input else {
            return None;
        };
        for attribute in &parameter.attrs {
            if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
                errors.on(
                    attribute,
                    format!(
                        "the parameters of a {word} cannot depend on `cfg`: put it on the whole \
                         function, once for each case"
                    ),
                );
            }
        }
        let ty = &*parameter.ty;
        if let Some(inner) = unsized_inside(ty) {
            errors.on(
                ty,
                format!("the size of `{inner}` is not known: share it as `Arc<{inner}>`"),
            );
            errors.hide(Hidden::Signature);
        }
        match ty {
            Type::Reference(reference) => errors.on(
                reference,
                format!("a {word} owns its arguments: take the type without `&`"),
            ),
            _ if contains_word(&ty.to_token_stream(), "impl") => errors.on(
                ty,
                format!(
                    "a {word} cannot take `impl Trait`: its schema needs a concrete type. Name \
                     the type"
                ),
            ),
            _ => {}
        }
        types.push(ty.clone());
    }
    Some(types)
}

/// The return type; `None` is `()`.
pub(crate) fn output(noun: &Noun, function: &ItemFn, errors: &mut Errors) -> Option<Type> {
    let ReturnType::Type(_, ty) = &function.sig.output else {
        return None;
    };
    let Noun {
        word,
        returned,
        result,
        into_result: (into_result, _),
        ..
    } = noun;
    if contains_word(&ty.to_token_stream(), "impl") {
        errors.on(
            ty,
            format!("a {word} cannot return `impl Trait`: name the type, such as {returned}"),
        );
    } else if contains_word(&ty.to_token_stream(), into_result) {
        errors.on(
            ty,
            format!(
                "a {word} names the type of its result: return `{result}` if there are several \
                 kinds"
            ),
        );
        errors.hide(Hidden::Signature);
    }
    Some((**ty).clone())
}

/// Modules of std that a function's name could match.
const STD: &[&str] = &[
    "env", "fmt", "fs", "hash", "io", "iter", "mem", "net", "path", "process", "str", "string",
    "sync", "task", "thread", "time", "vec",
];

/// The type beside the function takes the function's name among types and
/// modules: a path that begins with it does not reach a crate or a module of
/// that name.
pub(crate) fn own_name(noun: &Noun, function: &ItemFn, errors: &mut Errors) {
    let word = noun.word;
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
            "`{name}` here is the type that `#[{word}]` makes beside the function: write the \
             whole path `{root}::{name}::…`, or give the function another name, such as \
             `make_{name}`, and write `#[{word}(name = \"{name}\")]`",
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

/// Whether the word is among the tokens, at any depth.
pub(crate) fn contains_word(tokens: &TokenStream, word: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => contains_word(&group.stream(), word),
        TokenTree::Ident(ident) => ident == word,
        _ => false,
    })
}
