//! Writes a type's shape as one constant and implements the traits.

mod rules;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Generics, Ident, parse_quote};

use super::model::{Data, Field, Model, Repr, Variant, VariantKind};
use super::parse::garde::Unknown;
use super::{check, types};
use crate::krate;

pub(crate) fn expand(model: &Model) -> TokenStream {
    expand_for(model, &Ident::new("Shaped", Span::call_site()))
}

/// Writes the implementations of `ToolArgs`; each field's type must implement
/// `field_trait`, which has the functions of `Shaped`.
pub(crate) fn expand_for(model: &Model, field_trait: &Ident) -> TokenStream {
    let krate = krate(model.krate.as_ref());
    let shape = Writer {
        krate: &krate,
        name: model.ident.to_string(),
        field_trait,
    }
    .data(&model.data);
    let ident = &model.ident;
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let for_shape = shaped_generics(model, &krate);
    let shape_where = &for_shape.where_clause;
    let for_args = match model.underived {
        true => {
            let mut generics = for_shape.clone();
            let bounds = generics.make_where_clause();
            bounds.predicates.push(parse_quote!(Self: 'static));
            generics
        }
        false => args_generics(&for_shape, &krate),
    };
    let args_where = &for_args.where_clause;
    let spec = spec(model, &krate);
    let unvalidated = model
        .underived
        .then(|| unvalidated(ident, &model.generics, &krate));
    let unknown = model.unknown.iter();
    let unknown = unknown.map(|(span, rule)| stop_at(rule, *span, ident, &krate));
    let choice = model.data.is_choice().then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #krate::FormField for #ident #ty_generics #shape_where {}
            #[automatically_derived]
            impl #impl_generics #krate::FormChoice for #ident #ty_generics #shape_where {}
        }
    });
    quote! {
        const _: () = {
            #[automatically_derived]
            impl #impl_generics #krate::Shaped for #ident #ty_generics #shape_where {
                fn shape() -> &'static #krate::Shape {
                    const { &#shape }
                }
            }
            #[automatically_derived]
            impl #impl_generics #krate::ToolArgs for #ident #ty_generics #args_where {
                fn __spec() -> #krate::ArgsSpec {
                    #spec
                }
            }
            #choice
            #unvalidated
            #(#unknown)*
        };
    }
}

/// Stops the build at a rule that mcp-kit does not know, if garde's derive has
/// accepted it. If not, garde's message is the one error.
fn stop_at(rule: &Unknown, span: Span, ident: &Ident, krate: &TokenStream) -> TokenStream {
    let message = check::unknown_rule(&rule.text);
    quote_spanned! {Span::mixed_site().located_at(span)=>
        const _: () = {
            use #krate::NotDerived as _;
            if <#krate::Derived<#ident>>::VALIDATED {
                ::core::panic!(#message)
            }
        };
    }
}

/// Replaces garde's derive if it fails: a type that holds this one would
/// otherwise also have an error. Without garde's derive it is the one error.
fn unvalidated(ident: &Ident, generics: &Generics, krate: &TokenStream) -> TokenStream {
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote_spanned! {Span::mixed_site()=>
        impl #impl_generics #krate::garde::Validate for #ident #ty_generics #where_clause {
            type Context = ();
            fn validate_into(
                &self,
                _: &Self::Context,
                parent: &mut dyn ::core::ops::FnMut() -> #krate::garde::Path,
                report: &mut #krate::garde::Report,
            ) {
                report.append(parent(), #krate::garde::Error::new("`Validate` is not derived"));
            }
        }
        #[deny(unused_must_use)]
        const _: fn() = || {
            <#krate::Derived<()> as #krate::NotDerived>::unvalidated();
        };
    }
}

/// Uses the results of the other derives if they exist. If not, either they
/// have reported why, or the compiler finds an unused result.
fn spec(model: &Model, krate: &TokenStream) -> TokenStream {
    let ident = &model.ident;
    let (_, ty_generics, _) = model.generics.split_for_impl();
    // A type of names has nothing for garde to check.
    let (of, validate) = match model.data.is_names() {
        true => (quote!(of_names), None),
        false => (quote!(of), Some(quote!(.validate()))),
    };
    // The compiler checks a generic type where it is used.
    match (model.generics.params.is_empty(), model.underived) {
        (false, false) => return quote!(#krate::ArgsSpec::#of::<#ident #ty_generics>()),
        (false, true) => {
            return quote!(<#krate::Derived<#ident #ty_generics> as #krate::NotDerived>::of());
        }
        (true, _) => {}
    }
    quote_spanned! {Span::mixed_site()=>
        use #krate::{MissingDerive as _, NotDerived as _};
        #[deny(unused_must_use)]
        let _: () = {
            <#krate::Derived<#ident>>::deserialize().json_schema()#validate;
            <#krate::Derived<#ident>>::send();
        };
        <#krate::Derived<#ident>>::#of()
    }
}

/// The type's generics, and `Shaped` for each parameter whose values are seen.
fn shaped_generics(model: &Model, krate: &TokenStream) -> Generics {
    let mut generics = model.generics.clone();
    let fields = model.data.fields();
    let seen: Vec<Ident> = generics
        .type_params()
        .map(|parameter| parameter.ident.clone())
        .filter(|parameter| {
            let shown = |field: &&Field| !field.opaque && !field.skipped;
            fields
                .iter()
                .filter(|f| shown(f))
                .any(|f| types::mentions(&f.ty, &[parameter]))
        })
        .collect();
    for parameter in seen {
        let bounds = generics.make_where_clause();
        bounds
            .predicates
            .push(parse_quote!(#parameter: #krate::Shaped));
    }
    generics
}

/// A generic type is an argument whenever its parameters make it one.
fn args_generics(shaped: &Generics, krate: &TokenStream) -> Generics {
    let mut generics = shaped.clone();
    if !generics.params.is_empty() {
        let bounds = generics.make_where_clause();
        bounds.predicates.push(parse_quote! {
            Self: #krate::DerivesDeserialize
                + #krate::DerivesJsonSchema
                + #krate::DerivesValidate
                + ::core::marker::Send
                + 'static
        });
    }
    generics
}

/// Writes the constant's expressions.
struct Writer<'a> {
    krate: &'a TokenStream,
    /// The type's name.
    name: String,
    /// The trait that the types of fields implement.
    field_trait: &'a Ident,
}

impl Writer<'_> {
    fn data(&self, data: &Data) -> TokenStream {
        let (krate, name) = (self.krate, &self.name);
        match data {
            Data::Opaque => quote!(#krate::Shape::Leaf),
            Data::Newtype(field) => {
                let field = self.field(field);
                quote!(#krate::Shape::Newtype(&#field))
            }
            Data::Tuple(fields) => {
                let fields = self.fields(fields);
                quote!(#krate::Shape::Tuple(#fields))
            }
            Data::Struct {
                fields,
                allow_unknown,
                words,
            } => {
                let fields = self.fields(fields);
                quote! {
                    #krate::Shape::Struct(&#krate::StructShape {
                        name: #name,
                        fields: #fields,
                        allow_unknown: #allow_unknown,
                        words: &[#(#words),*],
                    })
                }
            }
            Data::Enum { repr, variants } => {
                let repr = self.repr(repr);
                let variants = variants.iter().map(|variant| self.variant(variant));
                quote! {
                    #krate::Shape::Enum(&#krate::EnumShape {
                        name: #name,
                        repr: #repr,
                        variants: &[#(#variants),*],
                    })
                }
            }
        }
    }

    fn repr(&self, repr: &Repr) -> TokenStream {
        let krate = self.krate;
        match repr {
            Repr::External => quote!(#krate::Repr::External),
            Repr::Internal { tag } => quote!(#krate::Repr::Internal { tag: #tag }),
            Repr::Adjacent { tag, content } => {
                quote!(#krate::Repr::Adjacent { tag: #tag, content: #content })
            }
            Repr::Untagged => quote!(#krate::Repr::Untagged),
        }
    }

    fn variant(&self, variant: &Variant) -> TokenStream {
        let krate = self.krate;
        let Variant {
            rust,
            wire,
            aliases,
            kind,
        } = variant;
        let kind = match kind {
            VariantKind::Unit => quote!(Unit),
            VariantKind::Newtype(field) => {
                let field = self.field(field);
                quote!(Newtype(#field))
            }
            VariantKind::Tuple(fields) => {
                let fields = self.fields(fields);
                quote!(Tuple(#fields))
            }
            VariantKind::Struct(fields) => {
                let fields = self.fields(fields);
                quote!(Struct(#fields))
            }
        };
        quote! {
            #krate::VariantShape {
                rust: #rust,
                wire: #wire,
                aliases: &[#(#aliases),*],
                kind: #krate::VariantKind::#kind,
            }
        }
    }

    fn fields(&self, fields: &[Field]) -> TokenStream {
        let fields = fields.iter().map(|field| self.field(field));
        quote!(&[#(#fields),*])
    }

    fn field(&self, field: &Field) -> TokenStream {
        let krate = self.krate;
        let Field {
            rust,
            wire,
            aliases,
            flatten,
            skipped,
            default,
            opaque,
            rules,
            words,
            ty,
        } = field;
        let rules = rules.iter().map(|rule| self.rule(&rule.kind));
        // A field that is not visible requires no trait; `()` is a leaf.
        let shape = match (*opaque || *skipped, self.field_trait) {
            (true, _) => quote!(<() as #krate::Shaped>::shape),
            (false, field_trait) => quote!(<#ty as #krate::#field_trait>::shape),
        };
        quote! {
            #krate::FieldShape {
                rust: #rust,
                wire: #wire,
                aliases: &[#(#aliases),*],
                flatten: #flatten,
                skipped: #skipped,
                default: #default,
                opaque: #opaque,
                rules: &[#(#rules),*],
                words: &[#(#words),*],
                shape: #shape,
            }
        }
    }
}
