//! The shape of a type as `#[derive(ToolArgs)]` sees it: its names on the wire
//! and its rules. The schema and the report are made from it; users never see
//! it.
#![allow(missing_docs)]

pub(crate) use crate::schema::{StringRule, TextForm};

/// Implemented for every type that can be inside a tool's arguments.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be inside a tool's arguments",
    label = "mcp-kit does not know this type's fields and rules",
    note = "derive `ToolArgs` for it, or mark the field `#[tool_args(opaque)]`: then serde and garde alone check it",
    note = "the features `chrono`, `jiff`, `rust_decimal`, `url` and `uuid` of mcp-kit know the types of these crates"
)]
pub trait Shaped {
    fn shape() -> &'static Shape;
}

/// A type's shape on the wire.
#[derive(Debug)]
pub enum Shape {
    /// Any JSON, or an opaque type.
    Leaf,
    /// A value of one JSON type.
    Scalar {
        /// The schema's `type`.
        json: &'static str,
        /// The `format` that schemars writes for the Rust type.
        format: Option<&'static str>,
        /// Whether the type includes 0.
        zero: bool,
    },
    /// A text that the type reads, such as a date.
    Text(&'static TextForm),
    /// The type's own requirement for a value, in words, and its shape.
    Said(&'static str, fn() -> &'static Shape),
    /// A struct with named fields.
    Struct(&'static StructShape),
    /// An enum.
    Enum(&'static EnumShape),
    /// The same place on the wire and in garde's paths: `Box` and similar
    /// types.
    Same(fn() -> &'static Shape),
    /// The same place, where `null` on the wire is `None`.
    Optional(fn() -> &'static Shape),
    /// Items; garde's path component is the index.
    List(fn() -> &'static Shape),
    /// A list with this many items.
    Array(usize, fn() -> &'static Shape),
    /// Items without an order: garde's index is not the wire's.
    Set(fn() -> &'static Shape),
    /// Keys, which are text in JSON, and values; garde's path component is the
    /// key.
    Map(fn() -> &'static Shape, fn() -> &'static Shape),
    /// Positional fields: a tuple struct of two or more.
    Tuple(&'static [FieldShape]),
    /// A newtype struct: the same place on the wire, `0` in garde's paths.
    Newtype(&'static FieldShape),
}

#[derive(Debug)]
pub struct StructShape {
    /// The Rust type's name.
    pub name: &'static str,
    pub fields: &'static [FieldShape],
    /// `#[tool_args(allow_unknown)]`
    pub allow_unknown: bool,
    /// `#[tool_args(rule = "…")]` on the struct itself.
    pub words: &'static [&'static str],
}

#[derive(Debug)]
pub struct FieldShape {
    /// The component in garde's paths; empty if garde adds none
    /// (`#[garde(transparent)]`).
    pub rust: &'static str,
    /// serde's name when deserializing.
    pub wire: &'static str,
    /// serde's further names when deserializing.
    pub aliases: &'static [&'static str],
    /// `#[serde(flatten)]`
    pub flatten: bool,
    /// `#[serde(skip)]` or `skip_deserializing`: not on the wire.
    pub skipped: bool,
    /// serde fills it in if it is missing.
    pub default: bool,
    /// `#[tool_args(opaque)]`: serde and garde alone check it.
    pub opaque: bool,
    /// garde's rules, in the order written.
    pub rules: &'static [Rule],
    /// `#[tool_args(rule = "…")]`: rules in words, for the model.
    pub words: &'static [&'static str],
    pub shape: fn() -> &'static Shape,
}

#[derive(Debug)]
pub struct EnumShape {
    /// The Rust type's name.
    pub name: &'static str,
    pub repr: Repr,
    pub variants: &'static [VariantShape],
}

/// serde's representations of an enum.
#[derive(Debug)]
pub enum Repr {
    External,
    Internal {
        tag: &'static str,
    },
    Adjacent {
        tag: &'static str,
        content: &'static str,
    },
    Untagged,
}

#[derive(Debug)]
pub struct VariantShape {
    pub rust: &'static str,
    pub wire: &'static str,
    pub aliases: &'static [&'static str],
    pub kind: VariantKind,
}

#[derive(Debug)]
pub enum VariantKind {
    Unit,
    Newtype(FieldShape),
    Tuple(&'static [FieldShape]),
    Struct(&'static [FieldShape]),
}

/// A garde rule as written on a field.
#[derive(Debug)]
pub enum Rule {
    Skip,
    Dive,
    Required,
    Ascii,
    Alphanumeric,
    Email,
    Url,
    Ip,
    IpV4,
    IpV6,
    CreditCard,
    PhoneNumber,
    Length {
        mode: LengthMode,
        min: Option<u64>,
        max: Option<u64>,
    },
    Range {
        min: Option<Bound>,
        max: Option<Bound>,
    },
    Contains(&'static str),
    Prefix(&'static str),
    Suffix(&'static str),
    /// `None` if the pattern is an expression.
    Pattern(Option<&'static str>),
    /// The other field's Rust name.
    Matches(&'static str),
    Custom,
    /// `custom` with a rule of `guard::text`.
    Text(StringRule),
    Inner(&'static [Rule]),
}

/// What garde's `length` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LengthMode {
    /// Items of a list; bytes of a string.
    Simple,
    Bytes,
    Chars,
    Graphemes,
    Utf16,
}

/// A limit of garde's `range`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    Int(i128),
    Float(f64),
}

/// A limit whose type rustc knows and the derive does not, such as a constant.
#[derive(Debug, Clone, Copy)]
pub struct BoundOf<T>(pub T);

macro_rules! bounds {
    ($($variant:ident as $into:ty: $($number:ty)*),* $(,)?) => { $( $(
        impl BoundOf<$number> {
            #[must_use]
            pub const fn bound(self) -> Bound {
                Bound::$variant(self.0 as $into)
            }
        }
    )* )* };
}

bounds! {
    Int as i128: u8 u16 u32 u64 usize i8 i16 i32 i64 i128 isize,
    Float as f64: f32 f64,
}

/// Limits of `length`, of any integer type that the constant has.
macro_rules! counts {
    ($($number:ty)*) => { $(
        impl BoundOf<$number> {
            #[must_use]
            pub const fn count(self) -> u64 {
                self.0 as u64
            }
        }
    )* };
}

counts! { u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize }

impl BoundOf<u128> {
    #[must_use]
    pub const fn bound(self) -> Bound {
        if self.0 > i128::MAX as u128 {
            Bound::Float(self.0 as f64)
        } else {
            Bound::Int(self.0 as i128)
        }
    }
}
