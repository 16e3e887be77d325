//! Lists and objects: their items and members, and unknown names.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{MAX_UNKNOWN, Mode, Stop, Walk, Walked};
use crate::schema::Finding;
use crate::schema::node::{Node, ObjectNode, Rest};
use crate::schema::number::Number;
use crate::schema::words;
use crate::schema::words::{Place, Step};
use crate::support::json::to_text;

impl<'v> Walk<'v, '_> {
    pub(super) fn list(&mut self, node: &'v Node, place: Option<&Place<'_>>) -> Walked {
        let Some(rules) = &node.list else {
            return Ok(self.cursor.skip()?);
        };
        let mut seen = BTreeSet::new();
        let mut doubled = false;
        let mut count = 0;
        let mut first = true;
        self.cursor.open(b'[')?;
        while self.cursor.item(&mut first)? {
            self.cursor.peek()?;
            let start = self.cursor.pos();
            let step = Place {
                parent: place,
                step: Step::Index(count),
            };
            match rules.prefix.get(count).copied().or(rules.items) {
                Some(item) => self.value(item, Some(&step))?,
                None => self.cursor.skip()?,
            }
            if rules.unique {
                doubled |= !seen.insert(canonical(self.cursor.slice(start, self.cursor.pos())));
            }
            count += 1;
        }
        if doubled {
            self.wrong(place, || "must not contain the same item twice".into())?;
        }
        self.bounds(count as u64, rules.min, rules.max, "item", "items", place)
    }

    pub(super) fn object(&mut self, node: &'v Node, place: Option<&Place<'_>>) -> Walked {
        let Some(rules) = &node.object else {
            return Ok(self.cursor.skip()?);
        };
        let mut seen = Seen::default();
        let mut count = 0;
        let mut first = true;
        self.cursor.open(b'{')?;
        while let Some(name) = self.cursor.member(&mut first)? {
            count += 1;
            let Some(name) = name.decode() else {
                self.wrong(place, || "every name must be valid Unicode text".into())?;
                self.cursor.skip()?;
                continue;
            };
            match rules.find(&name) {
                Some(index) => {
                    let known = &rules.names[index];
                    let step = Place {
                        parent: place,
                        step: Step::Name(&known.name),
                    };
                    if !seen.insert(index) {
                        self.wrong(Some(&step), || "is given twice".into())?;
                    }
                    self.value(known.node, Some(&step))?;
                }
                None => self.other_member(rules, &name, place)?,
            }
        }
        for (index, name) in rules.names.iter().enumerate() {
            if name.required && !seen.contains(index) {
                let step = Place {
                    parent: place,
                    step: Step::Name(&name.name),
                };
                self.wrong(Some(&step), || "is required".into())?;
            }
        }
        self.bounds(count, rules.min, rules.max, "entry", "entries", place)
    }

    pub(super) fn other_member(
        &mut self,
        rules: &'v ObjectNode,
        name: &str,
        place: Option<&Place<'_>>,
    ) -> Walked {
        let step = Place {
            parent: place,
            step: Step::Key(name),
        };
        // serde has read the keys of what it accepted.
        if self.mode != Mode::Quick
            && let Some(keys) = &rules.keys
            && !keys.holds(name)
        {
            let key = crate::support::text::excerpt(name);
            self.wrong(place, || format!("the key \"{key}\" {}", keys.says()))?;
            if rules.rest == Rest::Refused {
                return Ok(self.cursor.skip()?);
            }
        }
        let start = self.cursor.pos();
        let mut matched = false;
        for (pattern, id) in &rules.patterns {
            if pattern.holds(name) {
                self.cursor.seek(start);
                self.value(*id, Some(&step))?;
                matched = true;
            }
        }
        match rules.rest {
            _ if matched => Ok(()),
            Rest::Any => Ok(self.cursor.skip()?),
            Rest::Node(id) => self.value(id, Some(&step)),
            Rest::Refused => {
                self.unknown(rules, name, place)?;
                Ok(self.cursor.skip()?)
            }
        }
    }

    pub(super) fn unknown(
        &mut self,
        rules: &ObjectNode,
        name: &str,
        place: Option<&Place<'_>>,
    ) -> Walked {
        if self.mode != Mode::Report {
            return Err(Stop::Wrong);
        }
        if self.unknown.len() >= MAX_UNKNOWN {
            self.unlisted += 1;
            return Ok(());
        }
        let mut text = format!(
            "unknown argument \"{}\"",
            crate::support::text::excerpt(name)
        );
        if let Some(meant) = self.meant(rules, name, place) {
            text.push_str(&format!(" (did you mean {meant:?}?)"));
        }
        self.unknown.push(Finding::new(words::path(place), text));
        Ok(())
    }

    /// Returns the name that was probably meant: here, or one level deeper.
    pub(super) fn meant(
        &self,
        rules: &ObjectNode,
        name: &str,
        place: Option<&Place<'_>>,
    ) -> Option<String> {
        let here = rules.names.iter().map(|known| known.name.as_str());
        if let Some(near) = words::nearest(name, here) {
            return Some(near.to_owned());
        }
        let wanted = words::plain_form(name);
        rules.names.iter().find_map(|outer| {
            let below = self.validator.nodes[outer.node].object.as_deref()?;
            let inner = below
                .names
                .iter()
                .find(|n| words::plain_form(&n.name) == wanted)?;
            let mut path = words::path(place);
            words::push_step(&mut path, Step::Name(&outer.name));
            words::push_step(&mut path, Step::Name(&inner.name));
            Some(path)
        })
    }
}

/// The members of an object that have been seen, without an allocation for the
/// first 128.
#[derive(Default)]
struct Seen {
    low: u128,
    high: BTreeSet<usize>,
}

impl Seen {
    /// Returns false if the member was already there.
    fn insert(&mut self, index: usize) -> bool {
        if index >= 128 {
            return self.high.insert(index);
        }
        let bit = 1 << index;
        let new = self.low & bit == 0;
        self.low |= bit;
        new
    }

    fn contains(&self, index: usize) -> bool {
        if index >= 128 {
            self.high.contains(&index)
        } else {
            self.low & (1 << index) != 0
        }
    }
}

/// Returns one text for all spellings of a value.
fn canonical(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Number(number)) => match Number::parse(text) {
            Some(Number::Float(float)) => float.to_string(),
            _ => number.to_string(),
        },
        Ok(value) => to_text(&value),
        Err(_) => text.to_owned(),
    }
}
