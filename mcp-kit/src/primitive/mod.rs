//! Primitives: what a server offers, as data. Names, descriptions, hints and
//! schemas; what a call of one does is elsewhere (`call`, `tool`, `prompt`).

mod common;
mod info;
#[cfg(feature = "http")]
mod param_header;
mod prompt;
mod resource;
#[cfg(feature = "cli")]
pub(crate) mod shown;
mod tool;
pub(crate) mod uri;
mod warnings;

pub use crate::content::icon::{Icon, IconTheme};
pub(crate) use common::{CommonDefinition, OwnLimits};
pub(crate) use info::Scopes;
pub use info::{Kind, PrimitiveInfo};
#[cfg(feature = "http")]
pub(crate) use param_header::ParamHeader;
pub use prompt::{PromptArgument, PromptDefinition};
pub use resource::ResourceDefinition;
pub use tool::{Annotations, TaskSupport, ToolDefinition};
pub(crate) use tool::{TaskCode, TaskOffer};
pub use uri::{ExpandError, TemplateError, UriTemplate};
pub(crate) use uri::{Relation, UriProblem, Values, normalised};
pub use warnings::WarningCode;
pub(crate) use warnings::{Found, common_warnings};
