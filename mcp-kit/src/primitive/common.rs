//! The part of a definition that primitives of every kind have.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::Icon;
use crate::args::CompiledArgs;
use crate::limits::Rate;
use crate::primitive::{Kind, WarningCode};

/// The names, arguments and limits that the author of a primitive sets,
/// whatever its kind.
#[derive(Clone, Debug)]
pub(crate) struct CommonDefinition {
    pub(crate) name: Cow<'static, str>,
    pub(crate) title: Option<Cow<'static, str>>,
    pub(crate) description: Cow<'static, str>,
    pub(crate) icons: Vec<Icon>,
    /// The `_meta` of the primitive in a list.
    pub(crate) meta: Map<String, Value>,
    pub(crate) arguments: Arc<CompiledArgs>,
    pub(crate) scope: Option<Cow<'static, str>>,
    pub(crate) limits: OwnLimits,
    /// Whether the handler runs on the pool for blocking work.
    pub(crate) blocking: bool,
    pub(crate) accepted_warnings: Vec<WarningCode>,
    /// What is wrong, for `build()` to report.
    pub(crate) problems: Vec<String>,
}

impl CommonDefinition {
    /// Creates the definition of a primitive without arguments and limits.
    pub(crate) fn new(name: Cow<'static, str>, description: Cow<'static, str>) -> Self {
        Self {
            name,
            title: None,
            description,
            icons: Vec::new(),
            meta: Map::new(),
            arguments: Arc::new(CompiledArgs::none()),
            scope: None,
            limits: OwnLimits::default(),
            blocking: false,
            accepted_warnings: Vec::new(),
            problems: Vec::new(),
        }
    }
}

/// The limits that a primitive's author set. Those of the registration override
/// them, and the server's apply if neither is set.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OwnLimits {
    pub(crate) timeout: Option<Duration>,
    pub(crate) result_bytes: Option<usize>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) rate: Option<Rate>,
}

impl OwnLimits {
    /// Returns these limits, with `other`'s for those that are not set.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            timeout: self.timeout.or(other.timeout),
            result_bytes: self.result_bytes.or(other.result_bytes),
            concurrency: self.concurrency.or(other.concurrency),
            rate: self.rate.or(other.rate),
        }
    }
}

/// Returns what is wrong with the name of a tool or prompt, if anything is.
pub(crate) fn name_problem(kind: Kind, name: &str) -> Option<String> {
    let is_valid = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    (!is_valid).then(|| {
        format!(
            "\"{}\" is not a valid {kind} name: use 1 to 64 characters of A-Z a-z 0-9 _ . -",
            crate::support::text::excerpt(name)
        )
    })
}
