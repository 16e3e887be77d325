//! A registered tool: what the server changes about it, and the entry that
//! `build()` makes of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ToolEntry;
use super::warning::hints;
use crate::args::Acceptance;
use crate::call::{Handler, Middleware, Observer, Target};
use crate::extract::Requirements;
use crate::limits::{Ledger, Rate};
use crate::middleware::{
    Authorize, ConcurrencyLimit, RateLimit, Timeout, Validate, ValidateOutput,
};
use crate::observe::{Log, Meter};
use crate::primitive::{Annotations, PrimitiveInfo, ToolDefinition, WarningCode};
use crate::server::Limits;
use crate::tool::TOOLS;

/// What a server changes about one tool;
/// see [`ServerBuilder::tool_with`](crate::server::ServerBuilder::tool_with).
#[derive(Default)]
#[must_use]
pub struct ToolOptions {
    timeout: Option<Duration>,
    result_bytes: Option<usize>,
    concurrency: Option<usize>,
    rate_limit: Option<Rate>,
    strict_arguments: bool,
    pub(crate) accepted_warnings: Vec<WarningCode>,
    layers: Vec<Arc<dyn Middleware>>,
    layers_after_validation: Vec<Arc<dyn Middleware>>,
}

impl fmt::Debug for ToolOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolOptions")
            .field("timeout", &self.timeout)
            .field("result_bytes", &self.result_bytes)
            .field("concurrency", &self.concurrency)
            .field("rate_limit", &self.rate_limit)
            .finish_non_exhaustive()
    }
}

impl ToolOptions {
    /// How long a call may take, waiting included; overrides the macro's
    /// `timeout` and [`Limits::call_time`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The largest result, in bytes of JSON; overrides the macro's
    /// `result_bytes` and [`Limits::result_bytes`].
    pub fn result_bytes(mut self, bytes: usize) -> Self {
        self.result_bytes = Some(bytes);
        self
    }

    /// How many calls of this tool run at once; the others wait, within their
    /// time. Overrides the macro's `concurrency`; without either there is no
    /// such limit.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = Some(calls);
        self
    }

    /// How often each caller may call this tool; overrides the macro's `rate`
    /// and [`ServerBuilder::rate_limit`](crate::server::ServerBuilder::rate_limit).
    pub fn rate_limit(mut self, rate: Rate) -> Self {
        self.rate_limit = Some(rate);
        self
    }

    /// Takes only arguments that the published schema admits; see
    /// [`ServerBuilder::strict_arguments`](crate::server::ServerBuilder::strict_arguments).
    pub fn strict_arguments(mut self) -> Self {
        self.strict_arguments = true;
        self
    }

    /// A middleware around this tool alone, inside the server's own.
    pub fn layer(mut self, middleware: impl Middleware) -> Self {
        self.layers.push(Arc::new(middleware));
        self
    }

    /// A middleware around this tool alone that runs after validation.
    pub fn layer_after_validation(mut self, middleware: impl Middleware) -> Self {
        self.layers_after_validation.push(Arc::new(middleware));
        self
    }
}

/// A tool as it was given to the builder.
pub(crate) struct Registered {
    pub(crate) definition: ToolDefinition,
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) requirements: Requirements,
    pub(crate) options: ToolOptions,
}

impl Registered {
    /// Limits of the tool's own under which no call could succeed.
    pub(crate) fn bound_problems(&self) -> impl Iterator<Item = String> {
        let definition = &self.definition;
        let timeout = self.options.timeout.or(definition.timeout);
        let concurrency = self.options.concurrency.or(definition.concurrency);
        let no_time = timeout
            .is_some_and(|timeout| timeout.is_zero())
            .then(|| "its timeout is zero; every call would time out".to_owned());
        let no_calls = (concurrency == Some(0))
            .then(|| "its concurrency is 0; it must be at least 1".to_owned());
        let no_result = self
            .options
            .result_bytes
            .or(definition.result_bytes)
            .filter(|bytes| *bytes < Limits::LEAST_RESULT_BYTES)
            .map(|bytes| {
                let least = Limits::LEAST_RESULT_BYTES;
                format!("its result_bytes is {bytes}; it must be at least {least}")
            });
        [no_time, no_calls, no_result].into_iter().flatten()
    }
}

/// What the server sets for all of its tools.
pub(crate) struct Policy<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) ledger: &'a Ledger,
    pub(crate) rate_limit: Option<&'a RateLimit>,
    pub(crate) layers: &'a [Arc<dyn Middleware>],
    pub(crate) layers_after_validation: &'a [Arc<dyn Middleware>],
    pub(crate) log_calls: bool,
    pub(crate) strict_arguments: bool,
    pub(crate) ignored_arguments: &'a Arc<[String]>,
    pub(crate) default_hints: &'a Annotations,
    pub(crate) observers: &'a [Arc<dyn Observer>],
    pub(crate) meter: &'a Meter,
}

impl Policy<'_> {
    /// Merges the server's policy and the tool's, and chains what is left to
    /// do for this tool.
    pub(crate) fn entry(&self, registered: Registered) -> ToolEntry {
        let Registered {
            definition,
            handler,
            options,
            ..
        } = registered;
        let timeout = options
            .timeout
            .or(definition.timeout)
            .unwrap_or(self.limits.call_time)
            .min(Limits::LONGEST_TIME);
        let result_bytes = options
            .result_bytes
            .or(definition.result_bytes)
            .unwrap_or(self.limits.result_bytes);
        let rate_limit = match options.rate_limit.or(definition.rate) {
            Some(rate) => Some(RateLimit::of_calls(self.ledger, rate)),
            None => self.rate_limit.cloned(),
        };
        let annotations = hints(definition.annotations(), self.default_hints);
        let info = PrimitiveInfo::of_tool(&definition, annotations);

        let mut layers: Vec<Arc<dyn Middleware>> = vec![Arc::new(Authorize)];
        layers.retain(|layer| layer.applies(&info));
        let unlimited_at = rate_limit.is_none().then_some(layers.len());
        if let Some(limit) = rate_limit {
            layers.push(Arc::new(limit));
        }
        layers.push(Arc::new(Timeout::new(timeout)));
        if let Some(calls) = options.concurrency.or(definition.concurrency) {
            layers.push(Arc::new(ConcurrencyLimit::new(calls)));
        }
        if let Some(schema) = &definition.output {
            layers.push(Arc::new(ValidateOutput::new(schema)));
        }
        let applying = |own: &[Arc<dyn Middleware>], theirs: Vec<Arc<dyn Middleware>>| {
            let all = own.iter().cloned().chain(theirs);
            all.filter(|layer| layer.applies(&info)).collect::<Vec<_>>()
        };
        layers.extend(applying(self.layers, options.layers));
        layers.push(Arc::new(Validate));
        layers.extend(applying(
            self.layers_after_validation,
            options.layers_after_validation,
        ));

        let log: Arc<dyn Observer> = Arc::new(Log {
            all_calls: self.log_calls,
        });
        let observers = std::iter::once(log)
            .chain(self.meter.observer(&info))
            .chain(self.observers.iter().cloned());
        let target = Target {
            kind: &TOOLS,
            handler,
            layers: layers.into(),
            arguments: Arc::clone(&definition.arguments),
            acceptance: Acceptance {
                strict: self.strict_arguments || options.strict_arguments,
                ignored: Arc::clone(self.ignored_arguments),
            },
            timeout,
            result_bytes,
            observers: observers.collect(),
            has_span: self.log_calls,
            info,
        };
        ToolEntry::new(target, definition, options.accepted_warnings, unlimited_at)
    }
}
