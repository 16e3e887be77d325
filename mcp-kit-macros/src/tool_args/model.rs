//! The model of a type, once all checks have passed.

use proc_macro2::Span;
use syn::{Expr, Generics, Ident, LitStr, Path, Type};

use super::parse::garde::Unknown;

pub(crate) struct Model {
    /// The path of mcp-kit, if not `::mcp_kit`.
    pub(crate) krate: Option<Path>,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// garde's derive fails and reports why.
    pub(crate) underived: bool,
    /// Rules that mcp-kit does not know and that have no description. If garde
    /// has them, they are mistakes; otherwise garde's derive reports them.
    pub(crate) unknown: Vec<(Span, Unknown)>,
    pub(crate) data: Data,
}

pub(crate) enum Data {
    /// `#[tool_args(opaque)]` on the type.
    Opaque,
    Struct {
        fields: Vec<Field>,
        allow_unknown: bool,
        words: Vec<LitStr>,
    },
    Newtype(Box<Field>),
    Tuple(Vec<Field>),
    Enum {
        repr: Repr,
        variants: Vec<Variant>,
    },
}

impl Data {
    /// Whether this is an enum without fields: nothing in it has rules.
    pub(crate) fn is_names(&self) -> bool {
        let unit = |variant: &Variant| matches!(variant.kind, VariantKind::Unit);
        matches!(self, Self::Enum { variants, .. } if variants.iter().all(unit))
    }

    /// Whether this is an enum that is one of several texts on the wire.
    pub(crate) fn is_choice(&self) -> bool {
        let is_text = |repr: &Repr| matches!(repr, Repr::External);
        matches!(self, Self::Enum { repr, variants } if is_text(repr) && !variants.is_empty())
            && self.is_names()
    }

    pub(crate) fn fields(&self) -> Vec<&Field> {
        match self {
            Self::Opaque => Vec::new(),
            Self::Newtype(field) => vec![field],
            Self::Struct { fields, .. } | Self::Tuple(fields) => fields.iter().collect(),
            Self::Enum { variants, .. } => variants
                .iter()
                .flat_map(|variant| match &variant.kind {
                    VariantKind::Unit => Vec::new(),
                    VariantKind::Newtype(field) => vec![&**field],
                    VariantKind::Tuple(fields) | VariantKind::Struct(fields) => {
                        fields.iter().collect()
                    }
                })
                .collect(),
        }
    }
}

pub(crate) struct Field {
    /// garde's path component; empty if garde adds none.
    pub(crate) rust: String,
    pub(crate) wire: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) flatten: bool,
    pub(crate) skipped: bool,
    /// serde fills it in if it is missing.
    pub(crate) default: bool,
    pub(crate) opaque: bool,
    pub(crate) rules: Vec<Rule>,
    pub(crate) words: Vec<LitStr>,
    pub(crate) ty: Type,
}

pub(crate) enum Repr {
    External,
    Internal { tag: String },
    Adjacent { tag: String, content: String },
    Untagged,
}

pub(crate) struct Variant {
    pub(crate) rust: String,
    pub(crate) wire: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) kind: VariantKind,
}

pub(crate) enum VariantKind {
    Unit,
    Newtype(Box<Field>),
    Tuple(Vec<Field>),
    Struct(Vec<Field>),
}

/// One of garde's rules, and its position.
pub(crate) struct Rule {
    pub(crate) span: Span,
    pub(crate) kind: RuleKind,
}

pub(crate) enum RuleKind {
    /// A rule without parameters: the name of `Rule`'s variant.
    Plain(&'static str),
    Length {
        mode: LengthMode,
        min: Option<Expr>,
        max: Option<Expr>,
    },
    Range {
        min: Option<Expr>,
        max: Option<Expr>,
    },
    /// `Contains`, `Prefix` or `Suffix`, and the text that the value is
    /// compared with.
    Compare(&'static str, Box<Expr>),
    Pattern(Option<LitStr>),
    Matches(String),
    /// `custom` with a rule of `mcp_kit::guard::text`.
    Text(Path),
    /// `custom` with a typing mistake in the name of such a rule: rustc reports
    /// that the function does not exist, and which one is meant.
    Misspelt,
    /// A rule that only words can describe; the name is what the user wrote.
    Custom(&'static str),
    Inner(Vec<Rule>),
    /// A rule that is not in mcp-kit's tables of garde's rules.
    Unknown(Unknown),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LengthMode {
    Simple,
    Bytes,
    Chars,
    Graphemes,
    Utf16,
}
