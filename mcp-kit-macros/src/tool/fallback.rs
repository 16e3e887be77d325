//! What stands in the place of a tool with mistakes: the item as the user wrote
//! it and, where possible, a type that `.tool::<name>()` takes. So each mistake
//! is told once and nothing else seems to be missing.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::{AttrStyle, Attribute, ItemFn, Path, ReturnType, parse_quote};

use super::check::{is_method, is_tool};
use crate::errors::{Errors, Hidden};

/// For an item that is no function.
pub(crate) fn without_function(item: TokenStream, errors: Errors) -> TokenStream {
    let errors = errors.into_compile_errors();
    quote! {
        #item
        #errors
    }
}

/// For a function that is no tool.
pub(crate) fn with_function(
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
    function.attrs.retain(|attribute| !is_tool(attribute));
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
    let implementation = |ident: TokenStream| {
        quote! {
            const _: () = {
                impl #krate::ToolFn for #ident {
                    fn describe(_: &mut #krate::ToolSpec) {}
                    fn call(_: #krate::ToolCall) -> #krate::ToolFuture {
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
        let module = format_ident!("__tool_{}", ident.unraw());
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
