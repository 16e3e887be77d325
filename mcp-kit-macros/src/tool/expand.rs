//! Writes the type beside the function and what the server asks of it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{ItemFn, Type};

use super::model::{Description, Tool};
use crate::krate;

pub(crate) fn expand(tool: &Tool, function: &ItemFn) -> TokenStream {
    let marker = marker(tool);
    let implementation = implementation(tool);
    quote! {
        #function
        #marker
        #implementation
    }
}

/// A braced struct lives among the types only, so that the function keeps its
/// name among the values.
fn marker(tool: &Tool) -> TokenStream {
    let Tool {
        ident,
        visibility,
        cfgs,
        docs,
        ..
    } = tool;
    // A public type wants documentation, whoever the description is written for.
    let described = docs
        .is_empty()
        .then(|| description(tool))
        .map(|text| quote!(#[doc = #text]));
    quote! {
        #(#cfgs)*
        #(#docs)*
        #described
        #[allow(non_camel_case_types)]
        #visibility struct #ident {}
    }
}

fn implementation(tool: &Tool) -> TokenStream {
    let Tool { ident, cfgs, .. } = tool;
    let krate = krate(tool.krate.as_ref());
    let describe = describe(tool, &krate);
    let call = call(tool, &krate);
    let one_argument_struct = one_argument_struct(tool, &krate);
    let deprecated = tool.deprecated.then(|| quote!(#[allow(deprecated)]));
    quote! {
        #(#cfgs)*
        #deprecated
        const _: () = {
            #[automatically_derived]
            impl #krate::ToolFn for #ident {
                #describe
                #call
            }
            #one_argument_struct
        };
    }
}

fn describe(tool: &Tool, krate: &TokenStream) -> TokenStream {
    let spec = syn::Ident::new("__spec", Span::mixed_site());
    let name = &tool.name;
    let title = tool.title.iter();
    let description = description(tool);
    let hints = &tool.hints;
    let read_only = hints.read_only.iter();
    let destructive = hints.destructive.iter();
    let idempotent = hints.idempotent.iter();
    let open_world = hints.open_world.iter();
    let timeout = tool.timeout_millis.iter();
    let scope = tool.scope.iter();
    let blocking = tool.blocking.then(|| quote!(#spec.blocking();));
    let parameters = tool.parameters.iter().map(|ty| {
        // Qualified paths on the user's tokens: where a type does not fit, the
        // compiler finds the same mistake here and in `call`, and tells it once.
        quote_spanned! {spec.span()=>
            <#ty as #krate::FromToolCall<_>>::describe(#spec);
        }
    });
    let output = output(tool);
    quote_spanned! {spec.span()=>
        fn describe(#spec: &mut #krate::ToolSpec) {
            #spec.name(#name);
            #(#spec.title(#title);)*
            #spec.description(#description);
            #(#spec.read_only(#read_only);)*
            #(#spec.destructive(#destructive);)*
            #(#spec.idempotent(#idempotent);)*
            #(#spec.open_world(#open_world);)*
            #(#spec.timeout(::core::time::Duration::from_millis(#timeout));)*
            #(#spec.scope(#scope);)*
            #blocking
            #(#parameters)*
            #spec.output(<#output as #krate::IntoToolResult>::output_schema);
        }
    }
}

fn call(tool: &Tool, krate: &TokenStream) -> TokenStream {
    let ident = &tool.ident;
    // A future that is not `Send` is shown at the function's name.
    let here = Span::mixed_site().located_at(ident.span());
    // Hygiene does not keep a user's constant or unit struct from being taken
    // for a pattern: the names are such as nobody has.
    let call = syn::Ident::new("__call", Span::mixed_site());
    let names: Vec<_> = (0..tool.parameters.len())
        .map(|i| format_ident!("__p{i}", span = Span::mixed_site()))
        .collect();
    let parameters = names.iter().zip(&tool.parameters).map(|(name, ty)| {
        quote! {
            let #name = <#ty as #krate::FromToolCall<_>>::from_tool_call(#call)?;
        }
    });
    let output = output(tool);
    let wait = (!tool.blocking).then(|| quote!(.await));
    let body = quote! {
        #(#parameters)*
        <#output as #krate::IntoToolResult>::into_tool_result(#ident(#(#names),*) #wait)
    };
    // Without parameters the call is not looked at, yet it lives as long as the
    // function runs: permits hang on it.
    let future = match (tool.blocking, names.is_empty()) {
        (true, _) => quote!(#krate::run_blocking(#call, |#call| { #body })),
        (false, false) => quote_spanned! {here=>
            ::std::boxed::Box::pin(async move {
                let mut #call = #call;
                let #call = &mut #call;
                #body
            })
        },
        (false, true) => quote_spanned! {here=>
            ::std::boxed::Box::pin(async move {
                let #call = #call;
                #body
            })
        },
    };
    quote! {
        fn call(#call: #krate::ToolCall) -> #krate::ToolFuture {
            #future
        }
    }
}

/// Stops the build at the second argument struct. Which parameters are one is
/// known to rustc alone, so rustc counts them.
fn one_argument_struct(tool: &Tool, krate: &TokenStream) -> TokenStream {
    let is_args = |ty: &Type| quote!(<#ty as #krate::FromToolCall<_>>::IS_ARGS);
    let later = tool.parameters.iter().enumerate().skip(1).map(|(i, ty)| {
        let earlier = tool.parameters[..i].iter().map(is_args);
        let this = is_args(ty);
        let here = Span::mixed_site().located_at(ty.span());
        let stop = quote_spanned! {here=>
            ::core::panic!("a tool takes one argument struct, and this is the second: put all arguments into one")
        };
        quote! {
            const _: () = if #this && (#(#earlier)||*) {
                #stop
            };
        }
    });
    quote!(#(#later)*)
}

fn description(tool: &Tool) -> TokenStream {
    match &tool.description {
        Description::Text(text) => text.to_token_stream(),
        Description::Pieces(pieces) => {
            let pieces = pieces.iter().enumerate().map(|(i, piece)| match i {
                0 => piece.to_token_stream(),
                _ => quote!("\n", #piece),
            });
            quote!(::core::concat!(#(#pieces),*))
        }
    }
}

fn output(tool: &Tool) -> TokenStream {
    match &tool.output {
        Some(ty) => ty.to_token_stream(),
        None => quote!(()),
    }
}
