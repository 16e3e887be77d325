//! Finds what a URI is read from, and lists resources that providers have.
//!
//! One rule decides whether a caller may list, read and watch a URI
//! ([`Entry::is_readable_by`]): the entry is not hidden, the caller holds its scopes,
//! and its author's `readable_by` allows it.

use std::sync::{Arc, Weak};

use super::snapshot::{Page, Snapshot, serial_of, unknown_cursor};
use super::updates::{ResourceUpdates, Watcher};
use super::watches::Watches;
use super::{Entry, ResourceWatches};
use crate::call::{ListRequest, ResourceUri};
use crate::caller::Principal;
use crate::primitive::{Kind, Relation, UriProblem, UriTemplate, Values, normalised};
use crate::protocol::{Era, RpcError};
use crate::support::json::to_text;

/// The most templates and providers of one server: a URI is compared with each.
const MOST_TEMPLATES: usize = 1_000;

/// The code of resources as the rest of the server reaches it: through one value, which
/// only registrations of resources refer to. The linker drops it, and with it URIs, their
/// templates and watches, from a program without resources.
pub(crate) struct ResourceCode {
    /// Finds what a URI is read from, unless it is hidden.
    pub(crate) find: fn(&Snapshot, &str) -> Result<Option<FoundResource>, UriProblem>,
    /// Returns what is wrong with a URI.
    pub(crate) problem: fn(&str) -> Option<UriProblem>,
    may_read: fn(&Snapshot, &Principal, &str) -> bool,
    list: ListResources,
    /// Makes the watches of a subscription, of at most so many URIs.
    pub(crate) watches: MakeWatches,
    pub(super) order_templates: fn(&mut Snapshot),
    pub(super) template_problems: TemplateProblems,
}

type MakeWatches = fn(&ResourceUpdates, Weak<dyn Watcher>, usize) -> Box<dyn ResourceWatches>;

type ListResources =
    fn(&Snapshot, &Principal, Option<&str>, usize, Era) -> Result<ResourceList, RpcError>;

type TemplateProblems = fn(&Snapshot, &[&UriTemplate], &dyn Fn(&str) -> bool) -> Vec<String>;

pub(super) static RESOURCE_CODE: ResourceCode = ResourceCode {
    find: Snapshot::find_resource,
    problem: |uri| normalised(uri).err(),
    may_read: Snapshot::may_read_uri,
    list: Snapshot::page_of_resources,
    watches: |updates, watcher, most| Box::new(Watches::new(updates, watcher, most)),
    order_templates: Snapshot::order_templates,
    template_problems: Snapshot::template_problems,
};

/// What a URI is read from.
pub(crate) struct FoundResource {
    pub(crate) entry: Arc<Entry>,
    pub(crate) uri: ResourceUri,
    /// The values in the URI of a template, as the arguments of its handler: a JSON
    /// object.
    pub(crate) arguments: Option<String>,
}

/// What a URI is read from, also if it is hidden.
struct Resolved {
    entry: Arc<Entry>,
    uri: ResourceUri,
}

/// A page of a list of resources.
pub(crate) enum ResourceList {
    /// It has only the server's own.
    Page(Page),
    /// A provider completes it.
    Provider(Arc<Entry>, ListRequest),
}

/// The position of a page.
enum After {
    /// After the entry with this serial number.
    Serial(u64),
    /// Inside of a provider's resources: its serial number and its own cursor.
    Provider(u64, String),
}

impl Entry {
    fn template(&self) -> Option<&UriTemplate> {
        self.definition.template()
    }

    pub(crate) fn is_provider(&self) -> bool {
        self.definition.is_provider()
    }

    /// Whether the caller may read and watch a URI of the entry.
    fn is_readable_by(&self, principal: &Principal, uri: &ResourceUri) -> bool {
        self.is_visible_to(principal) && self.target.allows(principal, uri)
    }
}

impl Snapshot {
    /// Whether this caller may read, and therefore watch, a URI: whether there is
    /// a resource, template or provider for it that the caller may see. Whether the
    /// resource itself exists is not checked.
    pub(crate) fn may_read(&self, principal: &Principal, uri: &str) -> bool {
        let code = self.resource_code();
        code.is_some_and(|code| (code.may_read)(self, principal, uri))
    }

    /// Returns a page of the resources that a caller may see: those of the server,
    /// then those of each provider, in the order of registration.
    pub(crate) fn resource_list(
        &self,
        principal: &Principal,
        at: Option<&str>,
        items: usize,
        era: Era,
    ) -> Result<ResourceList, RpcError> {
        match self.resource_code() {
            Some(code) => (code.list)(self, principal, at, items, era),
            None => (self.page(Kind::Resource, principal, at, items)).map(ResourceList::Page),
        }
    }

    fn find_resource(&self, uri: &str) -> Result<Option<FoundResource>, UriProblem> {
        let resolved = self.resolve(uri)?.filter(|found| !found.entry.is_hidden);
        Ok(resolved.map(|Resolved { entry, uri }| {
            let kind = entry.target.info.kind();
            let takes_values = kind == Kind::ResourceTemplate && !entry.is_provider();
            FoundResource {
                arguments: takes_values.then(|| arguments_of(&uri)),
                entry,
                uri,
            }
        }))
    }

    /// Finds what a URI is read from: the resource with this URI, otherwise the
    /// most specific template or provider, also if it is hidden. A hidden one does
    /// not uncover another.
    fn resolve(&self, uri: &str) -> Result<Option<Resolved>, UriProblem> {
        let normal = normalised(uri)?;
        let resolved = |entry: &Arc<Entry>, values: Values<'_>| Resolved {
            entry: Arc::clone(entry),
            uri: ResourceUri::new(uri, values),
        };
        if let Some(entry) = self.entry(Kind::Resource, &normal) {
            return Ok(Some(resolved(entry, Vec::new())));
        }
        Ok(self.templates.iter().find_map(|entry| {
            let values = entry.template()?.matched(&normal)?;
            Some(resolved(entry, values))
        }))
    }

    fn may_read_uri(&self, principal: &Principal, uri: &str) -> bool {
        let resolved = self.resolve(uri).ok().flatten();
        resolved.is_some_and(|resolved| resolved.entry.is_readable_by(principal, &resolved.uri))
    }

    fn page_of_resources(
        &self,
        principal: &Principal,
        at: Option<&str>,
        items: usize,
        era: Era,
    ) -> Result<ResourceList, RpcError> {
        let after = at.map_or(Ok(After::Serial(0)), position)?;
        let (mut page, provider, cursor) = match after {
            After::Serial(after) => {
                let mut page = self.page_after(Kind::Resource, principal, after, items);
                page.is_private |= self.has_provider();
                if page.next.is_some() {
                    return Ok(ResourceList::Page(page));
                }
                (page, self.provider_after(principal, 0), None)
            }
            After::Provider(serial, cursor) => {
                let page = Page {
                    entries: Vec::new(),
                    next: None,
                    is_private: true,
                };
                // Providers that were removed meanwhile are passed over.
                let provider = self.provider_after(principal, serial.saturating_sub(1));
                let is_same = provider.is_some_and(|provider| provider.serial == serial);
                (
                    page,
                    provider,
                    Some(cursor).filter(|cursor| is_same && !cursor.is_empty()),
                )
            }
        };
        let Some(provider) = provider else {
            return Ok(ResourceList::Page(page));
        };
        if page.entries.len() >= items {
            page.next = Some(prefix_of(provider));
            return Ok(ResourceList::Page(page));
        }
        let before = page.entries.iter().map(|entry| entry.listed(era).clone());
        let then = self.provider_after(principal, provider.serial);
        let request = ListRequest {
            cursor,
            before: before.collect(),
            most: items,
            prefix: prefix_of(provider),
            then: then.map(prefix_of),
        };
        Ok(ResourceList::Provider(Arc::clone(provider), request))
    }

    fn has_provider(&self) -> bool {
        self.templates.iter().any(|entry| entry.is_provider())
    }

    /// Returns the first provider after a serial number that the caller may see.
    fn provider_after(&self, principal: &Principal, serial: u64) -> Option<&Arc<Entry>> {
        let all = self.after_serial(Kind::ResourceTemplate, serial);
        let mut providers = all.filter(|entry| entry.is_provider());
        providers.find(|entry| entry.is_visible_to(principal))
    }

    /// Orders the templates so that the first one that matches a URI is the most
    /// specific.
    fn order_templates(&mut self) {
        let mut ordered: Vec<Arc<Entry>> = Vec::new();
        for entry in self.after_serial(Kind::ResourceTemplate, 0) {
            let Some(template) = entry.template() else {
                continue;
            };
            let is_wider = |other: &Arc<Entry>| {
                let other = other.template();
                other.is_some_and(|other| template.relation(other) == Relation::First)
            };
            // In front of the first one that is less specific, everything that is
            // more specific precedes that one.
            let at = ordered.iter().position(is_wider).unwrap_or(ordered.len());
            ordered.insert(at, Arc::clone(entry));
        }
        self.templates = ordered.into();
    }

    /// Returns what is wrong with the templates if `added` join those that `stays`
    /// keeps.
    fn template_problems(
        &self,
        added: &[&UriTemplate],
        stays: &dyn Fn(&str) -> bool,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        let there = self.templates.iter().filter(|entry| stays(entry.name()));
        let mut all: Vec<&UriTemplate> = there.filter_map(|entry| entry.template()).collect();
        for template in added {
            for other in &all {
                if template.relation(other) == Relation::Ambiguous {
                    problems.push(format!(
                        "the templates \"{other}\" and \"{template}\" are ambiguous: one URI can match both, and neither is more specific; change the text of one"
                    ));
                }
            }
            all.push(template);
        }
        if all.len() > MOST_TEMPLATES {
            problems.push(format!(
                "there would be {} templates of resources; a server has at most {MOST_TEMPLATES}, and a provider serves any number of resources",
                all.len()
            ));
        }
        problems
    }
}

/// Writes the values as an object of texts. A parameter that a query has twice is
/// an argument that appears twice.
fn arguments_of(uri: &ResourceUri) -> String {
    let members = uri.values();
    let members = members
        .map(|(name, value)| format!("{}:{}", to_text(&name.into()), to_text(&value.into())));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn position(at: &str) -> Result<After, RpcError> {
    let after = match at.split_once(':') {
        None => serial_of(at).map(After::Serial),
        Some((serial, cursor)) => {
            serial_of(serial).map(|serial| After::Provider(serial, cursor.to_owned()))
        }
    };
    after.ok_or_else(unknown_cursor)
}

/// What precedes a provider's own cursor in a position.
fn prefix_of(provider: &Arc<Entry>) -> String {
    format!("{}:", provider.serial)
}
