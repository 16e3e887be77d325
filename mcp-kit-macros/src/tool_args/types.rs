//! What the tokens of a type show. An alias hides everything, so the answers
//! help with messages and are never relied on.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{GenericArgument, Ident, PathArguments, Type};

/// Whether this is visibly a string, also behind `Option` and pointers.
pub(crate) fn is_string(ty: &Type) -> bool {
    let Some((name, arguments)) = named(ty) else {
        return false;
    };
    match (name.to_string().as_str(), arguments.as_slice()) {
        ("String" | "str", []) => true,
        ("Option" | "Box" | "Rc" | "Arc" | "Cow", [inner]) => is_string(inner),
        _ => false,
    }
}

/// Returns the item's type, into which garde's `inner` goes.
pub(crate) fn item(ty: &Type) -> Option<&Type> {
    match plain(ty) {
        Type::Array(array) => Some(&array.elem),
        Type::Slice(slice) => Some(&slice.elem),
        ty => match named(ty)? {
            (name, arguments) if name == "Box" => item(arguments.first()?),
            (_, arguments) => arguments.last().copied(),
        },
    }
}

/// Whether serde's `flatten` visibly cannot work: it needs a struct or a map.
pub(crate) fn is_never_flat(ty: &Type) -> bool {
    const NEVER: &[&str] = &[
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16",
        "u32", "u64", "u128", "usize", "Vec", "VecDeque", "HashSet", "BTreeSet",
    ];
    match plain(ty) {
        Type::Array(_) | Type::Tuple(_) => true,
        ty => is_string(ty) || named(ty).is_some_and(|(name, _)| NEVER.iter().any(|n| name == n)),
    }
}

/// Returns the first token of a type that borrows: a reference or a lifetime.
pub(crate) fn borrowed(ty: &Type) -> Option<TokenTree> {
    fn find(tokens: TokenStream) -> Option<TokenTree> {
        tokens.into_iter().find_map(|token| match &token {
            TokenTree::Group(group) => find(group.stream()),
            TokenTree::Punct(punct) if punct.as_char() == '&' => Some(token),
            _ => None,
        })
    }
    find(ty.to_token_stream())
}

/// Whether the type mentions one of these names.
pub(crate) fn mentions(ty: &Type, names: &[&Ident]) -> bool {
    fn find(tokens: TokenStream, names: &[&Ident]) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Group(group) => find(group.stream(), names),
            TokenTree::Ident(ident) => names.iter().any(|name| **name == ident),
            _ => false,
        })
    }
    find(ty.to_token_stream(), names)
}

/// Returns the type without the groups that macros put around it.
fn plain(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => plain(&group.elem),
        Type::Paren(paren) => plain(&paren.elem),
        ty => ty,
    }
}

/// Returns the last name of a path, and its type arguments.
fn named(ty: &Type) -> Option<(&Ident, Vec<&Type>)> {
    let Type::Path(path) = plain(ty) else {
        return None;
    };
    let last = path.path.segments.last()?;
    let arguments = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().collect(),
        _ => Vec::new(),
    };
    let types = arguments.into_iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    Some((&last.ident, types.collect()))
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn strings_are_seen_through_options_and_pointers() {
        for ty in [
            parse_quote!(String),
            parse_quote!(std::string::String),
            parse_quote!(Option<String>),
            parse_quote!(Box<str>),
            parse_quote!(Option<std::sync::Arc<str>>),
            parse_quote!(Cow<'static, str>),
        ] {
            assert!(is_string(&ty));
        }
        for ty in [
            parse_quote!(Vec<String>),
            parse_quote!(Text),
            parse_quote!([String; 2]),
        ] {
            assert!(!is_string(&ty));
        }
    }

    #[test]
    fn the_item_of_a_list_is_seen() {
        for ty in [
            parse_quote!(Vec<String>),
            parse_quote!([String; 3]),
            parse_quote!(Box<[String]>),
            parse_quote!(Option<String>),
            parse_quote!(HashMap<u8, String>),
        ] {
            assert!(item(&ty).is_some_and(is_string));
        }
        assert!(item(&parse_quote!(Tags)).is_none());
    }

    #[test]
    fn references_are_found_anywhere() {
        assert!(borrowed(&parse_quote!(Vec<(u8, &'a str)>)).is_some());
        assert!(borrowed(&parse_quote!(Cow<'static, str>)).is_none());
    }
}
