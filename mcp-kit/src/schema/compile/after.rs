//! The last pass of the compilation, which needs all nodes: the types and marks
//! of alternatives, and where the quick pass must look.

use serde_json::Value;

use super::Compiler;
use crate::schema::node::{Choice, Mark, NodeId, Rest, Types};
use crate::support::sort::sort_by;

/// The objects of a larger choice are not compared.
const MAX_COMPARED: usize = 1_000;

/// The types and marks of the alternatives of one choice.
type Seen = Vec<(Types, Vec<Mark>)>;

impl Compiler<'_> {
    /// Fills in the types that each alternative admits, so that most need not
    /// be tried.
    pub(super) fn fill_in_types(&mut self) {
        let found: Vec<Vec<Seen>> = self
            .nodes
            .iter()
            .map(|node| {
                let choice = |choice: &Choice| {
                    let of = choice.of.iter();
                    let seen = of.map(|one| (self.types_of(one.node, 16), self.marks_of(one.node)));
                    self.with_own_members(choice, seen.collect())
                };
                node.choices.iter().map(choice).collect()
            })
            .collect();
        for id in 0..self.nodes.len() {
            self.nodes[id].admits = self.types_of(id, 16);
        }
        for (node, choices) in self.nodes.iter_mut().zip(found) {
            for (choice, alternatives) in node.choices.iter_mut().zip(choices) {
                for (one, (types, marks)) in choice.of.iter_mut().zip(alternatives) {
                    one.types = types;
                    one.marks = marks;
                }
            }
        }
    }

    pub(super) fn types_of(&self, id: NodeId, depth: usize) -> Types {
        let node = &self.nodes[id];
        let mut types = node.types;
        if depth == 0 {
            return types;
        }
        if let Some(allowed) = &node.allowed {
            let of_values = allowed
                .iter()
                .map(Types::of_value)
                .fold(Types::NONE, Types::or);
            types = types.and(of_values);
        }
        for part in &node.all_of {
            types = types.and(self.types_of(*part, depth - 1));
        }
        for choice in &node.choices {
            let of = choice
                .of
                .iter()
                .map(|one| self.types_of(one.node, depth - 1));
            types = types.and(of.fold(Types::NONE, Types::or));
        }
        types
    }

    pub(super) fn marks_of(&self, id: NodeId) -> Vec<Mark> {
        let node = &self.nodes[id];
        let Some(object) = &node.object else {
            return Vec::new();
        };
        let mut marks = Vec::new();
        for name in object.names.iter().filter(|name| name.required) {
            let of = &self.nodes[name.node];
            if let Some(allowed) = &of.allowed
                && allowed.iter().all(Value::is_string)
                && allowed.len() == 1
            {
                let mut values: Vec<String> = allowed
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect();
                values.extend(of.also_allowed.iter().cloned());
                marks.push(Mark::Tag(name.name.clone(), values));
            }
        }
        if let [only] = object.names.as_slice()
            && only.required
            && object.rest == Rest::Refused
        {
            marks.push(Mark::Key(
                object.lookup.iter().map(|(name, _)| name.clone()).collect(),
            ));
        }
        marks
    }

    /// Marks the objects of a choice that each have a distinct member, if none
    /// of them accepts unknown names.
    fn with_own_members(&self, choice: &Choice, mut seen: Seen) -> Seen {
        let closed = |id: NodeId| {
            let node = &self.nodes[id];
            let object = node.object.as_deref()?;
            let plain = node.all_of.is_empty() && node.choices.is_empty();
            (plain && object.rest == Rest::Refused && object.patterns.is_empty()).then_some(object)
        };
        let of = choice.of.iter().enumerate();
        let of = of.filter(|(index, _)| seen[*index].0.meets(Types::OBJECT));
        let objects: Option<Vec<_>> = of
            .map(|(index, one)| Some((index, closed(one.node)?)))
            .collect();
        let Some(objects) = objects.filter(|objects| objects.len() <= MAX_COMPARED) else {
            return seen;
        };
        let names = objects.iter().flat_map(|(_, object)| &object.lookup);
        let mut names: Vec<&str> = names.map(|(name, _)| name.as_str()).collect();
        sort_by(&mut names, &Ord::cmp);
        let is_own = |name: &String| {
            let first = names.partition_point(|known| *known < name.as_str());
            names
                .get(first + 1)
                .is_none_or(|next| *next != name.as_str())
        };
        for (index, object) in &objects {
            let names_of = |at: usize| {
                let names = object.lookup.iter().filter(move |(_, of)| *of == at);
                names.map(|(name, _)| name)
            };
            let (mut names, mut all) = (Vec::new(), Vec::new());
            for (at, name) in object.names.iter().enumerate() {
                if name.required && names_of(at).all(is_own) {
                    names.push(name.name.clone());
                    all.extend(names_of(at).cloned());
                }
            }
            if !names.is_empty() {
                seen[*index].1.push(Mark::Own(names, all));
            }
        }
        seen
    }

    /// Marks the nodes where the quick pass must look: objects and enums, and
    /// those on the way to them.
    pub(super) fn mark_loose(&mut self) {
        for node in &mut self.nodes {
            node.loose = !node.opaque
                && (node.object.is_some()
                    || node.allowed.is_some()
                    || node.not.is_some()
                    || node.single
                    || node.list.as_ref().is_some_and(|list| list.unique));
        }
        loop {
            let mut changed = false;
            for id in 0..self.nodes.len() {
                if self.nodes[id].loose || self.nodes[id].opaque {
                    continue;
                }
                let node = &self.nodes[id];
                let below = node.all_of.iter().chain(
                    node.choices
                        .iter()
                        .flat_map(|choice| choice.of.iter().map(|one| &one.node)),
                );
                let list = node
                    .list
                    .iter()
                    .flat_map(|list| list.prefix.iter().chain(&list.items));
                if below.chain(list).any(|id| self.nodes[*id].loose) {
                    self.nodes[id].loose = true;
                    changed = true;
                }
            }
            if !changed {
                return;
            }
        }
    }
}
