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

/// A type that is visibly not possible in a form.
pub(crate) enum NotFlat {
    /// A map, a tuple, an array or any JSON.
    Nested,
    /// A list of something other than choices.
    List,
}

/// Returns why a field of a form visibly cannot have this type, also behind
/// `Option` and pointers.
pub(crate) fn not_flat(ty: &Type) -> Option<NotFlat> {
    const MAPS: &[&str] = &["HashMap", "BTreeMap", "IndexMap", "Map", "Value"];
    const LISTS: &[&str] = &["Vec", "VecDeque", "HashSet", "BTreeSet", "LinkedList"];
    if let Type::Array(_) | Type::Slice(_) | Type::Tuple(_) = plain(ty) {
        return Some(NotFlat::Nested);
    }
    let (name, arguments) = named(ty)?;
    let is = |names: &[&str]| names.iter().any(|known| name == known);
    match arguments.first() {
        _ if is(MAPS) => Some(NotFlat::Nested),
        Some(inner) if is(&["Option", "Box", "Arc", "Cow"]) => not_flat(inner),
        Some(item) if is(LISTS) && (is_never_flat(item) || not_flat(item).is_some()) => {
            Some(NotFlat::List)
        }
        _ => None,
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
    fn what_a_form_cannot_have_is_seen() {
        for ty in [
            parse_quote!(HashMap<String, u8>),
            parse_quote!(Option<(u8, u8)>),
            parse_quote!([u8; 3]),
            parse_quote!(serde_json::Value),
        ] {
            assert!(matches!(not_flat(&ty), Some(NotFlat::Nested)));
        }
        for ty in [
            parse_quote!(Vec<String>),
            parse_quote!(Option<Vec<u8>>),
            parse_quote!(Vec<Vec<Color>>),
            parse_quote!(HashSet<bool>),
        ] {
            assert!(matches!(not_flat(&ty), Some(NotFlat::List)));
        }
        for ty in [
            parse_quote!(Vec<Color>),
            parse_quote!(Option<String>),
            parse_quote!(Text),
        ] {
            assert!(not_flat(&ty).is_none());
        }
    }

    #[test]
    fn references_are_found_anywhere() {
        assert!(borrowed(&parse_quote!(Vec<(u8, &'a str)>)).is_some());
        assert!(borrowed(&parse_quote!(Cow<'static, str>)).is_none());
    }
}
