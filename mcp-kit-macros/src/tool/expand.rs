//! Writes the type beside the function and what the server asks of it.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{ItemFn, Type};

use super::model::{Description, Rate, Tool};
use crate::krate;

pub(crate) fn expand(tool: &Tool, function: &ItemFn) -> TokenStream {
    let krate = krate(tool.krate.as_ref());
    let implementation = implementation(tool, &krate);
    let marker = marker(tool, &krate, &implementation);
    quote! {
        #function
        #marker
    }
}

/// A braced struct lives among the types only, so that the function keeps its
/// name among the values. Its attribute adds the implementation: in an `impl`,
/// where no type can be, the compiler then reports the type alone.
fn marker(tool: &Tool, krate: &TokenStream, implementation: &TokenStream) -> TokenStream {
    let Tool {
        ident,
        visibility,
        cfgs,
        docs,
        ..
    } = tool;
    // `missing_docs` asks for documentation of a public type.
    let described = docs
        .is_empty()
        .then(|| format!(" The tool `{ident}`."))
        .map(|text| quote!(#[doc = #text]));
    // A path that the user gave may be wrong, and would hide the implementation.
    let (attribute, beside) = match &tool.krate {
        None => (
            Some(quote!(#[#krate::tool_function(#implementation)])),
            None,
        ),
        Some(_) => (None, Some(quote!(#(#cfgs)* #implementation))),
    };
    quote! {
        #(#cfgs)*
        #(#docs)*
        #described
        #[allow(non_camel_case_types, clippy::exhaustive_structs)]
        #attribute
        #visibility struct #ident {}
        #beside
    }
}

fn implementation(tool: &Tool, krate: &TokenStream) -> TokenStream {
    let ident = &tool.ident;
    let types = Types::of(tool);
    let aliases = &types.aliases;
    let describe = describe(tool, &types, krate);
    let call = call(tool, &types, krate);
    let one_argument_struct = one_argument_struct(tool, &types, krate);
    let deprecated = tool.deprecated.then(|| quote!(#[allow(deprecated)]));
    quote! {
        #deprecated
        #[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
        const _: () = {
            #(#aliases)*
            #[automatically_derived]
            impl #krate::ToolFn for #ident {
                #describe
                #call
            }
            #one_argument_struct
        };
    }
}

/// The function's types, each written once: the compiler reports a name that is
/// missing in one as it does in the function itself, which is a single message.
struct Types {
    aliases: Vec<TokenStream>,
    parameters: Vec<TokenStream>,
    output: TokenStream,
}

impl Types {
    fn of(tool: &Tool) -> Self {
        let mut aliases = Vec::new();
        let mut alias = |ty: &Type| {
            // What has lifetimes is inferred where it is used.
            if has_lifetimes(ty.to_token_stream()) {
                return ty.to_token_stream();
            }
            // The compiler's advice is placed behind the name.
            let name = format_ident!("__T{}", aliases.len(), span = tool.ident.span());
            aliases.push(quote!(type #name = #ty;));
            over(name, ty)
        };
        Self {
            parameters: tool.parameters.iter().map(&mut alias).collect(),
            output: match &tool.output {
                Some(ty) => alias(ty),
                None => quote!(()),
            },
            aliases,
        }
    }
}

/// The alias as the compiler shows it in a message: all of the user's tokens.
fn over(mut name: syn::Ident, ty: &Type) -> TokenStream {
    let tokens: Vec<_> = ty.to_token_stream().into_iter().collect();
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
        return name.to_token_stream();
    };
    name.set_span(first.span());
    match tokens.len() {
        1 => name.to_token_stream(),
        _ => {
            let end = quote_spanned!(last.span()=> <>);
            quote!(#name #end)
        }
    }
}

fn has_lifetimes(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => has_lifetimes(group.stream()),
        TokenTree::Punct(punct) => matches!(punct.as_char(), '\'' | '&'),
        _ => false,
    })
}

fn describe(tool: &Tool, types: &Types, krate: &TokenStream) -> TokenStream {
    let spec = syn::Ident::new("__spec", Span::mixed_site());
    let name = &tool.name;
    let title = tool.title.iter();
    let description = description(tool);
    let hints = &tool.hints;
    let read_only = hints.read_only.iter();
    let destructive = hints.destructive.iter();
    let idempotent = hints.idempotent.iter();
    let open_world = hints.open_world.iter();
    let timeout = tool.timeout.iter();
    let rate = tool.rate.iter().map(|rate| match rate {
        Rate::Calls(constructor, calls) => {
            let constructor = format_ident!("{constructor}");
            quote!(#krate::Rate::#constructor(#calls))
        }
        Rate::Expr(value) => value.to_token_stream(),
    });
    let concurrency = tool.concurrency.iter();
    let result_bytes = tool.result_bytes.iter();
    let scope = tool.scope.iter();
    let blocking = tool.blocking.then(|| quote!(#spec.blocking();));
    let allow = tool.allow.iter();
    let parameters = types.parameters.iter().map(|ty| {
        // Qualified paths on the user's tokens: where a type does not fit, the
        // compiler finds the same mistake here and in `call`, and tells it once.
        quote_spanned! {spec.span()=>
            <#ty as #krate::FromToolCall<_>>::describe(#spec);
        }
    });
    let output = &types.output;
    quote_spanned! {spec.span()=>
        fn describe(#spec: &mut #krate::ToolSpec) {
            #spec.name(#name);
            #(#spec.title(#title);)*
            #spec.description(#description);
            #(#spec.read_only(#read_only);)*
            #(#spec.destructive(#destructive);)*
            #(#spec.idempotent(#idempotent);)*
            #(#spec.open_world(#open_world);)*
            #(#spec.timeout(#timeout);)*
            #(#spec.rate(#rate);)*
            #(#spec.concurrency(#concurrency);)*
            #(#spec.result_bytes(#result_bytes);)*
            #(#spec.scope(#scope);)*
            #blocking
            #(#spec.accept_warning(#krate::WarningCode::#allow);)*
            #(#parameters)*
            #spec.output(<#output as #krate::IntoToolResult>::output_schema);
        }
    }
}

fn call(tool: &Tool, types: &Types, krate: &TokenStream) -> TokenStream {
    let ident = &tool.ident;
    // A future that is not `Send` is shown at the function's name.
    let here = Span::mixed_site().located_at(ident.span());
    // Hygiene does not keep a user's constant or unit struct from being taken
    // for a pattern: the names are such as nobody has.
    let call = syn::Ident::new("__call", Span::mixed_site());
    let names: Vec<_> = (0..types.parameters.len())
        .map(|i| format_ident!("__p{i}", span = Span::mixed_site()))
        .collect();
    let parameters = names.iter().zip(&types.parameters).map(|(name, ty)| {
        quote! {
            let #name = <#ty as #krate::FromToolCall<_>>::from_tool_call(#call)?;
        }
    });
    let output = &types.output;
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
fn one_argument_struct(tool: &Tool, types: &Types, krate: &TokenStream) -> TokenStream {
    let is_args = |ty: &TokenStream| quote!(<#ty as #krate::FromToolCall<_>>::IS_ARGS);
    let later = tool.parameters.iter().enumerate().skip(1).map(|(i, ty)| {
        let earlier = types.parameters[..i].iter().map(is_args);
        let this = is_args(&types.parameters[i]);
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
        Description::Expr(value) => value.to_token_stream(),
        Description::Pieces(pieces) => {
            let pieces = pieces.iter().enumerate().map(|(i, piece)| match i {
                0 => piece.to_token_stream(),
                _ => quote!("\n", #piece),
            });
            quote!(::core::concat!(#(#pieces),*))
        }
    }
}
