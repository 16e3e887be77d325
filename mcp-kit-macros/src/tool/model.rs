//! What is known of a tool once all checks have passed.

use syn::{Attribute, Expr, Ident, Path, Type, Visibility};

pub(crate) struct Tool {
    /// Where mcp-kit is, if not at `::mcp_kit`.
    pub(crate) krate: Option<Path>,
    /// The function's name, which is the type's too.
    pub(crate) ident: Ident,
    pub(crate) visibility: Visibility,
    /// `#[cfg(…)]`, for everything that stands beside the function.
    pub(crate) cfgs: Vec<Attribute>,
    /// `#[doc = …]`, for the type.
    pub(crate) docs: Vec<Attribute>,
    /// `#[deprecated]`: a server may go on offering the tool without a warning.
    pub(crate) deprecated: bool,
    /// The name on the wire.
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) description: Description,
    pub(crate) hints: Hints,
    pub(crate) timeout_millis: Option<u64>,
    pub(crate) scope: Option<String>,
    pub(crate) blocking: bool,
    pub(crate) parameters: Vec<Type>,
    /// `None` is `()`.
    pub(crate) output: Option<Type>,
}

/// The text that the model reads.
pub(crate) enum Description {
    Text(String),
    /// Pieces that rustc puts together, such as `include_str!("tool.md")`.
    Pieces(Vec<Expr>),
}

/// The hints that were given; a missing one is not sent.
#[derive(Default)]
pub(crate) struct Hints {
    pub(crate) read_only: Option<bool>,
    pub(crate) destructive: Option<bool>,
    pub(crate) idempotent: Option<bool>,
    pub(crate) open_world: Option<bool>,
}
