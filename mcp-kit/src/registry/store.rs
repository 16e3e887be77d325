//! The registry of a server: the current snapshot, and how it is changed while
//! the server runs.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use super::entry::{Entry, Policy, Prepared};
use super::snapshot::Snapshot;
use super::steps::{Key, Step};
use super::{Changes, Followers, IntoRegistration, ListChanges, RegistryError, Via};
use crate::call::{StateMap, Target};
use crate::limits::Rate;
use crate::middleware::RateLimit;
use crate::primitive::Kind;
use crate::support::lock::Lock;

/// The current snapshot. Each call reads it without a lock; changes are made
/// one after the other, and each replaces the snapshot.
pub(crate) struct Store {
    current: ArcSwap<Snapshot>,
    /// HTTP's default rate. Locked while a change is made.
    changing: Lock<Option<RateLimit>>,
    policy: Policy,
    states: Arc<StateMap>,
    followers: Arc<Followers>,
}

impl Store {
    /// Creates a registry with the primitives that `steps` add.
    ///
    /// # Errors
    ///
    /// Returns everything that is wrong with them, and the `problems` that were
    /// found before.
    pub(crate) fn new(
        policy: Policy,
        states: StateMap,
        network_rate: Option<Rate>,
        steps: Vec<Step>,
        mut problems: Vec<String>,
    ) -> Result<Self, Vec<String>> {
        let empty = Snapshot::default();
        problems.extend(empty.problems(&steps, |of| of.problems(&states)));
        if !problems.is_empty() {
            return Err(problems);
        }
        let network_rate = network_rate.map(|rate| RateLimit::of_calls(&policy.ledger, rate));
        let steps = steps.into_iter().map(|step| step.prepare(&policy));
        let steps = steps.collect();
        let first = empty.after(steps, &policy, network_rate.as_ref(), &mut Vec::new());
        Ok(Self {
            current: ArcSwap::from_pointee(first),
            changing: Lock::new(network_rate),
            policy,
            states: Arc::new(states),
            followers: Arc::default(),
        })
    }

    /// Returns those that learn of changes.
    pub(crate) fn followers(&self) -> &Arc<Followers> {
        &self.followers
    }

    /// Returns the current snapshot, which must not be kept across an `await`.
    pub(crate) fn current(&self) -> Guard<Arc<Snapshot>> {
        self.current.load()
    }

    /// Returns the target of the primitive with this name.
    pub(crate) fn target(&self, kind: Kind, name: &str) -> Option<Arc<Target>> {
        self.current.load().target(kind, name).cloned()
    }

    /// Returns the target of the completion of a prompt or a template.
    pub(crate) fn completion(&self, kind: Kind, name: &str) -> Option<Arc<Target>> {
        self.current.load().completion(kind, name).cloned()
    }

    pub(crate) fn states(&self) -> &StateMap {
        &self.states
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Applies all of `steps`, or none.
    ///
    /// The code of users runs before the registry is locked, as for what
    /// middlewares apply to, or after: the last owner of a removed tool drops
    /// it. So that code may change the registry itself.
    fn change(&self, steps: Vec<Step>) -> Result<(), Vec<String>> {
        let problems = (self.current.load()).problems(&steps, |of| of.problems(&self.states));
        if !problems.is_empty() {
            return Err(problems);
        }
        let touched: HashSet<Key> = (steps.iter())
            .map(|step| {
                let (kind, name) = step.key();
                (kind, name.to_owned())
            })
            .collect();
        let steps = steps.into_iter().map(|step| step.prepare(&self.policy));
        let steps: Vec<_> = steps.collect();
        let mut gone = Vec::new();
        let changed = self.swap(steps, &touched, &mut gone);
        let (before, after) = changed?;
        if !self.followers.is_empty() {
            let changes = ListChanges::between(&before, &after, touched);
            self.followers.announce(&changes);
        }
        Ok(())
    }

    /// Replaces the snapshot, unless another change has made this one
    /// impossible. Returns the snapshots before and after.
    fn swap(
        &self,
        steps: Vec<Step<Prepared>>,
        touched: &HashSet<Key>,
        gone: &mut Vec<Arc<Entry>>,
    ) -> Result<(Arc<Snapshot>, Arc<Snapshot>), Vec<String>> {
        let network_rate = self.changing.lock();
        let before = self.current.load_full();
        let problems = before.problems(&steps, |_| Vec::new());
        if !problems.is_empty() {
            return Err(problems);
        }
        let after = before.after(steps, &self.policy, network_rate.as_ref(), gone);
        let after = Arc::new(after);
        let forgotten = touched
            .iter()
            .filter(|(kind, name)| after.entry(*kind, name).is_none());
        self.policy.meter.forget(forgotten.cloned());
        self.current.store(Arc::clone(&after));
        Ok((before, after))
    }

    /// Changes the default rate of calls over HTTP.
    #[cfg(all(feature = "cli", feature = "http"))]
    pub(crate) fn set_network_rate(&self, rate: Option<Rate>) {
        let mut network_rate = self.changing.lock();
        *network_rate = rate.map(|rate| RateLimit::of_calls(&self.policy.ledger, rate));
        let next = self.current.load().with_network_rate(network_rate.as_ref());
        self.current.store(Arc::new(next));
    }
}

/// Changes what a server offers while it runs; made by
/// [`Server::registry`](crate::Server::registry). Cloning is cheap and returns
/// the same registry.
///
/// A change is in force at once, on every transport, for lists and calls that
/// begin after it. Running calls continue to their end, with the handler and
/// the middlewares that they began with. A primitive that is added gets the
/// server's middlewares, limits and rates, and every check that `build()`
/// makes; a change that fails a check changes nothing.
///
/// Clients that follow a list are notified if it has changed for them: what they
/// may not see is not announced to them.
///
/// ```
/// use mcp_kit::call::Call;
/// use mcp_kit::primitive::Kind;
/// use mcp_kit::testing::TestClient;
/// use mcp_kit::tool::{ToolDefinition, from_fn};
/// use mcp_kit::{Server, tool};
/// use serde_json::json;
///
/// /// Says hello.
/// #[tool]
/// async fn hello() -> &'static str {
///     "Hello!"
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder("greeter", "1.0.0").tool::<hello>().build()?;
/// let client = TestClient::new(&server).await;
///
/// let definition = ToolDefinition::new("goodbye", "Says goodbye.");
/// server.registry().add(from_fn(definition, async |_: Call| "Goodbye!"))?;
/// assert_eq!(client.call("goodbye", json!({})).await.text(), "Goodbye!");
///
/// server.registry().remove(Kind::Tool, "hello")?;
/// assert_eq!(client.list_tools().await.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Registry(Arc<Store>);

impl Registry {
    pub(crate) fn new(store: &Arc<Store>) -> Self {
        Self(Arc::clone(store))
    }

    /// Makes several changes at once: all of them, or none if one is not
    /// possible. They are applied in order, and every list and call sees either
    /// all of them or none.
    ///
    /// Each change copies the index of what the server offers, so use this for many
    /// primitives.
    ///
    /// ```
    /// use mcp_kit::call::Call;
    /// use mcp_kit::primitive::Kind;
    /// use mcp_kit::tool::{ToolDefinition, from_fn};
    /// # use mcp_kit::{Server, tool};
    /// # /// A report.
    /// # #[tool] async fn report() -> String { String::new() }
    ///
    /// let server = Server::builder("reports", "1.0.0").tool::<report>().build()?;
    /// let yearly = ToolDefinition::new("yearly_report", "A report on the year.");
    /// server.registry().update(|changes| {
    ///     changes.add(from_fn(yearly, async |_: Call| "a good year"));
    ///     changes.remove(Kind::Tool, "report");
    /// })?;
    /// assert_eq!(server.tools()[0].name(), "yearly_report");
    ///
    /// // There is no such tool, so nothing changes.
    /// let error = server.registry().update(|changes| {
    ///     changes.remove(Kind::Tool, "yearly_report");
    ///     changes.remove(Kind::Tool, "monthly_report");
    /// });
    /// assert!(error.is_err());
    /// assert_eq!(server.tools().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns everything that is wrong, each with the fix: invalid and doubled
    /// names, names that do not exist, missing states, schemas and limits that
    /// cannot work, more than 100,000 primitives.
    pub fn update(&self, change: impl FnOnce(&mut Changes)) -> Result<(), RegistryError> {
        let mut changes = Changes::default();
        change(&mut changes);
        let changed = self.0.change(changes.steps);
        changed.map_err(|problems| RegistryError { problems })
    }

    /// Adds a primitive at the end of its list.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn add<M: Via>(&self, primitive: impl IntoRegistration<M>) -> Result<(), RegistryError> {
        self.update(|changes| changes.add(primitive))
    }

    /// Replaces the primitive of the same kind and name. If it has a rate or a
    /// concurrency limit of its own, that begins anew.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn replace<M: Via>(
        &self,
        primitive: impl IntoRegistration<M>,
    ) -> Result<(), RegistryError> {
        self.update(|changes| changes.replace(primitive))
    }

    /// Removes a primitive.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`update`](Self::update).
    pub fn remove(&self, kind: Kind, name: &str) -> Result<(), RegistryError> {
        self.update(|changes| changes.remove(kind, name))
    }

    /// Hides a primitive: it is not listed, and a call of it is answered like a
    /// call of an unknown name. It keeps its place and its name.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`update`](Self::update).
    pub fn hide(&self, kind: Kind, name: &str) -> Result<(), RegistryError> {
        self.update(|changes| changes.hide(kind, name))
    }

    /// Shows a primitive that was hidden.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`update`](Self::update).
    pub fn show(&self, kind: Kind, name: &str) -> Result<(), RegistryError> {
        self.update(|changes| changes.show(kind, name))
    }

    /// Announces that a provider has other resources than before: clients that
    /// follow the list of resources, and may see the provider, are notified
    /// (`notifications/resources/list_changed`). Call it after the change.
    ///
    /// `template` is the one of the provider's definition. Without such a provider
    /// nothing happens. Contents that have changed are announced by
    /// [`ResourceUpdates`](crate::server::ResourceUpdates).
    pub fn provider_changed(&self, template: &str) {
        let entry = self
            .0
            .current()
            .entry(Kind::ResourceTemplate, template)
            .cloned();
        if let Some(provider) = entry.filter(|entry| entry.is_provider()) {
            self.0
                .followers
                .announce(&ListChanges::of_provider(provider));
        }
    }

    /// Whether there is a primitive of this kind and name, hidden ones included.
    #[must_use]
    pub fn contains(&self, kind: Kind, name: &str) -> bool {
        self.0.current().entry(kind, name).is_some()
    }

    /// Whether there is such a primitive, and it is hidden.
    #[must_use]
    pub fn is_hidden(&self, kind: Kind, name: &str) -> bool {
        let current = self.0.current();
        (current.entry(kind, name)).is_some_and(|entry| entry.is_hidden)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("primitives", &self.0.current().len())
            .finish_non_exhaustive()
    }
}
