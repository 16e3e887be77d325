//! Finds what a URI is read from, and lists resources that providers have.
//!
//! One rule decides whether a caller may list, read and watch a URI
//! ([`Entry::is_readable_by`]): the entry is not hidden, the caller holds its scopes,
//! and its author's `readable_by` allows it.

use std::sync::Arc;

use super::Entry;
use super::snapshot::{Page, Snapshot, serial_of, unknown_cursor};
use crate::call::{ListRequest, ResourceUri};
use crate::caller::Principal;
use crate::primitive::{Kind, Relation, UriProblem, UriTemplate, Values, normalised};
use crate::protocol::{Era, RpcError};

/// The most templates and providers of one server: a URI is compared with each.
const MOST_TEMPLATES: usize = 1_000;

/// What a URI is read from.
pub(crate) struct Resolved {
    pub(crate) entry: Arc<Entry>,
    pub(crate) uri: ResourceUri,
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

    pub(crate) fn is_hidden(&self) -> bool {
        self.is_hidden
    }

    /// Whether the caller may read and watch a URI of the entry.
    pub(crate) fn is_readable_by(&self, principal: &Principal, uri: &ResourceUri) -> bool {
        self.is_visible_to(principal) && self.target.allows(principal, uri)
    }
}

impl Snapshot {
    /// Finds what a URI is read from: the resource with this URI, otherwise the
    /// most specific template or provider, also if it is hidden. A hidden one does
    /// not uncover another.
    pub(crate) fn resolve(&self, uri: &str) -> Result<Option<Resolved>, UriProblem> {
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

    /// Whether this caller may read, and therefore watch, a URI: whether there is
    /// a resource, template or provider for it that the caller may see. Whether the
    /// resource itself exists is not checked.
    pub(crate) fn may_read(&self, principal: &Principal, uri: &str) -> bool {
        let resolved = self.resolve(uri).ok().flatten();
        resolved.is_some_and(|resolved| resolved.entry.is_readable_by(principal, &resolved.uri))
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
    pub(super) fn order_templates(&mut self) {
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
    pub(super) fn template_problems<'r>(
        &'r self,
        added: impl Iterator<Item = &'r UriTemplate>,
        stays: impl Fn(&str) -> bool,
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
