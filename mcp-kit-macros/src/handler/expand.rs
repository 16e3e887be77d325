//! Writes the type beside the function and the code that the server needs. The
//! names in `mcp_kit::__private` that all primitives share are written here.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Ident, ItemFn, Type};

use super::Noun;
use super::model::{Description, Handler, Rate};
use crate::krate;

/// The names that an attribute's own statements in `describe` use.
pub(crate) struct Spec<'a> {
    /// The variable.
    pub(crate) ident: &'a Ident,
    /// The path of `mcp_kit::__private`.
    pub(crate) krate: &'a TokenStream,
    /// The function's return type.
    pub(crate) output: &'a TokenStream,
}

/// `own` are the attribute's own statements in `describe`.
pub(crate) fn expand(
    noun: &Noun,
    handler: &Handler,
    function: &ItemFn,
    own: impl FnOnce(&Spec<'_>) -> TokenStream,
) -> TokenStream {
    let krate = krate(handler.krate.as_ref());
    let types = Types::of(handler);
    let writer = Writer {
        noun,
        handler,
        types: &types,
        krate: &krate,
    };
    let marker = writer.marker(&writer.implementation(own));
    quote! {
        #function
        #marker
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
    fn of(handler: &Handler) -> Self {
        let mut aliases = Vec::new();
        let mut alias = |ty: &Type| {
            // What has lifetimes is inferred where it is used.
            if has_lifetimes(ty.to_token_stream()) {
                return ty.to_token_stream();
            }
            // The compiler's advice is placed after the name.
            let name = format_ident!("__T{}", aliases.len(), span = handler.ident.span());
            aliases.push(quote!(type #name = #ty;));
            over(name, ty)
        };
        Self {
            parameters: handler.parameters.iter().map(&mut alias).collect(),
            output: match &handler.output {
                Some(ty) => alias(ty),
                None => quote!(()),
            },
            aliases,
        }
    }
}

/// Gives the alias the spans by which the compiler shows it in a message: all
/// of the user's tokens.
fn over(mut name: Ident, ty: &Type) -> TokenStream {
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

/// The parts of the expansion.
struct Writer<'a> {
    noun: &'a Noun,
    handler: &'a Handler,
    types: &'a Types,
    krate: &'a TokenStream,
}

impl Writer<'_> {
    /// A braced struct lives among the types only, so that the function keeps its
    /// name among the values. Its attribute adds the implementation: in an `impl`,
    /// where no type can be, the compiler then reports the type alone.
    fn marker(&self, implementation: &TokenStream) -> TokenStream {
        let krate = self.krate;
        let Handler {
            ident,
            visibility,
            cfgs,
            docs,
            ..
        } = self.handler;
        // `missing_docs` requires documentation of a public type.
        let described = docs
            .is_empty()
            .then(|| format!(" The {} `{ident}`.", self.noun.word))
            .map(|text| quote!(#[doc = #text]));
        // A path that the user wrote may be wrong, and would hide the
        // implementation.
        let (attribute, beside) = match &self.handler.krate {
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

    fn implementation(&self, own: impl FnOnce(&Spec<'_>) -> TokenStream) -> TokenStream {
        let krate = self.krate;
        let ident = &self.handler.ident;
        let function = format_ident!("{}", self.noun.function);
        let aliases = &self.types.aliases;
        let describe = self.describe(own);
        let call = self.call();
        let one_argument_struct = self.one_argument_struct();
        let can_wait = self.can_wait();
        let deprecated = self
            .handler
            .deprecated
            .then(|| quote!(#[allow(deprecated)]));
        quote! {
            #deprecated
            #[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
            const _: () = {
                #(#aliases)*
                #[automatically_derived]
                impl #krate::#function for #ident {
                    #describe
                    #call
                }
                #one_argument_struct
                #can_wait
            };
        }
    }

    fn describe(&self, own: impl FnOnce(&Spec<'_>) -> TokenStream) -> TokenStream {
        let krate = self.krate;
        let spec = Ident::new("__spec", Span::mixed_site());
        let spec_type = format_ident!("{}", self.noun.spec);
        let Handler {
            name,
            title,
            icon,
            timeout,
            concurrency,
            result_bytes,
            scope,
            allow,
            ..
        } = self.handler;
        let description = description(&self.handler.description);
        let title = title.iter();
        let icon = icon.iter();
        let timeout = timeout.iter();
        let rate = self.handler.rate.iter().map(|rate| match rate {
            Rate::Calls(constructor, calls) => {
                let constructor = format_ident!("{constructor}");
                quote!(#krate::Rate::#constructor(#calls))
            }
            Rate::Expr(value) => value.to_token_stream(),
        });
        let concurrency = concurrency.iter();
        let result_bytes = result_bytes.iter();
        let scope = scope.iter();
        let blocking = self.handler.blocking.then(|| quote!(#spec.blocking();));
        let own = own(&Spec {
            ident: &spec,
            krate,
            output: &self.types.output,
        });
        let parameters = self.types.parameters.iter().map(|ty| {
            // Qualified paths on the user's tokens: where a type does not fit, the
            // compiler finds the same mistake here and in `call`, and reports it once.
            quote_spanned! {spec.span()=>
                <#ty as #krate::Parameter<_>>::describe(#spec);
            }
        });
        quote_spanned! {spec.span()=>
            fn describe(#spec: &mut #krate::#spec_type) {
                #spec.name(#name);
                #(#spec.title(#title);)*
                #spec.description(#description);
                #(#spec.icon(#icon);)*
                #(#spec.timeout(#timeout);)*
                #(#spec.rate(#rate);)*
                #(#spec.concurrency(#concurrency);)*
                #(#spec.result_bytes(#result_bytes);)*
                #(#spec.scope(#scope);)*
                #blocking
                #(#spec.accept_warning(#krate::WarningCode::#allow);)*
                #(#parameters)*
                #own
            }
        }
    }

    fn call(&self) -> TokenStream {
        let krate = self.krate;
        let Handler {
            ident, blocking, ..
        } = self.handler;
        // A future that is not `Send` is shown at the function's name.
        let here = Span::mixed_site().located_at(ident.span());
        // Hygiene does not keep a user's constant or unit struct from being taken
        // for a pattern: users are unlikely to have these names.
        let call = Ident::new("__call", Span::mixed_site());
        let names: Vec<_> = (0..self.types.parameters.len())
            .map(|i| format_ident!("__p{i}", span = Span::mixed_site()))
            .collect();
        let parameters = names.iter().zip(&self.types.parameters).map(|(name, ty)| {
            // From the type's first token to its last, as in `describe`: the compiler
            // then finds one mistake where the future is made and where it is awaited.
            let tokens: Vec<_> = ty.clone().into_iter().collect();
            let span =
                |token: Option<&TokenTree>| token.map_or_else(Span::call_site, TokenTree::span);
            let path = quote_spanned! {span(tokens.first())=>
                <#ty as #krate::Parameter<_>>::
            };
            let rest = quote_spanned!(span(tokens.last())=> from_call(&mut #call).await?);
            quote!(let #name = #path #rest;)
        });
        let output = &self.types.output;
        let (into_result, convert) = self.noun.into_result;
        let (into_result, convert) = (format_ident!("{into_result}"), format_ident!("{convert}"));
        let wait = (!blocking).then(|| quote!(.await));
        let reply = quote! {
            #krate::reply(<#output as #krate::#into_result>::#convert(#ident(#(#names),*) #wait))
        };
        // Without parameters nothing reads the call, yet it lives as long as the
        // function runs: it holds permits.
        let is_changed = (!names.is_empty()).then(|| quote!(mut));
        let body = if *blocking {
            let extracted = quote!((#(#names,)*));
            quote!(#krate::run_blocking(#call, #extracted, |#extracted| #reply).await)
        } else {
            reply
        };
        let future = quote_spanned! {here=>
            ::std::boxed::Box::pin(async move {
                let #is_changed #call = #call;
                #(#parameters)*
                #body
            })
        };
        quote! {
            fn call(#call: #krate::Call) -> #krate::HandlerFuture {
                #future
            }
        }
    }

    /// Stops the build at a parameter with which a blocking function could only
    /// wait.
    fn can_wait(&self) -> TokenStream {
        if !self.handler.blocking {
            return TokenStream::new();
        }
        let krate = self.krate;
        let word = self.noun.word;
        let message = format!(
            "a blocking {word} cannot wait for its client's answers: write an `async fn`, and move \
             the work that blocks into `tokio::task::spawn_blocking`"
        );
        let parameters = self.handler.parameters.iter().zip(&self.types.parameters);
        let parameters = parameters.map(|(written, ty)| {
            let here = Span::mixed_site().located_at(written.span());
            let stop = quote_spanned!(here=> ::core::panic!(#message));
            quote! {
                const _: () = if <#ty as #krate::Parameter<_>>::WAITS {
                    #stop
                };
            }
        });
        quote!(#(#parameters)*)
    }

    /// Stops the build at the second argument struct. Only rustc knows which
    /// parameters are argument structs, so rustc counts them.
    fn one_argument_struct(&self) -> TokenStream {
        let krate = self.krate;
        let is_args = |ty: &TokenStream| quote!(<#ty as #krate::Parameter<_>>::IS_ARGS);
        let message = format!(
            "a {} takes one argument struct, and this is the second: put all arguments into one",
            self.noun.word
        );
        let parameters = self.handler.parameters.iter().enumerate();
        let later = parameters.skip(1).map(|(i, ty)| {
            let earlier = self.types.parameters[..i].iter().map(is_args);
            let this = is_args(&self.types.parameters[i]);
            let here = Span::mixed_site().located_at(ty.span());
            let stop = quote_spanned!(here=> ::core::panic!(#message));
            quote! {
                const _: () = if #this && (#(#earlier)||*) {
                    #stop
                };
            }
        });
        quote!(#(#later)*)
    }
}

fn description(description: &Description) -> TokenStream {
    match description {
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
