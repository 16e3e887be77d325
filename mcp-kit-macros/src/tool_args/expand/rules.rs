//! Writes rules. Limits remain the user's expressions, which rustc evaluates.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote};
use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp};

use super::Writer;
use crate::tool_args::model::RuleKind;

impl Writer<'_> {
    pub(super) fn rule(&self, rule: &RuleKind) -> TokenStream {
        let krate = self.krate;
        let rule = match rule {
            RuleKind::Plain(name) => format_ident!("{name}").to_token_stream(),
            RuleKind::Length { mode, min, max } => {
                let mode = format_ident!("{mode:?}");
                let (min, max) = (self.count(min.as_ref()), self.count(max.as_ref()));
                quote! {
                    Length { mode: #krate::LengthMode::#mode, min: #min, max: #max }
                }
            }
            RuleKind::Range { min, max } => {
                let (min, max) = (self.bound(min.as_ref()), self.bound(max.as_ref()));
                quote!(Range { min: #min, max: #max })
            }
            RuleKind::Compare(name, with) => {
                let name = format_ident!("{name}");
                // Any other literal is reported by garde.
                let with = match &**with {
                    Expr::Lit(ExprLit { lit, .. }) if !matches!(lit, Lit::Str(_)) => quote!(""),
                    with => with.to_token_stream(),
                };
                quote!(#name(#with))
            }
            RuleKind::Pattern(None) => quote!(Pattern(::core::option::Option::None)),
            RuleKind::Pattern(Some(text)) => {
                quote!(Pattern(::core::option::Option::Some(#text)))
            }
            RuleKind::Matches(field) => quote!(Matches(#field)),
            RuleKind::Custom(_) | RuleKind::Misspelt | RuleKind::Unknown(_) => quote!(Custom),
            RuleKind::Text(path) => quote!(Text(<#path as #krate::NamedRule>::RULE)),
            RuleKind::Inner(inner) => {
                let inner = inner.iter().map(|rule| self.rule(&rule.kind));
                quote!(Inner(&[#(#inner),*]))
            }
        };
        quote!(#krate::Rule::#rule)
    }

    /// Writes a limit of `length`. garde requires a `usize` and reports a
    /// constant of another type; it is accepted here.
    fn count(&self, value: Option<&Expr>) -> TokenStream {
        let krate = self.krate;
        let Some(value) = value.filter(|value| !is_no_number(value)) else {
            return quote!(::core::option::Option::None);
        };
        let count = match number(value) {
            Some(Number::Int(digits)) => digits,
            None if has_names(value.to_token_stream()) => {
                quote!(#krate::BoundOf(#value).count())
            }
            _ => value.to_token_stream(),
        };
        quote!(::core::option::Option::Some(#count))
    }

    /// Writes a limit of `range`. Plain numbers are read here: the field may be
    /// of any number type, and unsigned 64 bits must fit. All else has a type.
    fn bound(&self, value: Option<&Expr>) -> TokenStream {
        let krate = self.krate;
        let Some(value) = value.filter(|value| !is_no_number(value)) else {
            return quote!(::core::option::Option::None);
        };
        let bound = match number(value) {
            Some(Number::Int(digits)) => quote!(#krate::Bound::Int(#digits)),
            Some(Number::Float(digits)) => quote!(#krate::Bound::Float(#digits)),
            None if has_names(value.to_token_stream()) => {
                quote!(#krate::BoundOf(#value).bound())
            }
            // Arithmetic on plain numbers: `60 * 60`.
            None if has_point(value.to_token_stream()) => {
                quote!(#krate::Bound::Float(#value))
            }
            None => quote!(#krate::Bound::Int(#value)),
        };
        quote!(::core::option::Option::Some(#bound))
    }
}

/// Whether garde reports the value as a limit of the wrong type.
fn is_no_number(value: &Expr) -> bool {
    match value {
        Expr::Lit(ExprLit { lit, .. }) => !matches!(lit, Lit::Int(_) | Lit::Float(_)),
        value => matches!(value, Expr::Range(_) | Expr::Array(_) | Expr::Tuple(_)),
    }
}

enum Number {
    Int(TokenStream),
    Float(TokenStream),
}

/// Returns a literal with its sign, without its type's suffix.
fn number(value: &Expr) -> Option<Number> {
    match value {
        Expr::Group(group) => number(&group.expr),
        Expr::Paren(paren) => number(&paren.expr),
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(minus),
            expr,
            ..
        }) => match number(expr)? {
            Number::Int(digits) => Some(Number::Int(quote!(#minus #digits))),
            Number::Float(digits) => Some(Number::Float(quote!(#minus #digits))),
        },
        Expr::Lit(ExprLit {
            lit: Lit::Int(literal),
            ..
        }) => {
            let float = matches!(literal.suffix(), "f32" | "f64");
            if float {
                let value: f64 = literal.base10_parse().ok()?;
                return Some(Number::Float(quote!(#value)));
            }
            let Ok(value) = literal.base10_parse::<i128>() else {
                // The upper half of `u128`, near enough.
                #[allow(clippy::cast_precision_loss)]
                let value = literal.base10_parse::<u128>().ok()? as f64;
                return Some(Number::Float(quote!(#value)));
            };
            let mut digits = proc_macro2::Literal::i128_unsuffixed(value);
            digits.set_span(literal.span());
            Some(Number::Int(digits.to_token_stream()))
        }
        Expr::Lit(ExprLit {
            lit: Lit::Float(literal),
            ..
        }) => {
            let value: f64 = literal.base10_parse().ok()?;
            Some(Number::Float(quote!(#value)))
        }
        _ => None,
    }
}

fn has_names(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Group(group) => has_names(group.stream()),
        _ => false,
    })
}

fn has_point(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Literal(literal) => literal.to_string().contains('.'),
        TokenTree::Group(group) => has_point(group.stream()),
        _ => false,
    })
}
