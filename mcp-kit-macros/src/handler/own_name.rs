//! Finds paths in the function that begin with the function's own name.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Ident, ItemFn};

use super::Noun;
use super::signature::contains_word;
use crate::errors::{Errors, Hidden};

/// Modules of std that a function could be named like.
const STD: &[&str] = &[
    "env", "fmt", "fs", "hash", "io", "iter", "mem", "net", "path", "process", "str", "string",
    "sync", "task", "thread", "time", "vec",
];

/// The type beside the function takes the function's name among types and
/// modules: a path that begins with it does not reach a crate or a module of
/// that name.
pub(crate) fn check(noun: &Noun, function: &ItemFn, errors: &mut Errors) {
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
