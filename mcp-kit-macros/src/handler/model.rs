//! The model of a function, for every attribute, once all checks have passed.

use proc_macro2::TokenStream;
use syn::{Attribute, Expr, Ident, Path, Type, Visibility};

pub(crate) struct Handler {
    /// The path of mcp-kit, if not `::mcp_kit`.
    pub(crate) krate: Option<Path>,
    /// The function's name, which is also the type's.
    pub(crate) ident: Ident,
    pub(crate) visibility: Visibility,
    /// `#[cfg(…)]`, for everything that is written beside the function.
    pub(crate) cfgs: Vec<Attribute>,
    /// `#[doc = "…"]`, for the type.
    pub(crate) docs: Vec<Attribute>,
    /// `#[deprecated]`: a server may continue to offer the function without a
    /// warning.
    pub(crate) deprecated: bool,
    /// The name on the wire. Here and below: an expression for the value, which
    /// is a literal if the user wrote one.
    pub(crate) name: TokenStream,
    pub(crate) title: Option<TokenStream>,
    pub(crate) description: Description,
    /// An `Icon`, or its URI.
    pub(crate) icon: Option<TokenStream>,
    /// A `Duration`.
    pub(crate) timeout: Option<TokenStream>,
    pub(crate) rate: Option<Rate>,
    pub(crate) concurrency: Option<Expr>,
    pub(crate) result_bytes: Option<Expr>,
    pub(crate) scope: Option<TokenStream>,
    pub(crate) blocking: bool,
    /// Variants of `WarningCode` that are accepted.
    pub(crate) allow: Vec<Ident>,
    pub(crate) parameters: Vec<Type>,
    /// `None` is `()`.
    pub(crate) output: Option<Type>,
}

/// The text that the model reads.
pub(crate) enum Description {
    Text(String),
    Expr(Expr),
    /// Pieces that rustc puts together, such as `include_str!("tool.md")`.
    Pieces(Vec<Expr>),
}

pub(crate) enum Rate {
    /// `Rate`'s constructor and the number of calls.
    Calls(&'static str, u32),
    Expr(Expr),
}
