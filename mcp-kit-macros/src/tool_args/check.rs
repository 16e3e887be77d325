//! Checks a type's attributes and builds the model of the type.

mod rules;

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::{Attribute, DataEnum, DeriveInput, Fields, Ident};

use super::case::Case;
use super::model::{Data, Field, Model, Repr, RuleKind, Variant, VariantKind};
use super::parse::garde::Unknown;
use super::parse::schemars::Untrue;
use super::parse::serde::Serde;
use super::parse::{garde, own, schemars};
use super::types;
use crate::errors::Errors;

/// Builds the model; `None` if that is impossible for the type.
pub(crate) fn check(
    input: &DeriveInput,
    own: own::Container,
    errors: &mut Errors,
) -> Option<Model> {
    let serde = Serde::of(&input.attrs);
    let garde = garde::container(&input.attrs);
    if let Some(lifetime) = input.generics.lifetimes().next() {
        errors.on(
            lifetime,
            "arguments own their data: use `String` for `&str` and remove the lifetime",
        );
        // The fields' references are the same mistake.
        return None;
    }
    if let Some(context) = &garde.context {
        errors.on(
            context,
            "mcp-kit checks arguments without a context: remove `context(…)`, and check what \
             needs one in the tool itself",
        );
    }
    let container = Container { serde, garde, own };
    let data = match &input.data {
        syn::Data::Union(data) => {
            errors.on(
                data.union_token,
                "a union cannot be a tool's argument: use an enum",
            );
            return None;
        }
        _ if container.own.opaque.is_some() => container.opaque(errors),
        syn::Data::Struct(data) => {
            container.form_is_true(&input.attrs, errors);
            container.structure(&data.fields, errors)
        }
        syn::Data::Enum(data) => {
            container.form_is_true(&input.attrs, errors);
            container.enumeration(data, errors)
        }
    };
    let unknown = container.unknown(&data);
    if !input.generics.params.is_empty() {
        // The expansion cannot ask whether garde has accepted a rule.
        for (span, rule) in &unknown {
            errors.at(*span, unknown_rule(&rule.text));
        }
    }
    Some(Model {
        krate: container.own.krate,
        unknown,
        ident: input.ident.clone(),
        generics: input.generics.clone(),
        underived: garde::fails(input),
        data,
    })
}

/// All attributes of the type.
struct Container {
    serde: Serde,
    garde: garde::Container,
    own: own::Container,
}

impl Container {
    fn opaque(&self, errors: &mut Errors) -> Data {
        self.no_names_to_allow(errors);
        if let Some(words) = self.own.words.first() {
            errors.at(
                words.span(),
                "an opaque type cannot have a rule: put the rule on the field that holds it",
            );
        }
        Data::Opaque
    }

    fn form_is_true(&self, attributes: &[Attribute], errors: &mut Errors) {
        if let Some((span, key)) = &self.serde.changed {
            errors.at(*span, changed(key, "the type"));
        }
        schema_is_true(attributes, false, errors);
    }

    fn structure(&self, fields: &Fields, errors: &mut Errors) -> Data {
        let mut found = self.fields(fields, self.serde.rename_all, errors);
        let on_wire = found.iter().filter(|field| !field.skipped).count();
        let newtype = on_wire == 1
            && (self.serde.transparent
                || (matches!(fields, Fields::Unnamed(_)) && found.len() == 1));
        if newtype && let Some(at) = found.iter().position(|field| !field.skipped) {
            self.no_names_to_allow(errors);
            self.custom_has_words(true, errors);
            let mut field = found.swap_remove(at);
            field.words.extend(self.own.words.iter().cloned());
            return Data::Newtype(Box::new(field));
        }
        if matches!(fields, Fields::Unnamed(_)) {
            self.no_names_to_allow(errors);
            self.custom_has_words(false, errors);
            return Data::Tuple(found);
        }
        self.custom_has_words(true, errors);
        if let (Some(deny), Some(_)) = (self.serde.deny_unknown_fields, self.own.allow_unknown) {
            errors.at(
                deny,
                "`deny_unknown_fields` and `#[tool_args(allow_unknown)]` contradict each other: \
                 remove one",
            );
        }
        Data::Struct {
            fields: found,
            allow_unknown: self.own.allow_unknown.is_some(),
            words: self.own.words.clone(),
        }
    }

    fn enumeration(&self, data: &DataEnum, errors: &mut Errors) -> Data {
        self.no_names_to_allow(errors);
        self.custom_has_words(false, errors);
        let repr = match (&self.serde.tag, &self.serde.content) {
            _ if self.serde.untagged.is_some() => Repr::Untagged,
            (Some(tag), None) => Repr::Internal { tag: tag.clone() },
            (Some(tag), Some(content)) => Repr::Adjacent {
                tag: tag.clone(),
                content: content.clone(),
            },
            (None, _) => Repr::External,
        };
        let variants = data
            .variants
            .iter()
            .filter_map(|variant| self.variant(variant, errors));
        Data::Enum {
            repr,
            variants: variants.collect(),
        }
    }

    /// `None` for a variant that is not on the wire.
    fn variant(&self, variant: &syn::Variant, errors: &mut Errors) -> Option<Variant> {
        let serde = Serde::of(&variant.attrs);
        own::variant(&variant.attrs, errors);
        if serde.skipped {
            return None;
        }
        if let Some((span, key)) = &serde.changed {
            errors.at(*span, changed(key, "the enum"));
        }
        if let Some(span) = serde.untagged.or(serde.other) {
            errors.at(
                span,
                "mcp-kit cannot describe a variant that accepts everything else: name every \
                 variant, or put `#[tool_args(opaque)]` on the enum",
            );
        }
        schema_is_true(&variant.attrs, false, errors);
        let rust = variant.ident.unraw().to_string();
        let rename = |name: &str| {
            self.serde
                .rename_all
                .map_or(name.to_owned(), |c| c.variant(name))
        };
        let (wire, aliases) = serde.wire(&rust, rename);
        let case = serde.rename_all.or(self.serde.rename_all_fields);
        let mut fields = self.fields(&variant.fields, case, errors);
        let kind = match &variant.fields {
            Fields::Unit => VariantKind::Unit,
            Fields::Named(_) => VariantKind::Struct(fields),
            Fields::Unnamed(_) if fields.len() == 1 => {
                VariantKind::Newtype(Box::new(fields.swap_remove(0)))
            }
            Fields::Unnamed(_) => VariantKind::Tuple(fields),
        };
        Some(Variant {
            rust,
            wire,
            aliases,
            kind,
        })
    }

    fn fields(&self, fields: &Fields, case: Option<Case>, errors: &mut Errors) -> Vec<Field> {
        let fields = fields.iter().enumerate();
        fields
            .map(|(index, field)| self.field(index, field, case, errors))
            .collect()
    }

    fn field(
        &self,
        index: usize,
        field: &syn::Field,
        case: Option<Case>,
        errors: &mut Errors,
    ) -> Field {
        let own = own::field(&field.attrs, errors);
        let serde = Serde::of(&field.attrs);
        let mut rules = garde::rules(&field.attrs);
        if !own.words.is_empty() {
            rules::keep_own_functions(&mut rules);
        }
        let name = |ident: &Ident| ident.unraw().to_string();
        let rust = field.ident.as_ref().map_or_else(|| index.to_string(), name);
        let (wire, aliases) = serde.wire(&rust, |name| {
            case.map_or(name.to_owned(), |case| case.field(name))
        });
        let skips = rules
            .iter()
            .all(|rule| matches!(rule.kind, RuleKind::Plain("Skip")));
        if own.opaque {
            rules::leave_unknown_to_garde(&mut rules);
        }
        // A field that is not on the wire has no rules for a client.
        if !serde.skipped {
            if let Some(token) = types::borrowed(&field.ty) {
                errors.at(
                    token.span(),
                    "arguments own their data: use `String` for `&str`, `Vec<T>` for `&[T]`",
                );
            }
            if !own.opaque {
                if let Some((span, key)) = &serde.changed {
                    errors.at(*span, changed(key, "the field"));
                }
                rules::have_words(&rules, &field.ty, !own.words.is_empty(), errors);
                if skips && let Some(words) = own.words.first() {
                    errors.at(
                        words.span(),
                        "nothing checks this rule: check it with `#[garde(custom(…))]`, or write \
                         it in the field's doc comment",
                    );
                }
            }
            schema_is_true(&field.attrs, own.opaque, errors);
            self.flatten_works(&serde, &own, field, errors);
        }
        Field {
            rust: match self.garde.transparent && !skips {
                true => String::new(),
                false => rust,
            },
            wire,
            aliases,
            flatten: serde.flatten.is_some(),
            skipped: serde.skipped,
            default: serde.default || self.serde.default,
            opaque: own.opaque,
            rules: if serde.skipped { Vec::new() } else { rules },
            words: own.words,
            ty: field.ty.clone(),
        }
    }

    fn flatten_works(
        &self,
        serde: &Serde,
        own: &own::Field,
        field: &syn::Field,
        errors: &mut Errors,
    ) {
        let Some(span) = serde.flatten else { return };
        if self.serde.deny_unknown_fields.is_some() {
            errors.at(
                span,
                "serde does not support `flatten` together with `deny_unknown_fields`: remove \
                 `deny_unknown_fields`, mcp-kit refuses unknown arguments anyway",
            );
        }
        if types::is_never_flat(&field.ty) {
            errors.on(
                &field.ty,
                "only a struct or a map can be flattened: remove `flatten`",
            );
        } else if own.opaque && self.own.allow_unknown.is_none() {
            errors.at(
                span,
                "an opaque field cannot be flattened, because it hides which arguments are known: \
                 derive `ToolArgs` for its type, or put `#[tool_args(allow_unknown)]` on the struct",
            );
        }
    }

    /// Returns the unknown rules without a description.
    fn unknown(&self, data: &Data) -> Vec<(Span, Unknown)> {
        let own = self.garde.unknown.clone();
        let own = own.filter(|(_, rule)| {
            !rule.slip && self.own.words.is_empty() && !matches!(data, Data::Opaque)
        });
        let fields = data.fields().into_iter();
        let fields = fields.filter(|field| !field.opaque && field.words.is_empty());
        own.into_iter()
            .chain(fields.flat_map(|field| rules::unknown(&field.rules)))
            .collect()
    }

    fn no_names_to_allow(&self, errors: &mut Errors) {
        if let Some(span) = self.own.allow_unknown {
            errors.at(
                span,
                "`allow_unknown` is for a struct with named fields: remove it",
            );
        }
    }

    fn custom_has_words(&self, takes_words: bool, errors: &mut Errors) {
        if !takes_words {
            let message = "a rule on a whole enum or tuple cannot be described to the model: put \
                           it on the field that holds this type";
            if let Some(custom) = self.garde.custom {
                errors.at(custom, message);
            } else if let Some(words) = self.own.words.first() {
                errors.at(words.span(), message);
            }
        } else if let Some(custom) = self.garde.custom
            && self.own.words.is_empty()
        {
            errors.at(custom, rules::inexpressible("custom"));
        }
    }
}

/// Returns the message for one of garde's rules that mcp-kit does not know.
pub(crate) fn unknown_rule(rule: &str) -> String {
    format!(
        "mcp-kit does not know garde's `{rule}`, and cannot put it into the schema: describe it \
         for the model with `#[tool_args(rule = \"must …\")]`, or write `#[tool_args(opaque)]`"
    )
}

fn changed(key: &str, place: &str) -> String {
    format!(
        "`{key}` changes the JSON form in a way that mcp-kit cannot see: put \
         `#[tool_args(opaque)]` on {place}, so that only serde and garde check it"
    )
}

fn schema_is_true(attributes: &[Attribute], opaque: bool, errors: &mut Errors) {
    if opaque {
        return;
    }
    for (span, key, why) in schemars::untrue(attributes) {
        let message = match why {
            Untrue::Form => format!(
                "with `schemars({key})` the schema differs from what serde reads: write \
                 `#[serde({key} …)]`, which both follow"
            ),
            Untrue::Type => format!(
                "`schemars({key})` replaces the schema by another type's: put \
                 `#[tool_args(opaque)]` on the field, so that only serde and garde check it"
            ),
            Untrue::Function => format!(
                "`{key}` can add rules to the schema that nothing checks: write rules as \
                 `#[garde(…)]`, and annotations as `#[schemars(example = …)]`, `title = …` or \
                 `extend(\"x-…\" = …)`"
            ),
            Untrue::Rule => format!(
                "`{key}` here adds a rule to the schema that nothing checks: write the rule as \
                 `#[garde(…)]`"
            ),
        };
        errors.at(span, message);
    }
}
