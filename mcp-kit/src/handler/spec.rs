//! What an attribute records about a function: the names, arguments and limits
//! that primitives of every kind have.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::args::{ArgsSpec, CompiledArgs};
use crate::extract::Requirements;
use crate::limits::Rate;
use crate::primitive::{CommonDefinition, Icon, WarningCode};

/// The data that an attribute records about a function. The kind's own spec
/// dereferences to it.
#[derive(Debug)]
pub struct FunctionSpec {
    pub(crate) common: CommonDefinition,
    pub(crate) requirements: Requirements,
}

#[allow(missing_docs)]
impl FunctionSpec {
    pub(crate) fn new() -> Self {
        Self {
            common: CommonDefinition::new(Cow::Borrowed(""), Cow::Borrowed("")),
            requirements: Requirements::default(),
        }
    }

    pub fn name(&mut self, name: &'static str) {
        self.common.name = Cow::Borrowed(name);
    }

    pub fn title(&mut self, title: &'static str) {
        self.common.title = Some(Cow::Borrowed(title));
    }

    pub fn description(&mut self, description: &'static str) {
        self.common.description = Cow::Borrowed(description);
    }

    pub fn icon(&mut self, icon: impl Into<Icon>) {
        self.common.icons.push(icon.into());
    }

    pub fn timeout(&mut self, timeout: Duration) {
        self.common.limits.timeout = Some(timeout);
    }

    pub fn rate(&mut self, rate: Rate) {
        self.common.limits.rate = Some(rate);
    }

    pub fn concurrency(&mut self, calls: usize) {
        self.common.limits.concurrency = Some(calls);
    }

    pub fn result_bytes(&mut self, bytes: usize) {
        self.common.limits.result_bytes = Some(bytes);
    }

    pub fn accept_warning(&mut self, code: WarningCode) {
        self.common.accepted_warnings.push(code);
    }

    pub fn scope(&mut self, scope: &'static str) {
        self.common.scope = Some(Cow::Borrowed(scope));
    }

    /// Makes the function run on the blocking pool.
    pub fn blocking(&mut self) {
        self.common.blocking = true;
    }

    pub(super) fn arguments(&mut self, spec: ArgsSpec) {
        match CompiledArgs::of(&spec) {
            Ok(arguments) => self.common.arguments = Arc::new(arguments),
            Err(problems) => self.common.problems.extend(problems),
        }
    }
}
