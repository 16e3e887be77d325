//! `#[resource]`: the URI or template, the media type, the size and the hints,
//! which no other attribute has.

mod annotations;
mod uri;

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{Expr, Ident, ItemFn};

use crate::errors::Errors;
use crate::handler::value::{self, Value};
use crate::handler::{Attribute, Noun, Spec, literal};

pub(crate) const NOUN: Noun = Noun {
    word: "resource",
    described: "people and models choose resources by it",
    returned: "`String` or `Vec<u8>`",
    result: "ResourceResult",
    into_result: ("IntoResourceResult", "into_resource_result"),
    function: "ResourceFn",
    spec: "ResourceSpec",
};

keys! {
    /// The keys that only `#[resource]` has.
    pub(crate) struct ResourceKeys {
        "uri" uri: Value = value::text, r#"uri = "docs://{page}""#,
            ["url", "path", "template", "uri_template", "href", "at"];
        "mime_type" mime_type: Value = value::text, r#"mime_type = "text/markdown""#,
            ["mime", "mimetype", "content_type", "media_type", "format"];
        "size" size: Expr = value::number, "size = 1_024", ["bytes", "length", "content_length"];
        "ttl" ttl: Value = value::duration, r#"ttl = "5m""#,
            ["ttl_ms", "max_age", "cache", "cache_for", "cache_ttl", "expires"];
        "cache_scope" cache_scope: Value = value::text, r#"cache_scope = "public""#,
            ["public", "private", "shared", "cacheable"];
        "audience" audience: Vec<Ident> = annotations::audience, "audience(user, assistant)",
            ["audiences", "for", "readers"];
        "priority" priority: Expr = annotations::priority, "priority = 0.8",
            ["importance", "weight"];
    }
    advice &[
        (
            &["annotations", "hints"],
            "write each hint by itself: `audience(user)`, `priority = 0.8`",
        ),
        (
            &["last_modified", "modified"],
            "what changes is not known at compile time: make the resource with \
             `mcp_kit::resource::from_fn`",
        ),
        (
            &["read_only", "destructive", "idempotent", "open_world"],
            "only tools have it: a resource is only read",
        ),
        (
            &["layer", "layers", "middleware", "middlewares"],
            "add it where the resource is registered: \
             `.resource_with::<name>(|resource| resource.layer(…))`",
        ),
    ]
}

/// The data of a resource in addition to the shared part. Each is an expression
/// for the value.
pub(crate) struct Resource {
    uri: Option<TokenStream>,
    mime_type: Option<TokenStream>,
    size: Option<Expr>,
    /// Variants of `Role`.
    audience: Vec<Ident>,
    priority: Option<Expr>,
    /// A `Duration`.
    ttl: Option<TokenStream>,
    /// An expression for a `CacheScope`.
    cache_scope: Option<CacheScope>,
}

/// Who may use a kept result.
enum CacheScope {
    /// A variant of `CacheScope`.
    Variant(Ident),
    Expr(Expr),
}

impl Attribute for Resource {
    const NOUN: Noun = NOUN;
    type Keys = ResourceKeys;

    fn check(keys: ResourceKeys, function: &ItemFn, errors: &mut Errors) -> Self {
        let size = keys.size;
        let uri = match keys.uri {
            None => {
                // A misspelt key has a message of its own.
                if errors.is_empty() {
                    errors.at(
                        function.sig.ident.span(),
                        "a resource has a URI, or a template of URIs: write \
                         `#[resource(uri = \"docs://index\")]` or \
                         `#[resource(uri = \"docs://{page}\")]`",
                    );
                }
                None
            }
            Some(Value::Expr(uri)) => Some(uri.to_token_stream()),
            Some(Value::Text(text)) => {
                match uri::check(&text.value()) {
                    Ok(uri::Form::Template) => {
                        if let Some(size) = &size {
                            errors.on(
                                size,
                                "a template has no `size`: its resources differ. Remove it",
                            );
                        }
                    }
                    Ok(uri::Form::Fixed) => {}
                    Err(message) => errors.at(text.span(), message),
                }
                Some(text.to_token_stream())
            }
        };
        let mime_type = match keys.mime_type {
            Some(Value::Text(text)) => {
                if !uri::is_mime_type(&text.value()) {
                    errors.at(
                        text.span(),
                        "expected a media type such as `text/markdown` or `image/png`",
                    );
                }
                Some(text.to_token_stream())
            }
            Some(Value::Expr(value)) => Some(value.to_token_stream()),
            None => None,
        };
        let ttl = keys.ttl.and_then(|value| ttl(value, errors));
        let cache_scope = keys
            .cache_scope
            .and_then(|value| cache_scope(value, errors));
        Self {
            uri,
            mime_type,
            size,
            audience: keys.audience.unwrap_or_default(),
            priority: keys.priority,
            ttl,
            cache_scope,
        }
    }

    fn describe(&self, spec: &Spec<'_>) -> TokenStream {
        let Spec { ident, krate, .. } = spec;
        let audience = &self.audience;
        let uri = self.uri.iter();
        let mime_type = self.mime_type.iter();
        let size = self.size.iter();
        let priority = self.priority.iter();
        let ttl = self.ttl.iter();
        let cache_scope = self.cache_scope.iter().map(|scope| match scope {
            CacheScope::Variant(variant) => quote!(#krate::CacheScope::#variant),
            CacheScope::Expr(value) => value.to_token_stream(),
        });
        quote_spanned! {ident.span()=>
            #(#ident.uri(#uri);)*
            #(#ident.mime_type(#mime_type);)*
            #(#ident.size(#size);)*
            #(#ident.audience(#krate::Role::#audience);)*
            #(#ident.priority(#priority);)*
            #(#ident.ttl(#ttl);)*
            #(#ident.cache_scope(#cache_scope);)*
        }
    }
}

fn ttl(value: Value, errors: &mut Errors) -> Option<TokenStream> {
    match value {
        Value::Expr(value) => Some(value.to_token_stream()),
        Value::Text(text) => match literal::ttl(&text.value()) {
            Ok(millis) => Some(quote!(::core::time::Duration::from_millis(#millis))),
            Err(message) => {
                errors.at(text.span(), message);
                None
            }
        },
    }
}

fn cache_scope(value: Value, errors: &mut Errors) -> Option<CacheScope> {
    let text = match value {
        Value::Expr(value) => return Some(CacheScope::Expr(value)),
        Value::Text(text) => text,
    };
    let variant = match text.value().as_str() {
        "public" => "Public",
        "private" => "Private",
        _ => {
            errors.at(
                text.span(),
                "`cache_scope` is `\"public\"`, if every caller reads the same, or `\"private\"`",
            );
            return None;
        }
    };
    Some(CacheScope::Variant(Ident::new(variant, text.span())))
}
