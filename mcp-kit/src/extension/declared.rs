//! The extensions of a server, as requests find them, and what is wrong with them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::primitive::Kind;
use crate::protocol::{Era, TASKS, declares_extension};
use crate::support::text::excerpt;

/// An extension that was declared, without what is registered as primitives.
pub(crate) struct Declared {
    pub(super) identifier: Arc<str>,
    /// As JSON.
    pub(super) settings: String,
    /// Whether it is also declared to clients before 2026-07-28.
    pub(super) is_legacy: bool,
    pub(super) methods: Vec<DeclaredMethod>,
    /// The notifications that it sends.
    pub(super) sends: Vec<String>,
    pub(super) problems: Vec<String>,
}

/// A method or notification of an extension.
pub(crate) struct DeclaredMethod {
    pub(super) kind: Kind,
    pub(super) name: String,
    #[cfg_attr(not(feature = "http"), expect(dead_code, reason = "for a header"))]
    pub(super) name_parameter: Option<String>,
}

/// The extensions of a server.
#[derive(Default)]
pub(crate) struct Extensions {
    declared: Vec<Declared>,
    /// By kind and name: the extension, and the method in it.
    methods: HashMap<String, (usize, usize)>,
    /// The extensions that send notifications, by these.
    senders: HashMap<String, usize>,
}

impl Extensions {
    pub(crate) fn add(&mut self, extension: Declared) {
        let at = self.declared.len();
        for (number, method) in extension.methods.iter().enumerate() {
            self.methods.insert(method.name.clone(), (at, number));
        }
        let sends = extension.sends.iter();
        self.senders.extend(sends.map(|name| (name.clone(), at)));
        self.declared.push(extension);
    }

    /// Returns the method or notification of this name, if clients of this era may
    /// send it.
    pub(crate) fn find(&self, kind: Kind, name: &str, era: Era) -> Option<&DeclaredMethod> {
        let (extension, method) = self.methods.get(name)?;
        let extension = self.declared.get(*extension)?;
        let method = extension.methods.get(*method)?;
        let is_there = method.kind == kind && (era == Era::Modern || extension.is_legacy);
        is_there.then_some(method)
    }

    /// Returns the identifier of the extension that sends a notification.
    pub(crate) fn sender_of(&self, notification: &str) -> Option<&str> {
        let extension = self.declared.get(*self.senders.get(notification)?)?;
        Some(&extension.identifier)
    }

    /// Returns the identifiers and settings, as JSON, of the extensions that clients of
    /// this era see.
    pub(crate) fn of_era(&self, era: Era) -> impl Iterator<Item = (&Arc<str>, &str)> {
        let seen = self.declared.iter();
        let seen = seen.filter(move |extension| era == Era::Modern || extension.is_legacy);
        seen.map(|extension| (&extension.identifier, extension.settings.as_str()))
    }

    /// Returns the extensions of the server that a legacy client declares with these
    /// capabilities.
    pub(crate) fn declared_with(&self, capabilities: &str) -> Vec<Arc<str>> {
        let seen = self.of_era(Era::Legacy).map(|(identifier, _)| identifier);
        seen.filter(|identifier| declares_extension(capabilities, identifier))
            .cloned()
            .collect()
    }

    /// Returns everything that is wrong with the extensions of a server, each with the fix.
    /// `is_core` is whether the protocol itself has a method or notification of this name.
    pub(crate) fn problems(&self, is_core: fn(&str) -> bool) -> Vec<String> {
        let mut problems = Vec::new();
        let (mut identifiers, mut sent) = (HashSet::new(), HashSet::new());
        for extension in &self.declared {
            let identifier = &*extension.identifier;
            let named =
                |problem: String| format!("extension \"{}\": {problem}", excerpt(identifier));
            problems.extend(identifier_problem(identifier));
            if !identifiers.insert(identifier) {
                problems.push(named("it is declared twice; remove one".to_owned()));
            }
            problems.extend(extension.problems.iter().cloned().map(named));
            let received = extension.methods.iter();
            let received = received.map(|method| (method.kind, method.name.as_str()));
            let sends = extension.sends.iter();
            let sends = sends.map(|name| (Kind::Notification, name.as_str()));
            for (kind, name) in received.chain(sends) {
                problems.extend(name_problem(kind, name, is_core).map(named));
            }
            for name in &extension.sends {
                if !sent.insert(name.as_str()) {
                    let problem =
                        format!("the notification \"{name}\" is declared twice; remove one");
                    problems.push(named(problem));
                }
            }
        }
        problems
    }
}

impl DeclaredMethod {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the parameter that the `Mcp-Name` header repeats.
    #[cfg(feature = "http")]
    pub(crate) fn name_parameter(&self) -> Option<&str> {
        self.name_parameter.as_deref()
    }
}

/// Returns what is wrong with an identifier. (2026-07-28, "Extension Negotiation".)
fn identifier_problem(identifier: &str) -> Option<String> {
    if identifier == TASKS {
        return Some(format!(
            "the extension \"{TASKS}\" is the server's own: it is declared once there is a tool with `task`; remove it"
        ));
    }
    let is_label = |label: &str| {
        label.starts_with(|first: char| first.is_ascii_alphabetic())
            && label.ends_with(|last: char| last.is_ascii_alphanumeric())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.ends_with(|last: char| last.is_ascii_alphanumeric())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let is_valid = identifier.len() <= 256
        && identifier
            .split_once('/')
            .is_some_and(|(prefix, name)| prefix.split('.').all(is_label) && is_name(name));
    (!is_valid).then(|| {
        format!(
            "\"{}\" is not a valid extension identifier: use a reverse domain name, a slash and a name, such as \"com.example/notes\", at most 256 bytes in all",
            excerpt(identifier)
        )
    })
}

fn name_problem(kind: Kind, name: &str, is_core: fn(&str) -> bool) -> Option<String> {
    const PREFIX: &str = "notifications/";

    let shown = excerpt(name);
    let is_notification = kind == Kind::Notification;
    if is_core(name) || name.starts_with("rpc.") {
        return Some(format!(
            "the {kind} \"{shown}\" belongs to the protocol, which an extension cannot redefine; choose another name, such as \"{}notes/{}\"",
            if is_notification { PREFIX } else { "" },
            if is_notification { "changed" } else { "list" },
        ));
    }
    if name.starts_with(PREFIX) != is_notification {
        return Some(if is_notification {
            format!("the notification \"{shown}\" must begin with \"{PREFIX}\"")
        } else {
            format!("the method \"{shown}\" must not begin with \"{PREFIX}\"; it is a request")
        });
    }
    let is_valid = (1..=128).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_./-".contains(&byte));
    (!is_valid).then(|| {
        format!(
            "\"{shown}\" is not a valid {kind} name: use 1 to 128 characters of A-Z a-z 0-9 _ . / -"
        )
    })
}
