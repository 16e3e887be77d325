//! Replaces the expansion for a type with mistakes: an empty implementation, so
//! that the tools that use the type have no errors because of it.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::{DeriveInput, Path, parse_quote};

use crate::errors::Errors;
use crate::krate;

/// For an item with broken tokens: its name may still be found.
pub(crate) fn unread(item: TokenStream, error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    let mut tokens = item.into_iter();
    let is_item = |token: &TokenTree| match token {
        TokenTree::Ident(word) => word == "struct" || word == "enum",
        _ => false,
    };
    let (Some(_), Some(TokenTree::Ident(ident)), Some(TokenTree::Group(_))) =
        (tokens.find(is_item), tokens.next(), tokens.next())
    else {
        return error;
    };
    let stub: DeriveInput = parse_quote!(struct #ident;);
    let stub = fallback(&stub, None, Errors::default());
    quote!(#stub #error)
}

pub(crate) fn fallback(input: &DeriveInput, krate: Option<&Path>, errors: Errors) -> TokenStream {
    let krate = self::krate(krate);
    let errors = errors.into_compile_errors();
    let ident = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let mut for_args = input.generics.clone();
    let bounds = for_args.make_where_clause();
    bounds.predicates.push(parse_quote!(Self: 'static));
    quote! {
        const _: () = {
            impl #impl_generics #krate::Shaped for #ident #ty_generics #where_clause {
                fn shape() -> &'static #krate::Shape {
                    &#krate::Shape::Leaf
                }
            }
            impl #impl_generics #krate::ToolArgs for #ident #ty_generics #bounds {
                fn __spec() -> #krate::ArgsSpec {
                    ::core::unreachable!()
                }
            }
        };
        #errors
    }
}
