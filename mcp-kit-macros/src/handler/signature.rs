//! Reads the item under an attribute and judges its signature.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, FnArg, GenericArgument, GenericParam, Item, ItemFn, PathArguments};
use syn::{ReturnType, Safety, Signature, Token, Type, Visibility, parse_quote};

use super::Noun;
use super::value::Flag;
use crate::errors::{Errors, Hidden};

/// Reads the function. Another item is a mistake.
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
/// `impl`, which Rust does not have.
pub(crate) fn is_method(function: &ItemFn) -> bool {
    function.sig.receiver().is_some() || contains_word(&function.sig.to_token_stream(), "Self")
}

/// Judges everything in the signature but the parameters and the return type.
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
