//! A registered primitive: its definition, its chains, and its form in lists.

use std::sync::Arc;
use std::time::Duration;

use super::Registration;
use super::registration::Layers;
use crate::args::Acceptance;
use crate::call::{BeginTask, Chains, Definition, Middleware, Observer, Target, TaskTarget};
use crate::limits::{Ledger, Limits};
use crate::middleware::{Authorize, ConcurrencyLimit, RateLimit, Timeout, Validate};
use crate::observe::{Log, Meter};
use crate::primitive::{Annotations, PrimitiveInfo, TaskSupport, WarningCode};
use crate::protocol::Era;

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

#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) target: Arc<Target>,
    pub(crate) definition: Arc<dyn Definition>,
    /// Its position in the order of registration; cursors contain it.
    pub(super) serial: u64,
    /// Whether it is neither listed nor callable.
    pub(super) is_hidden: bool,
    accepted_warnings: Arc<[WarningCode]>,
    /// The primitive in a list, as JSON: legacy, modern.
    listed: [Arc<str>; 2],
    /// The position of HTTP's default rate, if the primitive has no rate.
    #[cfg(all(feature = "cli", feature = "http"))]
    unlimited_at: Option<usize>,
}

/// A primitive for the registry, without what only the registry knows: its
/// place, and HTTP's default rate.
pub(crate) struct Prepared {
    target: Target,
    task: Option<PreparedTask>,
    pub(super) definition: Arc<dyn Definition>,
    accepted_warnings: Arc<[WarningCode]>,
    listed: [Arc<str>; 2],
    /// The position of HTTP's default rate, if the primitive has no rate.
    unlimited_at: Option<usize>,
}

/// How the calls of a primitive become tasks.
struct PreparedTask {
    is_required: bool,
    layers: Box<[Arc<dyn Middleware>]>,
    time: Duration,
}

impl Policy {
    /// Merges the server's policy with the primitive's. This runs the code of
    /// middlewares, so the registry must not be locked.
    pub(super) fn prepare(&self, registration: Registration) -> Prepared {
        let limits = registration.limits();
        let handler_asks = registration.asks();
        let begins_task = registration.begins_task();
        let Registration {
            definition,
            handler,
            strict_arguments,
            accepted_warnings,
            readable_by,
            layers: mut own_layers,
            scopes,
            ..
        } = registration;
        let timeout = limits
            .timeout
            .unwrap_or(self.limits.call_time)
            .min(Limits::LONGEST_TIME);
        let rate_limit = match limits.rate {
            Some(rate) => Some(RateLimit::of_calls(&self.ledger, rate)),
            None => self.rate_limit.clone(),
        };
        let info = definition.info(scopes, &self.default_hints);
        own_layers.wrap_in(&self.layers);

        let mut layers: Vec<Arc<dyn Middleware>> = vec![Arc::new(Authorize)];
        layers.retain(|layer| layer.applies(&info));
        let unlimited_at = rate_limit.is_none().then_some(layers.len());
        if let Some(limit) = rate_limit {
            layers.push(Arc::new(limit));
        }
        let admission = layers.len(); // the rest is what a task does
        layers.push(Arc::new(Timeout::new(timeout)));
        if let Some(calls) = limits.concurrency {
            layers.push(Arc::new(ConcurrencyLimit::new(calls)));
        }
        layers.extend(definition.layers());
        let built_in = layers.len() + 1; // and `Validate`
        let applying = |layers: &[Arc<dyn Middleware>]| {
            let layers = layers.iter().filter(|layer| layer.applies(&info));
            layers.cloned().collect::<Vec<_>>()
        };
        layers.extend(applying(own_layers.before_validation()));
        layers.push(Arc::new(Validate));
        layers.extend(applying(own_layers.after_validation()));

        let asks = handler_asks || layers.len() > built_in;

        let listed = [Era::Legacy, Era::Modern].map(|era| definition.listing(&info, era).into());
        let task = definition.task().map(|support| {
            let mut layers = layers.clone();
            let time = self.limits.task_time.min(Limits::LONGEST_TIME);
            if let Some(timeout) = layers.get_mut(admission) {
                *timeout = Arc::new(Timeout::new(time));
            }
            if !begins_task {
                layers.insert(admission, Arc::new(BeginTask));
            }
            PreparedTask {
                is_required: support == TaskSupport::Required,
                layers: layers.into(),
                time,
            }
        });
        let target = Target {
            kind: definition.row(),
            handler,
            readable_by,
            chains: Chains {
                local: layers.into(),
                network: Box::default(),
            },
            arguments: Arc::clone(&definition.common().arguments),
            acceptance: Acceptance {
                strict: (self.strict_arguments || strict_arguments)
                    && !definition.row().has_text_arguments,
                ignored: Arc::clone(&self.ignored_arguments),
            },
            timeout,
            result_bytes: limits.result_bytes.unwrap_or(self.limits.result_bytes),
            observers: Box::default(),
            asks,
            task: None,
            has_span: self.log_calls,
            #[cfg(feature = "http")]
            param_headers: definition.param_headers().unwrap_or_default().into(),
            info,
        };
        Prepared {
            target,
            task,
            definition: definition.into(),
            accepted_warnings: accepted_warnings.into(),
            listed,
            unlimited_at,
        }
    }
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
        let mut target = self.target;
        let log: Arc<dyn Observer> = Arc::new(Log {
            all_calls: policy.log_calls,
        });
        let observers = std::iter::once(log)
            .chain(policy.meter.observer(&target.info))
            .chain(policy.observers.iter().cloned());
        target.observers = observers.collect();
        target.chains = chains(target.chains.local, self.unlimited_at, network_rate);
        target.task = self.task.map(|task| {
            Box::new(TaskTarget {
                is_required: task.is_required,
                target: Arc::new(Target {
                    chains: chains(task.layers, self.unlimited_at, network_rate),
                    timeout: task.time,
                    ..target.clone()
                }),
            })
        });
        Entry {
            target: Arc::new(target),
            definition: self.definition,
            serial,
            is_hidden: false,
            accepted_warnings: self.accepted_warnings,
            listed: self.listed,
            #[cfg(all(feature = "cli", feature = "http"))]
            unlimited_at: self.unlimited_at,
        }
    }
}

/// Builds both chains of a primitive, of which one has HTTP's default rate.
fn chains(
    local: Box<[Arc<dyn Middleware>]>,
    unlimited_at: Option<usize>,
    network_rate: Option<&RateLimit>,
) -> Chains {
    let mut network = local.to_vec();
    if let (Some(at), Some(limit)) = (unlimited_at, network_rate) {
        network.insert(at, Arc::new(limit.clone()));
    }
    Chains {
        local,
        network: network.into(),
    }
}

impl Entry {
    /// Returns the same primitive with another rate over HTTP, if it has no
    /// rate of its own.
    #[cfg(all(feature = "cli", feature = "http"))]
    pub(super) fn with_network_rate(&self, rate: Option<&RateLimit>) -> Self {
        let with_rate = |target: &Target| Target {
            chains: chains(target.chains.local.clone(), self.unlimited_at, rate),
            ..target.clone()
        };
        let mut target = with_rate(&self.target);
        if let Some(task) = &mut target.task {
            task.target = Arc::new(with_rate(&task.target));
        }
        Self {
            target: Arc::new(target),
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
