//! Replaces a function that has mistakes: with the item as the user wrote it
//! and, if possible, a type that `.tool::<name>()` accepts. So each mistake is
//! reported once and nothing else seems to be missing.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::{AttrStyle, Attribute, ItemFn, Path, ReturnType, parse_quote};

use super::Noun;
use super::signature::is_method;
use crate::errors::{Errors, Hidden};

/// For an item that is not a function.
pub(crate) fn without_function(item: TokenStream, errors: Errors) -> TokenStream {
    let errors = errors.into_compile_errors();
    quote! {
        #item
        #errors
    }
}

/// For a function with mistakes.
pub(crate) fn with_function(
    noun: &Noun,
    function: &ItemFn,
    krate: Option<&Path>,
    errors: Errors,
) -> TokenStream {
    let is_method = is_method(function);
    let mut function = function.clone();
    let hidden = errors.hidden;
    if hidden >= Hidden::Body {
        function.block = parse_quote!({ ::core::unreachable!() });
    }
    if hidden >= Hidden::Signature {
        function.sig.inputs.clear();
        function.sig.output = ReturnType::Default;
    }
    let errors = errors.into_compile_errors();
    function.attrs.retain(|attribute| !noun.is(attribute));
    if is_method {
        return quote! {
            #function
            #errors
        };
    }
    let krate = crate::krate(krate);
    let (ident, visibility) = (&function.sig.ident, &function.vis);
    let cfgs = function.attrs.iter().filter(|a| a.path().is_ident("cfg"));
    let cfgs: Vec<_> = cfgs
        .map(|attribute| Attribute {
            style: AttrStyle::Outer,
            ..attribute.clone()
        })
        .collect();
    let trait_of_functions = format_ident!("{}", noun.function);
    let spec = format_ident!("{}", noun.spec);
    let implementation = |ident: TokenStream| {
        quote! {
            const _: () = {
                impl #krate::#trait_of_functions for #ident {
                    fn describe(_: &mut #krate::#spec) {}
                    fn call(_: #krate::Call) -> #krate::HandlerFuture {
                        ::core::unreachable!()
                    }
                }
            };
        }
    };
    let marker = if hidden == Hidden::Nothing {
        let implementation = implementation(quote!(#ident));
        quote! {
            #(#cfgs)*
            #[doc(hidden)]
            #[allow(non_camel_case_types)]
            #[#krate::tool_function(#implementation)]
            #visibility struct #ident {}
        }
    } else {
        // The mistake may be that a module or an import has the name: what a
        // glob brings gives way to it.
        let module = format_ident!("__{}_{}", noun.word, ident.unraw());
        let implementation = implementation(quote!(#module::#ident));
        quote! {
            #(#cfgs)*
            #[doc(hidden)]
            #[allow(non_camel_case_types)]
            mod #module {
                pub struct #ident {}
            }
            #(#cfgs)*
            #[allow(unused_imports)]
            #visibility use #module::*;
            #(#cfgs)*
            #implementation
        }
    };
    quote! {
        #[allow(dead_code)]
        #function
        #marker
        #errors
    }
}
