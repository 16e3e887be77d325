//! Announces changes of the registry to those whose own lists have changed.
//!
//! ```text
//!   Registry::update ─► ListChanges ─► Followers ─► each Follower: is my list another one?
//! ```
//!
//! A follower stores *that* a list has changed, and not how often or in what
//! way: a client that reads late lists once, and sees the latest state.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::Entry;
use super::snapshot::Snapshot;
use super::steps::Key;
use crate::call::ResourceUri;
use crate::caller::Principal;
use crate::primitive::Kind;
use crate::protocol::Era;
use crate::support::lock::Lock;

/// A list whose changes clients can follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum List {
    Tools,
    Prompts,
    Resources,
}

impl List {
    pub(crate) const ALL: [Self; 3] = [Self::Tools, Self::Prompts, Self::Resources];

    /// Returns the list whose notification announces primitives of this kind, if
    /// they are in one.
    pub(crate) const fn of(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::Tool => Self::Tools,
            Kind::Prompt => Self::Prompts,
            Kind::Resource | Kind::ResourceTemplate => Self::Resources,
            Kind::Completion | Kind::Method | Kind::Notification => return None,
        })
    }

    /// Returns its capability, which is also part of the names on the wire:
    /// `notifications/tools/list_changed`, `toolsListChanged`.
    pub(crate) const fn capability(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
        }
    }
}

/// A set of lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lists(u8);

impl Lists {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn with(self, list: List) -> Self {
        Self(self.0 | 1 << list as u8)
    }

    pub(crate) const fn without(self, list: List) -> Self {
        Self(self.0 & !(1 << list as u8))
    }

    pub(crate) const fn has(self, list: List) -> bool {
        self.0 & (1 << list as u8) != 0
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = List> {
        List::ALL.into_iter().filter(move |list| self.has(*list))
    }
}

impl FromIterator<List> for Lists {
    fn from_iter<I: IntoIterator<Item = List>>(lists: I) -> Self {
        lists.into_iter().fold(Self::NONE, Self::with)
    }
}

/// The entries that one change of the registry touched.
pub(crate) struct ListChanges(Vec<Touched>);

/// An entry before and after a change.
struct Touched {
    list: List,
    before: Option<Arc<Entry>>,
    after: Option<Arc<Entry>>,
}

impl ListChanges {
    /// Compares two snapshots in the entries with these keys.
    pub(super) fn between(
        before: &Snapshot,
        after: &Snapshot,
        keys: impl IntoIterator<Item = Key>,
    ) -> Self {
        let touched = keys.into_iter().filter_map(|(kind, name)| {
            Some(Touched {
                list: List::of(kind)?,
                before: before.entry(kind, &name).cloned(),
                after: after.entry(kind, &name).cloned(),
            })
        });
        let mut touched: Vec<_> = touched.filter(|touched| touched.is_visible()).collect();
        // A change of many primitives usually concerns few audiences: one of
        // each is enough.
        let mut audiences = HashSet::new();
        touched.retain(|touched| audiences.insert(touched.audience()));
        Self(touched)
    }

    /// Returns the change of a provider's resources, which those see who see the
    /// provider.
    pub(super) fn of_provider(provider: Arc<Entry>) -> Self {
        Self(vec![Touched {
            list: List::Resources,
            before: None,
            after: Some(provider),
        }])
    }

    /// Returns the lists that are different for this caller.
    pub(crate) fn seen_by(&self, principal: &Principal) -> Lists {
        let mut lists = Lists::NONE;
        for touched in &self.0 {
            if !lists.has(touched.list) && touched.is_seen_by(principal) {
                lists = lists.with(touched.list);
            }
        }
        lists
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The scopes that a caller must hold to see an entry, and its name if its author
/// decides about each caller; `None` if it is hidden.
type Audience = Option<(Vec<String>, Option<String>)>;

impl Touched {
    /// Whether the change can be seen by a caller that sees both entries, or
    /// the one that is there.
    fn is_visible(&self) -> bool {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                !before.is_listed_like(after) || audience(Some(before)) != audience(Some(after))
            }
            (before, after) => before.is_some() || after.is_some(),
        }
    }

    fn is_seen_by(&self, principal: &Principal) -> bool {
        let seen = |entry: &Option<Arc<Entry>>| {
            let entry = entry.as_ref()?;
            entry.is_visible_to(principal).then(|| Arc::clone(entry))
        };
        match (seen(&self.before), seen(&self.after)) {
            (Some(before), Some(after)) => !before.is_listed_like(&after),
            (before, after) => before.is_some() || after.is_some(),
        }
    }

    /// Returns what decides who sees the change, in addition to the caller.
    fn audience(&self) -> (List, Audience, Audience, bool) {
        let is_relisted = matches!(
            (&self.before, &self.after),
            (Some(before), Some(after)) if !before.is_listed_like(after)
        );
        let (before, after) = (
            audience(self.before.as_ref()),
            audience(self.after.as_ref()),
        );
        (self.list, before, after, is_relisted)
    }
}

fn audience(entry: Option<&Arc<Entry>>) -> Audience {
    let entry = entry.filter(|entry| !entry.is_hidden)?;
    let scopes = entry.target.info.scopes().map(str::to_owned).collect();
    let name = entry
        .target
        .readable_by
        .is_some()
        .then(|| entry.name().to_owned());
    Some((scopes, name))
}

impl Entry {
    /// Whether a caller sees it in its list: the rule that also decides whether
    /// the caller can use it. Of a template it decides about the template alone;
    /// [`is_readable_by`](Self::is_readable_by) also about the URI.
    pub(crate) fn is_visible_to(&self, principal: &Principal) -> bool {
        let info = &self.target.info;
        !self.is_hidden
            && info.missing_scope(principal).is_none()
            && (info.kind() == Kind::ResourceTemplate
                || self.target.readable_by.is_none()
                || (self.target).allows(principal, &ResourceUri::new(info.name(), Vec::new())))
    }

    /// Whether lists show both at the same place and in the same words.
    fn is_listed_like(&self, other: &Self) -> bool {
        let eras = [Era::Legacy, Era::Modern];
        self.serial == other.serial
            && eras
                .iter()
                .all(|era| self.listed(*era) == other.listed(*era))
    }
}

/// Learns of the changes of a registry.
pub(crate) trait Follower: Send + Sync {
    /// Some lists have changed, for some callers.
    fn lists_changed(&self, changes: &ListChanges);
}

/// The followers of a registry.
#[derive(Default)]
pub(crate) struct Followers {
    next: AtomicU64,
    all: Lock<HashMap<u64, Weak<dyn Follower>>>,
}

/// A follower is notified until this is dropped.
pub(crate) struct Following {
    followers: Arc<Followers>,
    number: u64,
}

impl Followers {
    pub(crate) fn add(self: &Arc<Self>, follower: Weak<dyn Follower>) -> Following {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.all.lock().insert(number, follower);
        Following {
            followers: Arc::clone(self),
            number,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.lock().is_empty()
    }

    /// Notifies every follower, none of them under a lock.
    pub(super) fn announce(&self, changes: &ListChanges) {
        if changes.is_empty() {
            return;
        }
        let followers: Vec<_> = self.all.lock().values().cloned().collect();
        for follower in followers.iter().filter_map(Weak::upgrade) {
            follower.lists_changed(changes);
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.followers.all.lock().remove(&self.number);
    }
}
