//! `#[derive(ElicitForm)]`: the checks that make an argument struct a form, and
//! the form's own trait. All else is `tool_args`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Data, DeriveInput, Fields, Ident, parse_quote};

use crate::errors::Errors;
use crate::krate;
use crate::tool_args::model::{Data as Shape, Model};
use crate::tool_args::parse::own;
use crate::tool_args::types::{NotFlat, not_flat};
use crate::tool_args::{check, expand, fallback};

pub(crate) fn elicit_form(item: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item.clone()) {
        Ok(input) => input,
        Err(error) => return fallback::unread(item, &error),
    };
    let mut errors = Errors::default();
    let container = own::container(&input.attrs, &mut errors);
    let given = container.krate.clone();
    let krate = krate::krate(given.as_ref());
    is_a_struct(&input, &mut errors);
    let model = match errors.is_empty() {
        true => check::check(&input, container, &mut errors),
        false => None,
    };
    if let Some(model) = &model {
        is_flat(model, &mut errors);
    }
    let (args, form) = match model {
        Some(model) if errors.is_empty() => {
            let field = Ident::new("FormField", Span::call_site());
            let args = expand::expand_for(&model, &field);
            let form = quote! {
                static FORM: #krate::FormCell = #krate::FormCell::new();
                &FORM
            };
            (args, form)
        }
        _ => {
            let args = fallback::fallback(&input, given.as_ref(), errors);
            (args, quote!(::core::unreachable!()))
        }
    };
    let ident = &input.ident;
    // Parameters are a mistake, which must be the only message.
    let mut generics = input.generics.clone();
    if !generics.params.is_empty() {
        let bounds = generics.make_where_clause();
        bounds.predicates.push(parse_quote!(Self: 'static));
    }
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote! {
        #args
        #[automatically_derived]
        impl #impl_generics #krate::ElicitForm for #ident #ty_generics #where_clause {
            fn __form() -> &'static #krate::FormCell {
                #form
            }
        }
    }
}

fn is_a_struct(input: &DeriveInput, errors: &mut Errors) {
    match &input.data {
        Data::Struct(data) if matches!(data.fields, Fields::Named(_)) => {}
        Data::Struct(_) => errors.on(
            &input.ident,
            "a form is a struct with named fields: write `struct … { … }`; without a field the \
             user only accepts or declines",
        ),
        Data::Enum(data) => errors.on(
            data.enum_token,
            "a form is a struct with named fields: put the enum into a field of one, and derive \
             `ToolArgs` for the enum",
        ),
        Data::Union(data) => errors.on(
            data.union_token,
            "a form is a struct with named fields, not a union",
        ),
    }
    if !input.generics.params.is_empty() {
        errors.on(
            &input.generics,
            "a form has no parameters: write one struct for each form",
        );
    }
}

/// Reports fields whose types are visibly not possible in a form. For what
/// is not visible, the types implement `FormField` or not.
fn is_flat(model: &Model, errors: &mut Errors) {
    let Shape::Struct { fields, .. } = &model.data else {
        return errors.on(
            &model.ident,
            "a form is an object: remove `transparent` and `opaque` from the struct",
        );
    };
    let seen = fields.iter().filter(|field| !field.skipped);
    for field in seen {
        if field.flatten {
            errors.on(
                &field.ty,
                "a form cannot be flattened: write these fields into the form itself",
            );
            continue;
        }
        match not_flat(&field.ty).filter(|_| !field.opaque) {
            Some(NotFlat::Nested) => errors.on(
                &field.ty,
                "a form is flat: a field is a text, a number, a boolean, an enum of names, or a \
                 list of such an enum",
            ),
            Some(NotFlat::List) => errors.on(
                &field.ty,
                "a list in a form holds the chosen values of an enum: write `Vec<T>` with an enum \
                 of names that derives `ToolArgs`",
            ),
            None => {}
        }
    }
}
