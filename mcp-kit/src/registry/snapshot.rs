//! A snapshot of what a server offers: found by name, listed in pages, and
//! replaced by another for each change.

use std::collections::HashMap;
use std::sync::Arc;

use super::entry::{Entry, Policy, Prepared};
use super::resources::ResourceCode;
use super::steps::{Key, Named as _, Step};
use crate::call::{Completing, Target};
use crate::caller::Principal;
use crate::middleware::RateLimit;
use crate::primitive::{Kind, TaskCode};
use crate::protocol::RpcError;

/// The primitives of a server at one moment.
#[derive(Clone, Default)]
pub(crate) struct Snapshot {
    /// In the order of the kinds, of which there are few.
    kinds: Vec<(Kind, OfKind)>,
    /// The templates and providers of resources, so that the first one that
    /// matches a URI is the most specific.
    pub(super) templates: Arc<[Arc<Entry>]>,
    /// The serial number of the entry that was registered last.
    last_serial: u64,
    /// Whether a primitive that was ever registered may send log messages.
    may_log: bool,
    /// Of a primitive that was ever registered and whose calls may become tasks.
    task_code: Option<&'static dyn TaskCode>,
    /// The code of resources, if one was ever registered.
    resource_code: Option<&'static ResourceCode>,
    /// How arguments are completed, if a primitive that was ever registered has
    /// suggestions for its own.
    completing: Option<&'static Completing>,
}

/// The primitives of one kind.
#[derive(Clone, Default)]
struct OfKind {
    by_name: HashMap<Arc<str>, Arc<Entry>, foldhash::fast::RandomState>,
    /// In the order of registration: by serial number.
    in_order: Vec<Arc<Entry>>,
    /// Whether another caller may see a different list.
    is_private: bool,
    /// Whether `in_order` still has what was removed from `by_name`.
    has_removed: bool,
}

impl OfKind {
    /// Removes from the order what was removed, all at once.
    fn forget_removed(&mut self) {
        if std::mem::take(&mut self.has_removed) {
            let Self { by_name, .. } = self;
            let is_there = |entry: &Arc<Entry>| {
                let named = by_name.get(entry.name());
                named.is_some_and(|named| named.serial == entry.serial)
            };
            self.in_order.retain(is_there);
        }
    }
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
        completion.filter(|_| self.completing.is_some() && !entry.is_hidden)
    }

    pub(crate) fn entry(&self, kind: Kind, name: &str) -> Option<&Arc<Entry>> {
        self.of_kind(kind)?.by_name.get(name)
    }

    /// Returns everything of a kind that is not hidden, in the order of
    /// registration.
    pub(crate) fn shown(&self, kind: Kind) -> impl Iterator<Item = &Arc<Entry>> {
        let entries = self.in_order(kind).iter();
        entries.filter(|entry| !entry.is_hidden)
    }

    /// Returns everything that is not hidden: the kinds one after the other,
    /// each in the order of registration.
    pub(crate) fn all_shown(&self) -> impl Iterator<Item = &Arc<Entry>> {
        let entries = self.kinds.iter().flat_map(|(_, kind)| &kind.in_order);
        entries.filter(|entry| !entry.is_hidden)
    }

    pub(crate) fn len(&self) -> usize {
        self.kinds.iter().map(|(_, kind)| kind.in_order.len()).sum()
    }

    fn of_kind(&self, kind: Kind) -> Option<&OfKind> {
        let mut kinds = self.kinds.iter();
        kinds
            .find(|(other, _)| *other == kind)
            .map(|(_, kind)| kind)
    }

    fn in_order(&self, kind: Kind) -> &[Arc<Entry>] {
        self.of_kind(kind).map_or(&[], |kind| &kind.in_order)
    }

    /// Returns the kinds with lists that the server declares as its capabilities:
    /// those of which it has a primitive, and always tools. Any server can gain tools at
    /// run time, and a client that sees no such capability never lists them
    /// again.
    pub(crate) fn capabilities(&self) -> impl Iterator<Item = Kind> {
        let all = [Kind::Tool, Kind::Prompt, Kind::Resource].into_iter();
        all.filter(|kind| self.declares(*kind))
    }

    /// Whether the server declares the capability for a kind.
    pub(crate) fn declares(&self, kind: Kind) -> bool {
        let is_covered = |(other, of_kind): &(Kind, OfKind)| {
            other.capability() == kind.capability() && !of_kind.in_order.is_empty()
        };
        match kind {
            Kind::Tool => true,
            Kind::Completion => self.completing.is_some(),
            _ => self.kinds.iter().any(is_covered),
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

    /// Returns a result of a kind for people. Kinds of one capability show theirs alike.
    #[cfg(feature = "cli")]
    pub(crate) fn shown_result(&self, kind: Kind, result: &serde_json::Value) -> Option<String> {
        let mut all = (self.kinds.iter())
            .filter(|(other, _)| other.capability() == kind.capability())
            .flat_map(|(_, of_kind)| &of_kind.in_order);
        Some(all.next()?.definition.shown_result(result))
    }

    /// Returns the code of asking, if a primitive's call may ask its client.
    #[cfg(feature = "cli")]
    pub(crate) fn ask_code(&self) -> Option<&'static crate::call::AskCode> {
        let mut all = self.kinds.iter().flat_map(|(_, kind)| &kind.in_order);
        all.find_map(|entry| entry.target.ask_code)
    }

    /// Returns how arguments are completed, if the server declares that it does.
    pub(crate) fn completing(&self) -> Option<&'static Completing> {
        self.completing
    }

    /// Returns the code of resources, if the server has any.
    pub(crate) fn resource_code(&self) -> Option<&'static ResourceCode> {
        self.resource_code
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
            is_private: self.of_kind(kind).is_some_and(|kind| kind.is_private),
        }
    }

    /// Returns everything of a kind after a serial number, hidden entries too, in
    /// the order of registration.
    pub(super) fn after_serial(
        &self,
        kind: Kind,
        serial: u64,
    ) -> impl Iterator<Item = &Arc<Entry>> {
        let entries = self.in_order(kind);
        let at = entries.partition_point(|entry| entry.serial <= serial);
        entries[at..].iter()
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
                    next.resource_code = next.resource_code.or(prepared.resource_code);
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
                    let of_kind = next.of_kind_mut(kind);
                    if let Some(entry) = of_kind.by_name.remove(name.as_str()) {
                        of_kind.has_removed = true;
                        gone.push(entry);
                    }
                }
                Step::Hide(key) => next.set_hidden(&key, true),
                Step::Show(key) => next.set_hidden(&key, false),
            }
        }
        for (_, of_kind) in &mut next.kinds {
            of_kind.forget_removed();
            let mut entries = of_kind.in_order.iter();
            of_kind.is_private = entries.any(|entry| entry.target.differs_by_caller());
        }
        if has_templates && let Some(code) = next.resource_code {
            (code.order_templates)(&mut next);
        }
        next
    }

    /// Returns another snapshot, with another default rate over HTTP.
    #[cfg(all(feature = "cli", feature = "http"))]
    pub(super) fn with_network_rate(&self, rate: Option<&RateLimit>) -> Self {
        let mut next = self.clone();
        let entries = self.kinds.iter().flat_map(|(_, kind)| &kind.in_order);
        for entry in entries {
            next.put(entry.with_network_rate(rate));
        }
        if let Some(code) = next.resource_code {
            (code.order_templates)(&mut next);
        }
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
        if !entry.completed.is_empty() {
            self.completing = self.completing.or(entry.target.kind.completing);
        }
        let of_kind = self.of_kind_mut(entry.target.info.kind());
        of_kind
            .by_name
            .insert(entry.name().into(), Arc::clone(&entry));
        let entries = &mut of_kind.in_order;
        let at = entries.partition_point(|other| other.serial < entry.serial);
        match entries.get_mut(at) {
            Some(old) if old.serial == entry.serial => Some(std::mem::replace(old, entry)),
            _ => {
                entries.insert(at, entry);
                None
            }
        }
    }

    fn of_kind_mut(&mut self, kind: Kind) -> &mut OfKind {
        let at = self.kinds.partition_point(|(other, _)| *other < kind);
        if self.kinds.get(at).is_none_or(|(other, _)| *other != kind) {
            self.kinds.insert(at, (kind, OfKind::default()));
        }
        &mut self.kinds[at].1
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
