//! Makes the server of a builder, or reports everything that is wrong with it at once.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::ServerBuilder;
use crate::call::{OpenQuestions, RoundSettings, ServerKeys, Ticker};
use crate::limits::Ledger;
use crate::middleware::RateLimit;
use crate::primitive::Icon;
use crate::registry::{Policy, Step, Store};
use crate::server::drain::Drain;
use crate::server::identity::Identity;
use crate::server::tasks::Tasks;
use crate::server::{Server, ServerInner};

crate::support::problems::problems! {
    /// Why a server could not be built: every problem, each with the fix.
    BuildError, "the server cannot be built:"
}

impl ServerBuilder {
    /// Builds the server.
    ///
    /// # Errors
    ///
    /// Returns every problem, each with the fix: duplicate and invalid names, missing
    /// and duplicate states, extensions with invalid identifiers or with names that
    /// belong to the protocol, schemas that disagree with their rules, limits that
    /// cannot work, and a profile with `panic = "abort"`, under which a panic in a
    /// handler ends the process.
    pub fn build(self) -> Result<Server, BuildError> {
        let problems = self.problems();
        let ledger = Ledger::new(self.limits.limiter_entries);
        #[cfg(feature = "redis")]
        let ledger = ledger.shared(self.shared.clone(), &self.name);
        let (registrations, layers) = self.router.into_parts();
        let policy = Policy {
            limits: self.limits.clone(),
            rate_limit: (self.rate_limit).map(|rate| RateLimit::of_calls(&ledger, rate)),
            layers,
            log_calls: self.log_calls,
            strict_arguments: self.strict_arguments,
            ignored_arguments: self.ignored_arguments.into(),
            default_hints: self.default_hints,
            observers: self.observers,
            meter: self.meter.clone(),
            accepted_warnings: self.accepted_warnings.into(),
            ledger: ledger.clone(),
        };
        let network_rate = self.network.default_rate();
        let steps = registrations.into_iter().map(Step::Add).collect();
        let registry = Store::new(policy, self.states, network_rate, steps, problems)
            .map_err(|problems| BuildError { problems })?;
        let questions = OpenQuestions::new(&self.limits);
        Ok(Server {
            inner: Arc::new(ServerInner {
                identity: Arc::new(Identity::new(
                    &self.name,
                    &self.version,
                    &self.about,
                    self.instructions.as_deref(),
                )),
                keys: ServerKeys::new(&self.name, self.state_keys),
                rounds: RoundSettings::new(&self.limits),
                tasks: Tasks::new(&self.name, self.task_store, &self.limits),
                list_ttl: self.list_ttl,
                name: self.name,
                version: self.version,
                permits: Arc::new(Semaphore::new(
                    self.limits.calls_per_server.min(Semaphore::MAX_PERMITS),
                )),
                #[cfg(feature = "http")]
                principal_permits: Arc::new(crate::call::PrincipalPermits::new(
                    self.limits.calls_per_principal,
                )),
                messages: self
                    .message_layers
                    .and_then(|(code, layers)| (code.new)(layers, &self.limits)),
                extensions: self.extensions,
                notification_permits: Arc::new(Semaphore::new(
                    (self.limits.calls_per_connection).min(Semaphore::MAX_PERMITS),
                )),
                limits: self.limits,
                registry: Arc::new(registry),
                updates: self.updates,
                local: self.local,
                drain: Arc::new(Drain::default()),
                questions,
                ticker: Ticker::default(),
                #[cfg(feature = "http")]
                ledger,
                #[cfg(feature = "redis")]
                shared: self.shared,
                #[cfg(feature = "http")]
                network: arc_swap::ArcSwap::from_pointee(self.network),
                #[cfg(any(feature = "metrics", feature = "http"))]
                meter: self.meter,
            }),
        })
    }

    fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self.limits.problems().collect();
        problems.extend(self.state_keys.problems());
        problems.extend(self.about.icons.iter().filter_map(Icon::problem));
        problems.extend(self.network.problems(&self.meter));
        let extensions = self.extensions.iter();
        problems.extend(extensions.flat_map(|extensions| extensions.problems()));
        if cfg!(panic = "abort") {
            problems.push(
                "the build profile sets panic = \"abort\", under which a panic in one tool would end the server; remove it from the profile"
                    .to_owned(),
            );
        }
        for doubled in self.states.doubled() {
            problems.push(format!(
                "state of type `{doubled}` was added twice; wrap one of the values in a newtype"
            ));
        }
        problems
    }
}
