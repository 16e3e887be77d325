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

    /// Returns everything that is wrong with a primitive whose name is its name on
    /// the wire, and which `chosen_by` choose by its description.
    pub(crate) fn problems(&self, kind: Kind, chosen_by: &str) -> Vec<String> {
        let name = &self.name;
        let no_description = self.description.trim().is_empty().then(|| {
            format!("{kind} \"{name}\" has no description; {chosen_by} choose {kind}s by it")
        });
        let others = self.problems.iter();
        name_problem(kind, name)
            .into_iter()
            .chain(no_description)
            .chain(others.map(|problem| format!("{kind} \"{name}\": {problem}")))
            .collect()
    }
}

/// Writes the methods that the definitions of all kinds have.
macro_rules! common_methods {
    () => {
        /// Sets a name for people.
        #[must_use]
        pub fn with_title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
            self.common.title = Some(title.into());
            self
        }

        /// Sets the scope that a caller must hold.
        #[must_use]
        pub fn with_scope(mut self, scope: impl Into<Cow<'static, str>>) -> Self {
            self.common.scope = Some(scope.into());
            self
        }

        /// Sets the time limit of a call, waiting included.
        #[must_use]
        pub fn with_timeout(mut self, timeout: Duration) -> Self {
            self.common.limits.timeout = Some(timeout);
            self
        }

        /// Returns the name for people.
        #[must_use]
        pub fn title(&self) -> Option<&str> {
            self.common.title.as_deref()
        }

        /// Returns the description.
        #[must_use]
        pub fn description(&self) -> &str {
            &self.common.description
        }

        /// Returns the scope that a caller must hold.
        #[must_use]
        pub fn scope(&self) -> Option<&str> {
            self.common.scope.as_deref()
        }

        /// Returns the time limit of a call, waiting included, if the definition
        /// sets one.
        #[must_use]
        pub fn timeout(&self) -> Option<Duration> {
            self.common.limits.timeout
        }

        /// Whether the handler runs on the blocking pool: the key `blocking` of the
        /// attribute.
        #[must_use]
        pub fn is_blocking(&self) -> bool {
            self.common.blocking
        }
    };
}

pub(super) use common_methods;

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

/// Returns what is wrong with a name on the wire, if anything is.
fn name_problem(kind: Kind, name: &str) -> Option<String> {
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
