//! A snapshot of what a server offers: found by name, listed in pages, and
//! replaced by another for each change.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use super::entry::{Entry, Policy, Prepared};
use super::{MOST_PRIMITIVES, Registration};
use crate::call::Target;
use crate::caller::Principal;
use crate::middleware::RateLimit;
use crate::primitive::{Kind, TaskCode, UriTemplate};
use crate::protocol::RpcError;

/// The primitives of a server at one moment.
#[derive(Clone, Default)]
pub(crate) struct Snapshot {
    kinds: BTreeMap<Kind, OfKind>,
    /// The templates and providers of resources, so that the first one that
    /// matches a URI is the most specific.
    pub(super) templates: Arc<[Arc<Entry>]>,
    /// The serial number of the entry that was registered last.
    last_serial: u64,
    /// Whether a primitive that was ever registered may send log messages.
    may_log: bool,
    /// Of a primitive that was ever registered and whose calls may become tasks.
    task_code: Option<&'static dyn TaskCode>,
    /// Whether a primitive that was ever registered has suggestions for its
    /// arguments.
    completes: bool,
}

/// The primitives of one kind.
#[derive(Clone, Default)]
struct OfKind {
    by_name: HashMap<Arc<str>, Arc<Entry>, foldhash::fast::RandomState>,
    /// In the order of registration.
    by_serial: BTreeMap<u64, Arc<Entry>>,
    /// Whether another caller may see a different list.
    is_private: bool,
}

/// A kind and a name.
pub(crate) type Key = (Kind, String);

/// One change of what a server offers. It adds a [`Registration`], which is
/// [`Prepared`] before the registry is locked.
pub(crate) enum Step<P = Registration> {
    Add(P),
    Replace(P),
    Remove(Key),
    Hide(Key),
    Show(Key),
}

/// A primitive that a step adds.
pub(crate) trait Named {
    fn key(&self) -> (Kind, &str);

    /// Returns the template of its URIs, if it has one.
    fn template(&self) -> Option<&UriTemplate>;
}

/// A page of the primitives that a caller may see.
pub(crate) struct Page {
    pub(crate) entries: Vec<Arc<Entry>>,
    /// The position of the next page, in the form that cursors seal.
    pub(crate) next: Option<String>,
    /// Whether another caller may see a different page.
    pub(crate) is_private: bool,
}

impl Snapshot {
    /// Returns the target of the primitive with this name, unless it is hidden.
    pub(crate) fn target(&self, kind: Kind, name: &str) -> Option<&Arc<Target>> {
        let entry = self.entry(kind, name)?;
        (!entry.is_hidden).then_some(&entry.target)
    }

    /// Returns the target of the completion of a prompt or a template, unless
    /// that is hidden.
    pub(super) fn completion(&self, kind: Kind, name: &str) -> Option<&Arc<Target>> {
        let entry = self.entry(kind, name)?;
        let completion = entry.completion.as_ref();
        completion.filter(|_| self.completes && !entry.is_hidden)
    }

    pub(crate) fn entry(&self, kind: Kind, name: &str) -> Option<&Arc<Entry>> {
        self.kinds.get(&kind)?.by_name.get(name)
    }

    /// Returns everything of a kind that is not hidden, in the order of
    /// registration.
    pub(crate) fn shown(&self, kind: Kind) -> impl Iterator<Item = &Arc<Entry>> {
        let of_kind = self.kinds.get(&kind);
        let entries = of_kind.into_iter().flat_map(|kind| kind.by_serial.values());
        entries.filter(|entry| !entry.is_hidden)
    }

    /// Returns everything that is not hidden: the kinds one after the other,
    /// each in the order of registration.
    pub(crate) fn all_shown(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.kinds.keys().flat_map(|kind| self.shown(*kind))
    }

    pub(crate) fn len(&self) -> usize {
        self.kinds.values().map(|kind| kind.by_serial.len()).sum()
    }

    /// Returns the kinds with lists that the server declares as its capabilities:
    /// those of which it has a primitive, and always tools. Any server can gain tools at
    /// run time, and a client that sees no such capability never lists them
    /// again.
    pub(crate) fn capabilities(&self) -> impl Iterator<Item = Kind> {
        let others = self.kinds.keys().map(|kind| kind.capability());
        let listed = |kind: &Kind| !matches!(kind, Kind::Tool | Kind::Method);
        let others = others.filter(|kind| listed(kind) && self.declares(*kind));
        let mut all = vec![Kind::Tool];
        for kind in others {
            // Kinds of one capability are neighbours.
            if all.last() != Some(&kind) {
                all.push(kind);
            }
        }
        all.into_iter()
    }

    /// Whether the server declares the capability for a kind.
    pub(crate) fn declares(&self, kind: Kind) -> bool {
        let mut covered =
            (self.kinds.iter()).filter(|(other, _)| other.capability() == kind.capability());
        match kind {
            Kind::Tool => true,
            Kind::Completion => self.completes,
            _ => covered.any(|(_, of_kind)| !of_kind.by_serial.is_empty()),
        }
    }

    /// Whether the server declares that it sends log messages.
    pub(crate) fn may_log(&self) -> bool {
        self.may_log
    }

    /// Whether the server declares the extension for tasks.
    pub(crate) fn has_tasks(&self) -> bool {
        self.task_code.is_some()
    }

    /// Returns the code of tasks, if the server has tools whose calls may become tasks.
    pub(crate) fn task_code(&self) -> Option<&'static dyn TaskCode> {
        self.task_code
    }

    /// Returns the code of asking, if a primitive's call may ask its client.
    #[cfg(feature = "cli")]
    pub(crate) fn ask_code(&self) -> Option<&'static crate::call::AskCode> {
        let mut all = self.kinds.values().flat_map(|kind| kind.by_serial.values());
        all.find_map(|entry| entry.target.ask_code)
    }

    /// Returns the page of a kind at a position, or the first one, in the order of
    /// registration.
    pub(crate) fn page(
        &self,
        kind: Kind,
        principal: &Principal,
        position: Option<&str>,
        items: usize,
    ) -> Result<Page, RpcError> {
        // The serial number of the last entry, and no count of entries: it remains
        // correct when primitives are added or removed, and when the caller's scopes
        // change.
        let after = match position {
            None => 0,
            Some(serial) => serial_of(serial).ok_or_else(unknown_cursor)?,
        };
        Ok(self.page_after(kind, principal, after, items))
    }

    /// Returns the page of a kind that begins after the entry with this serial
    /// number.
    pub(super) fn page_after(
        &self,
        kind: Kind,
        principal: &Principal,
        after: u64,
        items: usize,
    ) -> Page {
        let mut seen = self
            .after_serial(kind, after)
            .filter(|entry| entry.is_visible_to(principal) && !entry.is_provider());
        let entries: Vec<_> = seen.by_ref().take(items).cloned().collect();
        let next = match (seen.next(), entries.last()) {
            (Some(_), Some(last)) => Some(last.serial.to_string()),
            _ => None,
        };
        Page {
            entries,
            next,
            is_private: self.kinds.get(&kind).is_some_and(|kind| kind.is_private),
        }
    }

    /// Returns everything of a kind after a serial number, hidden entries too, in
    /// the order of registration.
    pub(super) fn after_serial(
        &self,
        kind: Kind,
        serial: u64,
    ) -> impl Iterator<Item = &Arc<Entry>> {
        let later = (Bound::Excluded(serial), Bound::Unbounded);
        let of_kind = self.kinds.get(&kind).into_iter();
        of_kind.flat_map(move |kind| kind.by_serial.range(later).map(|(_, entry)| entry))
    }

    /// Returns everything that is wrong with `steps`, each with the fix;
    /// `of_primitive` returns what is wrong with a primitive by itself.
    pub(super) fn problems<P: Named>(
        &self,
        steps: &[Step<P>],
        of_primitive: impl Fn(&P) -> Vec<String>,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        let mut added = HashSet::new();
        let mut removed = HashSet::new();
        for step in steps {
            if let Step::Add(primitive) | Step::Replace(primitive) = step {
                problems.extend(of_primitive(primitive));
            }
            let (kind, name) = step.key();
            let is_there = added.contains(&(kind, name))
                || self.entry(kind, name).is_some() && !removed.contains(&(kind, name));
            match step {
                Step::Add(_) if is_there && kind.capability() == Kind::Resource => {
                    problems.push(format!("two {kind}s have the URI \"{name}\"; change one"));
                }
                Step::Add(_) if is_there && kind.capability() == Kind::Method => {
                    problems.push(format!(
                        "two extensions, or one of them twice, declare the {kind} \"{name}\"; remove one"
                    ));
                }
                Step::Add(_) if is_there => problems.push(format!(
                    "two {kind}s are named \"{name}\"; rename one, for example with #[{kind}(name = \"…\")] or the prefix of a router"
                )),
                Step::Add(_) => {
                    added.insert((kind, name));
                    removed.remove(&(kind, name));
                }
                _ if !is_there => problems.push(format!(
                    "there is no {kind} \"{}\" to {}",
                    crate::support::text::excerpt(name),
                    step.verb()
                )),
                Step::Remove(_) => {
                    added.remove(&(kind, name));
                    if self.entry(kind, name).is_some() {
                        removed.insert((kind, name));
                    }
                }
                Step::Replace(_) | Step::Hide(_) | Step::Show(_) => {}
            }
        }
        let mut seen = HashSet::new();
        let new_templates = steps.iter().filter_map(|step| match step {
            Step::Add(primitive) => {
                let key = step.key();
                let is_new = added.contains(&key) && seen.insert(key);
                primitive.template().filter(|_| is_new)
            }
            _ => None,
        });
        let stays = |name: &str| {
            let key = (Kind::ResourceTemplate, name);
            !removed.contains(&key) && !added.contains(&key)
        };
        problems.extend(self.template_problems(new_templates, stays));
        // An entry that was removed and added again is only in `added`.
        let replaced = added
            .iter()
            .filter(|(kind, name)| self.entry(*kind, name).is_some())
            .count();
        let number = self.len() + added.len() - replaced - removed.len();
        if number > MOST_PRIMITIVES {
            problems.push(format!(
                "there would be {number} primitives; a server has at most {MOST_PRIMITIVES}"
            ));
        }
        problems
    }

    /// Returns another snapshot, with `steps` applied, which have no problems.
    /// Calls see either this one or the other. What no snapshot has any more
    /// goes into `gone`: it is dropped once the registry is not locked, since
    /// that may run the code of its author.
    pub(super) fn after(
        &self,
        steps: Vec<Step<Prepared>>,
        policy: &Policy,
        network_rate: Option<&RateLimit>,
        gone: &mut Vec<Arc<Entry>>,
    ) -> Self {
        let mut next = self.clone();
        let of_templates = |step: &Step<Prepared>| step.key().0 == Kind::ResourceTemplate;
        let has_templates = steps.iter().any(of_templates);
        for step in steps {
            match step {
                Step::Add(prepared) => {
                    next.last_serial += 1;
                    let entry = prepared.entry(policy, next.last_serial, network_rate);
                    gone.extend(next.put(entry));
                }
                Step::Replace(prepared) => {
                    let (kind, name) = prepared.key();
                    if let Some(old) = next.entry(kind, name) {
                        let (serial, is_hidden) = (old.serial, old.is_hidden);
                        let mut entry = prepared.entry(policy, serial, network_rate);
                        entry.is_hidden = is_hidden;
                        gone.extend(next.put(entry));
                    }
                }
                Step::Remove((kind, name)) => {
                    if let Some(of_kind) = next.kinds.get_mut(&kind)
                        && let Some(entry) = of_kind.by_name.remove(name.as_str())
                    {
                        of_kind.by_serial.remove(&entry.serial);
                        gone.push(entry);
                    }
                }
                Step::Hide(key) => next.set_hidden(&key, true),
                Step::Show(key) => next.set_hidden(&key, false),
            }
        }
        for of_kind in next.kinds.values_mut() {
            let mut entries = of_kind.by_serial.values();
            of_kind.is_private = entries.any(|entry| entry.target.differs_by_caller());
        }
        if has_templates {
            next.order_templates();
        }
        next
    }

    /// Returns another snapshot, with another default rate over HTTP.
    #[cfg(all(feature = "cli", feature = "http"))]
    pub(super) fn with_network_rate(&self, rate: Option<&RateLimit>) -> Self {
        let mut next = self.clone();
        let entries = self.kinds.values().flat_map(|kind| kind.by_serial.values());
        for entry in entries {
            next.put(entry.with_network_rate(rate));
        }
        next.order_templates();
        next
    }

    fn set_hidden(&mut self, (kind, name): &Key, is_hidden: bool) {
        if let Some(entry) = self.entry(*kind, name) {
            let mut entry = Entry::clone(entry);
            entry.is_hidden = is_hidden;
            self.put(entry);
        }
    }

    /// Returns the entry that had its place.
    fn put(&mut self, entry: Entry) -> Option<Arc<Entry>> {
        let entry = Arc::new(entry);
        self.may_log |= entry.target.asks();
        let task = entry.target.task.as_ref();
        self.task_code = self.task_code.or(task.map(|task| task.code));
        self.completes |= !entry.completed.is_empty();
        let of_kind = self.kinds.entry(entry.target.info.kind()).or_default();
        of_kind
            .by_name
            .insert(entry.name().into(), Arc::clone(&entry));
        of_kind.by_serial.insert(entry.serial, entry)
    }
}

/// Reads a serial number in a position.
pub(super) fn serial_of(text: &str) -> Option<u64> {
    text.parse().ok()
}

pub(crate) fn unknown_cursor() -> RpcError {
    RpcError::invalid_params(
        "Invalid params: unknown cursor; request the list again without a cursor",
    )
}

impl<P: Named> Step<P> {
    pub(super) fn key(&self) -> (Kind, &str) {
        match self {
            Self::Add(primitive) | Self::Replace(primitive) => primitive.key(),
            Self::Remove((kind, name)) | Self::Hide((kind, name)) | Self::Show((kind, name)) => {
                (*kind, name)
            }
        }
    }

    fn verb(&self) -> &'static str {
        match self {
            Self::Add(_) => "add",
            Self::Replace(_) => "replace",
            Self::Remove(_) => "remove",
            Self::Hide(_) => "hide",
            Self::Show(_) => "show",
        }
    }
}

impl Step {
    /// Asks the middlewares of a primitive whether they apply to it. That is
    /// code of their author, so the registry is not locked.
    pub(super) fn prepare(self, policy: &Policy) -> Step<Prepared> {
        match self {
            Self::Add(registration) => Step::Add(policy.prepare(registration)),
            Self::Replace(registration) => Step::Replace(policy.prepare(registration)),
            Self::Remove(key) => Step::Remove(key),
            Self::Hide(key) => Step::Hide(key),
            Self::Show(key) => Step::Show(key),
        }
    }
}

impl Named for Registration {
    fn key(&self) -> (Kind, &str) {
        (self.kind(), self.name())
    }

    fn template(&self) -> Option<&UriTemplate> {
        self.definition.template()
    }
}

impl Named for Prepared {
    fn key(&self) -> (Kind, &str) {
        (self.info().kind(), self.info().name())
    }

    fn template(&self) -> Option<&UriTemplate> {
        self.definition.template()
    }
}
