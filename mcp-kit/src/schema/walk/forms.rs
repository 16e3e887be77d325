//! Describes the alternatives of a choice, for the report about a value that is
//! none of them.

use serde_json::Value;

use super::Validator;
use crate::schema::node::{Choice, Mark, Node, NodeId, Types};
use crate::schema::words;
use crate::support::json::to_text;

/// The most objects, and members of them, that are listed.
const MAX_OBJECTS: usize = 8;
/// Nested choices are followed to this depth.
const MAX_LEVELS: usize = 8;
/// The most alternatives that are examined.
const MAX_FORMS: usize = 100;

/// The forms that a choice allows.
#[derive(Debug, Default)]
pub(super) struct Forms {
    values: Vec<String>,
    /// Types without a further description.
    types: Option<Types>,
    /// Words of the author or of a format: `a date such as 2026-12-31`.
    worded: Vec<String>,
    /// Names of objects with one member.
    keys: Vec<String>,
    /// A member that names the alternative, and its values.
    tags: Vec<(String, Vec<String>)>,
    /// The required members of other objects.
    objects: Vec<Vec<String>>,
    null: bool,
}

impl Validator {
    pub(super) fn forms(&self, choice: &Choice) -> Forms {
        let mut forms = Forms::default();
        let mut left = MAX_FORMS;
        self.add_choice(choice, MAX_LEVELS, &mut left, &mut forms);
        forms
    }

    fn add_choice(&self, choice: &Choice, levels: usize, left: &mut usize, forms: &mut Forms) {
        for one in &choice.of {
            self.add(one.node, &one.marks, levels, left, forms);
        }
    }

    fn add(&self, id: NodeId, marks: &[Mark], levels: usize, left: &mut usize, forms: &mut Forms) {
        if *left == 0 {
            return;
        }
        *left -= 1;
        let node: &Node = &self.nodes[id];
        if let Some(says) = &node.says {
            let says = says.strip_prefix("must be ").unwrap_or(says);
            return push(&mut forms.worded, says.to_owned());
        }
        if let Some(allowed) = &node.allowed {
            forms.null |= allowed.contains(&Value::Null);
            let values = allowed.iter().filter(|value| !value.is_null());
            values.for_each(|value| push(&mut forms.values, to_text(value)));
            return;
        }
        if let Some(object) = node.object.as_deref()
            && node.types == Types::OBJECT
        {
            let key = marks.iter().find_map(|mark| match mark {
                Mark::Key(names) => names.first(),
                _ => None,
            });
            let tag = marks.iter().find_map(|mark| match mark {
                Mark::Tag(tag, values) => Some((tag, values.first()?)),
                _ => None,
            });
            match (tag, key) {
                (Some((tag, value)), _) => {
                    let value = format!("{value:?}");
                    match forms.tags.iter_mut().find(|(known, _)| known == tag) {
                        Some((_, values)) => push(values, value),
                        None => forms.tags.push((tag.clone(), vec![value])),
                    }
                }
                (None, Some(key)) => {
                    let alone = object.names.first().map_or(key, |name| &name.name);
                    push(&mut forms.keys, format!("{alone:?}"));
                }
                (None, None) => {
                    let required = object.names.iter().filter(|name| name.required);
                    let names = required.map(|name| format!("{:?}", name.name)).collect();
                    if !forms.objects.contains(&names) {
                        forms.objects.push(names);
                    }
                }
            }
            return;
        }
        let parts = (levels > 0).then_some((node.choices.as_slice(), node.all_of.as_slice()));
        match parts {
            Some(([choice], [])) => self.add_choice(choice, levels - 1, left, forms),
            Some(([], [part])) => self.add(*part, marks, levels - 1, left, forms),
            _ => {
                forms.null |= node.admits.meets(Types::NULL);
                let types = Types(node.admits.0 & !Types::NULL.0);
                if types != Types::NONE {
                    forms.types = Some(forms.types.map_or(types, |before| before.or(types)));
                }
            }
        }
    }
}

impl Forms {
    /// Whether there is more than one form, not counting `null`.
    pub(super) fn are_several(&self) -> bool {
        let kinds = self.values.len() + self.worded.len() + self.keys.len() + self.objects.len();
        let tags = self
            .tags
            .iter()
            .map(|(_, values)| values.len())
            .sum::<usize>();
        kinds + tags + usize::from(self.types.is_some()) > 1
    }

    /// Formats `must be "a", or an object with one member named "b" or "c"`.
    pub(super) fn must_be(&self, given: Types) -> String {
        let mut parts = self.parts();
        // Leaving a value out does not correct a wrong one of the right type.
        if self.null && !self.types().meets(given) {
            parts.push("null".to_owned());
        }
        let simple = parts.iter().all(|part| !part.contains([',', ' ']));
        let simple = simple || parts.len() < 2 || !parts.iter().any(|part| part.contains(" or "));
        match simple {
            true => format!("must be {}", words::list(parts.into_iter())),
            false => format!("must be {}", parts.join(", or ")),
        }
    }

    /// Formats `fits none of the allowed forms: an object with "a"; a string`.
    pub(super) fn none_fits(&self) -> String {
        format!(
            "fits none of the allowed forms: {}",
            self.parts().join("; ")
        )
    }

    fn types(&self) -> Types {
        let mut types = self.types.unwrap_or(Types::NONE);
        if !self.values.is_empty() || !self.worded.is_empty() {
            types = types.or(Types::STRING);
        }
        if !(self.keys.is_empty() && self.tags.is_empty() && self.objects.is_empty()) {
            types = types.or(Types::OBJECT);
        }
        types
    }

    fn parts(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if !self.values.is_empty() {
            parts.push(words::list(self.values.iter().cloned()));
        }
        parts.extend(self.types.map(Types::says));
        parts.extend(self.worded.iter().take(MAX_OBJECTS).cloned());
        if !self.keys.is_empty() {
            let names = words::list(self.keys.iter().cloned());
            parts.push(format!("an object with one member named {names}"));
        }
        for (tag, values) in &self.tags {
            let values = words::list(values.iter().cloned());
            parts.push(format!("an object with {tag:?} as {values}"));
        }
        for names in self.objects.iter().take(MAX_OBJECTS) {
            let shown = names.iter().take(MAX_OBJECTS).cloned();
            let more = names.len().saturating_sub(MAX_OBJECTS);
            let more = (more > 0).then(|| format!("{more} more members"));
            parts.push(match words::all(shown.chain(more)).as_str() {
                "" => "an object".to_owned(),
                names => format!("an object with {names}"),
            });
        }
        match self.objects.len().saturating_sub(MAX_OBJECTS) {
            0 => {}
            more => parts.push(format!("{more} more kinds of objects")),
        }
        parts
    }
}

fn push(list: &mut Vec<String>, word: String) {
    if !list.contains(&word) {
        list.push(word);
    }
}
