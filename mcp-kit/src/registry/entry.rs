//! A registered primitive: its definition, its chains, and its form in lists.

use std::sync::Arc;
use std::time::Duration;

use super::Registration;
use super::registration::Layers;
use super::resources::ResourceCode;
use crate::args::{Acceptance, CompiledArgs};
use crate::call::{
    BeginTask, Chains, Definition, Handler, KindRow, Middleware, Observer, Target, TaskTarget,
};
use crate::limits::{Ledger, Limits};
use crate::middleware::{Authorize, ConcurrencyLimit, RateLimit, Timeout, Validate};
use crate::observe::{Log, Meter};
use crate::primitive::{Annotations, OwnLimits, PrimitiveInfo, TaskCode, TaskSupport, WarningCode};
use crate::protocol::Era;
use crate::support::panics::discard_logged;

/// The server's settings for all of its primitives.
pub(crate) struct Policy {
    pub(crate) limits: Limits,
    pub(crate) ledger: Ledger,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) layers: Layers,
    pub(crate) log_calls: bool,
    pub(crate) strict_arguments: bool,
    pub(crate) ignored_arguments: Arc<[String]>,
    pub(crate) default_hints: Annotations,
    pub(crate) observers: Vec<Arc<dyn Observer>>,
    pub(crate) meter: Meter,
    pub(crate) accepted_warnings: Box<[WarningCode]>,
}

/// Middlewares and observers are dropped with the server, on whatever thread, and
/// are a user's.
impl Drop for Policy {
    fn drop(&mut self) {
        for layer in self.layers.drain() {
            discard_logged(layer, "a middleware");
        }
        for observer in self.observers.drain(..) {
            discard_logged(observer, "an observer");
        }
    }
}

#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) target: Arc<Target>,
    pub(crate) definition: Arc<dyn Definition>,
    /// Suggests values for its arguments, if its kind has completion.
    pub(super) completion: Option<Arc<Target>>,
    /// The arguments that have suggestions.
    pub(super) completed: Arc<[String]>,
    /// Its position in the order of registration; cursors contain it.
    pub(super) serial: u64,
    /// Whether it is neither listed nor callable.
    pub(super) is_hidden: bool,
    accepted_warnings: Arc<[WarningCode]>,
    /// The primitive in a list, as JSON: legacy, modern.
    listed: [Arc<str>; 2],
}

/// A primitive for the registry, without what only the registry knows: its
/// place, and HTTP's default rate.
pub(crate) struct Prepared {
    target: Target,
    task: Option<PreparedTask>,
    completion: Option<Target>,
    completed: Arc<[String]>,
    pub(super) definition: Arc<dyn Definition>,
    pub(super) resource_code: Option<&'static ResourceCode>,
    accepted_warnings: Arc<[WarningCode]>,
    listed: [Arc<str>; 2],
}

/// How the calls of a primitive become tasks.
struct PreparedTask {
    is_required: bool,
    code: &'static dyn TaskCode,
    chains: Chains,
    time: Duration,
}

impl Policy {
    /// Merges the server's policy with the primitive's. This runs the code of
    /// middlewares, so the registry must not be locked.
    pub(super) fn prepare(&self, registration: Registration) -> Prepared {
        let limits = registration.limits();
        let handler_opens = registration.ask_code();
        let begins_task = registration.begins_task();
        let Registration {
            definition,
            handler,
            resource_code,
            strict_arguments,
            accepted_warnings,
            readable_by,
            completers,
            layers: mut own_layers,
            scopes,
            ..
        } = registration;
        let timeout = limits
            .timeout
            .unwrap_or(self.limits.call_time)
            .min(Limits::LONGEST_TIME);
        let info = definition.info(scopes, &self.default_hints);
        own_layers.wrap_in(&self.layers);

        let around = Around {
            limits,
            timeout,
            layers: &own_layers,
            inner: definition.layers(),
        };
        let merged = self.merged(&info, around);
        let listed = [Era::Legacy, Era::Modern].map(|era| definition.listing(&info, era).into());
        let task = definition.task().map(|offer| {
            let time = self.limits.task_time.min(Limits::LONGEST_TIME);
            PreparedTask {
                is_required: offer.support == TaskSupport::Required,
                code: offer.code,
                chains: merged.for_task(time, begins_task),
                time,
            }
        });
        let mut completion = None;
        let mut completed = Vec::new();
        let completing = definition.row().completing;
        if let Some(completing) = completing.filter(|_| !definition.is_provider()) {
            let handler;
            (handler, completed) = (completing.handler)(&definition.common().arguments, completers);
            let info = info.of_completion();
            completion = Some(self.completion(completing.row, handler, info, &own_layers));
        }
        let layers_open = own_layers.ask_code();
        let ask_code = handler_opens.or(layers_open.filter(|_| merged.has_own_layers()));
        let target = Target {
            kind: definition.row(),
            shares_permits: ask_code.is_some() || handler.passes_call_on(),
            handler,
            readable_by,
            ask_code,
            chains: merged.chains(),
            arguments: Arc::clone(&definition.common().arguments),
            acceptance: Acceptance {
                strict: (self.strict_arguments || strict_arguments)
                    && !definition.row().has_text_arguments,
                ignored: Arc::clone(&self.ignored_arguments),
            },
            timeout,
            result_bytes: limits.result_bytes.unwrap_or(self.limits.result_bytes),
            observers: Box::default(),
            task: None,
            has_span: self.log_calls,
            #[cfg(feature = "http")]
            param_headers: definition.param_headers().unwrap_or_default().into(),
            info,
        };
        Prepared {
            target,
            task,
            completion,
            completed: completed.into(),
            definition: definition.into(),
            resource_code,
            accepted_warnings: accepted_warnings.into(),
            listed,
        }
    }

    /// Returns the completion of a primitive: a call by itself, with the server's
    /// limits.
    fn completion(
        &self,
        row: &'static KindRow,
        handler: Arc<dyn Handler>,
        info: PrimitiveInfo,
        layers: &Layers,
    ) -> Target {
        let timeout = self.limits.call_time.min(Limits::LONGEST_TIME);
        let around = Around {
            limits: OwnLimits::default(),
            timeout,
            layers,
            inner: Vec::new(),
        };
        let merged = self.merged(&info, around);
        Target {
            kind: row,
            handler,
            readable_by: None,
            shares_permits: merged.has_own_layers(),
            chains: merged.chains(),
            arguments: Arc::new(CompiledArgs::none()),
            acceptance: Acceptance::default(),
            timeout,
            result_bytes: self.limits.result_bytes,
            observers: Box::default(),
            ask_code: None,
            task: None,
            has_span: self.log_calls,
            #[cfg(feature = "http")]
            param_headers: Arc::default(),
            info,
        }
    }

    /// Merges the layers of a primitive with the server's.
    fn merged(&self, info: &PrimitiveInfo, around: Around<'_>) -> Merged {
        let rate_limit = match around.limits.rate {
            Some(rate) => Some(RateLimit::of_calls(&self.ledger, rate)),
            None => self.rate_limit.clone(),
        };
        let mut layers: Vec<Arc<dyn Middleware>> = vec![Arc::new(Authorize)];
        layers.retain(|layer| layer.applies(info));
        let unlimited_at = rate_limit.is_none().then_some(layers.len());
        if let Some(limit) = rate_limit {
            layers.push(Arc::new(limit));
        }
        let admission = layers.len();
        layers.push(Arc::new(Timeout::new(around.timeout)));
        if let Some(calls) = around.limits.concurrency {
            layers.push(Arc::new(ConcurrencyLimit::new(calls)));
        }
        let inner = layers.len();
        layers.extend(around.inner);
        let own = layers.len();
        let applying = |layers: &[Arc<dyn Middleware>]| {
            let layers = layers.iter().filter(|layer| layer.applies(info));
            layers.cloned().collect::<Vec<_>>()
        };
        layers.extend(applying(around.layers.before_validation()));
        let validation = layers.len();
        layers.push(Arc::new(Validate));
        layers.extend(applying(around.layers.after_validation()));
        Merged {
            layers,
            unlimited_at,
            admission,
            inner,
            own,
            validation,
        }
    }

    /// Returns the observers of a primitive's calls.
    fn observers_of(&self, info: &PrimitiveInfo) -> Box<[Arc<dyn Observer>]> {
        let log: Arc<dyn Observer> = Arc::new(Log {
            all_calls: self.log_calls,
        });
        std::iter::once(log)
            .chain(self.meter.observer(info))
            .chain(self.observers.iter().cloned())
            .collect()
    }
}

/// What is around the handler of a primitive, beside the server's policy.
struct Around<'a> {
    limits: OwnLimits,
    timeout: Duration,
    layers: &'a Layers,
    /// The middlewares of its definition.
    inner: Vec<Arc<dyn Middleware>>,
}

/// The middlewares of a primitive's calls, without HTTP's default rate.
struct Merged {
    layers: Vec<Arc<dyn Middleware>>,
    /// The position of HTTP's default rate, if the primitive has no rate.
    unlimited_at: Option<usize>,
    /// The position of the timeout, in front of the tool's concurrency and of the
    /// middlewares of its definition.
    admission: usize,
    /// The position of the first middleware of its definition, or of what follows.
    inner: usize,
    /// The position of the author's first middleware, or of `Validate`.
    own: usize,
    /// The position of `Validate`. The author's other middlewares follow.
    validation: usize,
}

impl Merged {
    fn chains(self) -> Chains {
        Chains::new(self.layers.into(), self.unlimited_at)
    }

    /// Whether a middleware of the author is among them.
    fn has_own_layers(&self) -> bool {
        self.layers.len() > self.own + 1
    }

    /// Returns the chain of a call that becomes a task: once its arguments are
    /// checked, or when its handler begins it.
    ///
    /// In the first case `Validate` and all in front of it, but for the time and the
    /// concurrency of the task, run for the request: they and the report answer it. The
    /// middlewares of the definition stay outside of the author's, whose results they
    /// check. The time and the concurrency begin with the task.
    fn for_task(&self, time: Duration, handler_begins: bool) -> Chains {
        let mut layers = self.layers.clone();
        if let Some(timeout) = layers.get_mut(self.admission) {
            *timeout = Arc::new(Timeout::new(time));
        }
        if !handler_begins {
            let in_front = self.inner..=self.validation;
            let for_request = layers.splice(in_front, []).collect::<Vec<_>>();
            let for_request = for_request.into_iter().chain([as_begin()]);
            layers.splice(self.admission..self.admission, for_request);
        }
        Chains::new(layers.into(), self.unlimited_at)
    }
}

fn as_begin() -> Arc<dyn Middleware> {
    Arc::new(BeginTask)
}

fn as_layer(limit: &RateLimit) -> Arc<dyn Middleware> {
    Arc::new(limit.clone())
}

impl Prepared {
    pub(super) fn info(&self) -> &PrimitiveInfo {
        &self.target.info
    }

    /// Makes the entry, with its chains and observers. `network_rate` is HTTP's
    /// default rate. This runs no code of a user.
    pub(super) fn entry(
        self,
        policy: &Policy,
        serial: u64,
        network_rate: Option<&RateLimit>,
    ) -> Entry {
        let finished = |mut target: Target| {
            target.observers = policy.observers_of(&target.info);
            target.chains = target.chains.with_network_rate(network_rate.map(as_layer));
            target
        };
        let mut target = finished(self.target);
        target.task = self.task.map(|task| {
            let mut in_task = target.clone();
            in_task.chains = task.chains.with_network_rate(network_rate.map(as_layer));
            in_task.timeout = task.time;
            Box::new(TaskTarget {
                is_required: task.is_required,
                code: task.code,
                target: Arc::new(in_task),
            })
        });
        Entry {
            target: Arc::new(target),
            completion: self.completion.map(|target| Arc::new(finished(target))),
            completed: self.completed,
            definition: self.definition,
            serial,
            is_hidden: false,
            accepted_warnings: self.accepted_warnings,
            listed: self.listed,
        }
    }
}

impl Entry {
    /// Returns the same primitive with another rate over HTTP, if it has no
    /// rate of its own.
    #[cfg(all(feature = "cli", feature = "http"))]
    pub(super) fn with_network_rate(&self, rate: Option<&RateLimit>) -> Self {
        let with_rate = |target: &Arc<Target>| {
            let mut target = Target::clone(target);
            target.chains = target.chains.with_network_rate(rate.map(as_layer));
            target
        };
        let mut target = with_rate(&self.target);
        if let Some(task) = &mut target.task {
            task.target = Arc::new(with_rate(&task.target));
        }
        let completion = self.completion.as_ref();
        Self {
            target: Arc::new(target),
            completion: completion.map(|target| Arc::new(with_rate(target))),
            ..self.clone()
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.target.info.name()
    }

    pub(crate) fn listed(&self, era: Era) -> &Arc<str> {
        match era {
            Era::Legacy => &self.listed[0],
            Era::Modern => &self.listed[1],
        }
    }

    /// Whether a kind of warning was accepted for this primitive.
    pub(super) fn accepts(&self, code: WarningCode) -> bool {
        self.accepted_warnings.contains(&code)
            || self.definition.common().accepted_warnings.contains(&code)
    }
}
