//! What stands in the place of a tool with mistakes: the item as the user wrote
//! it and, where possible, a type that `.tool::<name>()` takes. So each mistake
//! is told once and nothing else seems to be missing.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{ItemFn, Path};

use super::check::{is_method, is_tool};
use crate::errors::Errors;

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
    let errors = errors.into_compile_errors();
    let mut function = function.clone();
    function.attrs.retain(|attribute| !is_tool(attribute));
    if is_method(&function) {
        return quote! {
            #function
            #errors
        };
    }
    let krate = crate::krate(krate);
    let (ident, visibility) = (&function.sig.ident, &function.vis);
    let cfgs: Vec<_> = function
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .collect();
    quote! {
        #[allow(dead_code)]
        #function
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #visibility struct #ident {}
        #(#cfgs)*
        const _: () = {
            impl #krate::ToolFn for #ident {
                fn describe(_: &mut #krate::ToolSpec) {}
                fn call(_: #krate::ToolCall) -> #krate::ToolFuture {
                    ::core::unreachable!()
                }
            }
        };
        #errors
    }
}
