//! Reads `#[tool(…)]` and the item under it. Knows the syntax of keys, not
//! what may stand with what.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Ident, Item, ItemFn, LitBool, LitStr, Path, Token};

use crate::errors::Errors;
use crate::suggest::unknown_key;

/// The keys as they are written.
#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) krate: Option<Path>,
    pub(crate) name: Option<LitStr>,
    pub(crate) title: Option<LitStr>,
    pub(crate) description: Option<LitStr>,
    pub(crate) timeout: Option<LitStr>,
    pub(crate) scope: Option<LitStr>,
    pub(crate) read_only: Option<Flag>,
    pub(crate) destructive: Option<Flag>,
    pub(crate) idempotent: Option<Flag>,
    pub(crate) open_world: Option<Flag>,
    pub(crate) blocking: Option<Flag>,
}

/// `key`, `key = true` or `key = false`.
#[derive(Clone, Copy)]
pub(crate) struct Flag {
    pub(crate) span: Span,
    pub(crate) value: bool,
}

const KNOWN: &[&str] = &[
    "name",
    "title",
    "description",
    "read_only",
    "destructive",
    "idempotent",
    "open_world",
    "timeout",
    "scope",
    "blocking",
    "crate",
];

/// Reads the keys. A bad one is stored and left out; the others are read.
pub(crate) fn keys(attribute: TokenStream, errors: &mut Errors) -> Keys {
    let mut keys = Keys::default();
    let parsed = (|input: ParseStream<'_>| {
        while !input.is_empty() {
            if let Err(error) = key(input, &mut keys) {
                errors.push(error);
                skip_to_comma(input)?;
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    })
    .parse2(attribute);
    errors.take(parsed);
    keys
}

/// Reads the function, or says what stands there in its place.
pub(crate) fn function(item: &TokenStream, errors: &mut Errors) -> Option<ItemFn> {
    match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Fn(function)) => Some(function),
        Ok(other) => {
            errors.at(
                first_word(&other),
                "`#[tool]` turns a function into a tool: put it on an `async fn`, \
                 or on a `fn` as `#[tool(blocking)]`",
            );
            None
        }
        // Not an item: the compiler says so itself once the tokens are back.
        Err(error) => {
            errors.push(error);
            None
        }
    }
}

fn key(input: ParseStream<'_>, keys: &mut Keys) -> syn::Result<()> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected a key such as `title = \"…\"` or `read_only`"));
    }
    let key = input.call(Ident::parse_any)?;
    match key.to_string().as_str() {
        "name" => once(&mut keys.name, &key, text(&key, input)?),
        "title" => once(&mut keys.title, &key, text(&key, input)?),
        "description" => once(&mut keys.description, &key, text(&key, input)?),
        "timeout" => once(&mut keys.timeout, &key, text(&key, input)?),
        "scope" => once(&mut keys.scope, &key, text(&key, input)?),
        "read_only" => once(&mut keys.read_only, &key, flag(&key, input)?),
        "destructive" => once(&mut keys.destructive, &key, flag(&key, input)?),
        "idempotent" => once(&mut keys.idempotent, &key, flag(&key, input)?),
        "open_world" => once(&mut keys.open_world, &key, flag(&key, input)?),
        "blocking" => once(&mut keys.blocking, &key, flag(&key, input)?),
        "crate" => once(&mut keys.krate, &key, crate_path(&key, input)?),
        other => Err(syn::Error::new(key.span(), unknown_key(other, KNOWN))),
    }
}

fn once<T>(slot: &mut Option<T>, key: &Ident, value: T) -> syn::Result<()> {
    if slot.is_some() {
        return Err(syn::Error::new(
            key.span(),
            format!("`{key}` is given twice: keep one"),
        ));
    }
    *slot = Some(value);
    Ok(())
}

fn text(key: &Ident, input: ParseStream<'_>) -> syn::Result<LitStr> {
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(
            key.span(),
            format!("`{key}` takes a text: write `{key} = \"…\"`"),
        ));
    }
    input.parse::<Token![=]>()?;
    if !input.peek(LitStr) {
        return Err(input.error(format!("`{key}` takes a text in quotes")));
    }
    input.parse()
}

fn flag(key: &Ident, input: ParseStream<'_>) -> syn::Result<Flag> {
    let mut value = true;
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        if !input.peek(LitBool) {
            return Err(input.error(format!("write `{key}`, `{key} = true` or `{key} = false`")));
        }
        value = input.parse::<LitBool>()?.value;
    }
    Ok(Flag {
        span: key.span(),
        value,
    })
}

fn crate_path(key: &Ident, input: ParseStream<'_>) -> syn::Result<Path> {
    let path = || {
        input.parse::<Token![=]>()?;
        input.call(Path::parse_mod_style)
    };
    path().map_err(|_| {
        syn::Error::new(
            key.span(),
            "`crate` takes the path to mcp-kit, without quotes: `crate = kit`",
        )
    })
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

/// The item's first token after its attributes and visibility.
fn first_word(item: &Item) -> Span {
    use quote::ToTokens as _;
    let mut tokens = item.to_token_stream().into_iter().peekable();
    while let Some(token) = tokens.next() {
        match &token {
            // `#[…]`
            proc_macro2::TokenTree::Punct(punct) if punct.as_char() == '#' => {
                tokens.next();
            }
            proc_macro2::TokenTree::Group(_) => {}
            proc_macro2::TokenTree::Ident(word) if word == "pub" => {}
            word => return word.span(),
        }
    }
    Span::call_site()
}

#[cfg(test)]
mod tests {
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
                idempotent = true, open_world, timeout = "1s", scope = "s", blocking,
                crate = some::kit,
            },
            &mut errors,
        );
        assert!(errors.is_empty());
        assert_eq!(keys.name.map(|text| text.value()).as_deref(), Some("n"));
        assert_eq!(keys.scope.map(|text| text.value()).as_deref(), Some("s"));
        assert!(keys.read_only.is_some_and(|flag| flag.value));
        assert!(keys.destructive.is_some_and(|flag| !flag.value));
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
                "`name` takes a text: write `name = \"…\"`",
            ]
        );
    }

    #[test]
    fn a_crate_is_a_path() {
        assert_eq!(
            messages(quote! { crate = "kit" }),
            ["`crate` takes the path to mcp-kit, without quotes: `crate = kit`"]
        );
    }
}
