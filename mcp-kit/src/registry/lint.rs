//! Finds warnings about all primitives together: what works, but could serve
//! models and hosts better. What cannot work is an error of `build()`; warnings
//! about one primitive are in `primitive::lint` and `tool::lint`.

use std::collections::HashMap;
use std::collections::hash_map::Entry::{Occupied, Vacant};

use super::snapshot::Snapshot;
use super::store::Store;
use super::{Entry, Warning};
use crate::primitive::{Kind, WarningCode};

/// Warnings of the server.
type Found = Vec<(WarningCode, String)>;

impl Store {
    /// Returns the warnings in force, and how many were accepted.
    pub(crate) fn warnings(&self) -> (Vec<Warning>, usize) {
        let current = self.current();
        let mut warnings = current.all_warnings();
        let number = warnings.len();
        warnings.retain(|warning| {
            !self.policy().accepted_warnings.contains(&warning.code)
                && !warning
                    .primitive()
                    .and_then(|(kind, name)| current.entry(kind, name))
                    .is_some_and(|entry| entry.accepts(warning.code))
        });
        let accepted = number - warnings.len();
        (warnings, accepted)
    }
}

impl Entry {
    fn warnings(&self) -> impl Iterator<Item = Warning> {
        let found = self
            .definition
            .warnings(&self.target.info, self.target.timeout);
        found.into_iter().map(|(code, text)| Warning {
            primitive: Some((self.target.info.kind(), self.name().to_owned())),
            code,
            text,
        })
    }
}

impl Snapshot {
    fn all_warnings(&self) -> Vec<Warning> {
        let of_server = self.own_warnings().into_iter();
        let of_server = of_server.map(|(code, text)| Warning {
            primitive: None,
            code,
            text,
        });
        let of_each = self.all_shown().flat_map(|entry| entry.warnings());
        of_each.chain(of_server).collect()
    }

    fn own_warnings(&self) -> Found {
        let mut warnings = Vec::new();
        if self.all_shown().next().is_none() {
            warnings.push((
                WarningCode::NoTools,
                "the server offers nothing; add a tool with .tool::<name>(), or a prompt or a resource likewise".to_owned(),
            ));
        }
        warnings.extend(self.mixed_names(Kind::Tool));
        warnings.extend(self.mixed_names(Kind::Prompt));
        let mut known = HashMap::new();
        for entry in self.all_shown() {
            let (kind, name) = (entry.target.info.kind(), entry.name());
            match known.entry((kind, name.to_ascii_lowercase())) {
                Occupied(other) => warnings.push((
                    WarningCode::SimilarNames,
                    format!(
                        "the names \"{}\" and \"{name}\" differ in case alone; rename one",
                        other.get()
                    ),
                )),
                Vacant(place) => {
                    place.insert(name);
                }
            }
        }
        warnings
    }

    /// Finds two styles among the names of a kind.
    fn mixed_names(&self, kind: Kind) -> Option<(WarningCode, String)> {
        let named = |has: fn(u8) -> bool| {
            let mut names = self.shown(kind).map(|entry| entry.name());
            names.find(|name| name.bytes().any(has))
        };
        let with_underscore = named(|byte| byte == b'_');
        let with_hyphen = named(|byte| byte == b'-');
        let with_capital = named(|byte| byte.is_ascii_uppercase());
        let styles: Vec<_> = [with_underscore, with_hyphen, with_capital]
            .into_iter()
            .flatten()
            .collect();
        match styles[..] {
            [one, other, ..] if one != other => Some((
                WarningCode::MixedNames,
                format!(
                    "the names of {kind}s mix styles (\"{one}\", \"{other}\"); models and people guess names, so keep to one"
                ),
            )),
            _ => None,
        }
    }
}
