//! Compiles a JSON Schema to the nodes that the walker reads.
//!
//! There are two sources: schemas that mcp-kit published from a Rust type (they
//! carry notes beside the keywords, and serde and garde check whatever is not
//! understood here), and schemas that are known only at run time, where another
//! validator must check a keyword that is not understood.

mod after;
mod keywords;
mod scalars;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::node::{
    Alternative, Choice, ListNode, Name, Node, NodeId, ObjectNode, Pattern, Rest, Types,
};
use super::text_rule::TextRule;
use super::walk::Validator;

use crate::support::json::Members as _;
use crate::support::sort::sort_by;

/// The member that holds mcp-kit's notes; never published.
pub(crate) const NOTES: &str = "$mcp-kit";

/// Compiles a schema that came from a Rust type.
pub(crate) fn typed(schema: &Value) -> Validator {
    let mut compiler = Compiler::new(schema, true);
    let root = compiler.node(schema, "#");
    compiler.finish(root)
}

/// Compiles a schema as far as it can be checked, and skips the rest.
pub(crate) fn lenient(schema: &Value) -> Validator {
    let mut compiler = Compiler::new(schema, false);
    compiler.complete = false;
    let root = compiler.node(schema, "#");
    compiler.finish(root)
}

/// Compiles a schema that is known only at run time, as far as the walk
/// supports it, and returns what it skips.
///
/// # Errors
///
/// Returns each keyword that is malformed or cannot be checked, and its place.
pub(crate) fn run_time(schema: &Value) -> Result<(Validator, Vec<String>), Vec<String>> {
    let mut compiler = Compiler::new(schema, false);
    let root = compiler.node(schema, "#");
    if compiler.problems.is_empty() {
        let unchecked = std::mem::take(&mut compiler.unchecked);
        Ok((compiler.finish(root), unchecked))
    } else {
        Err(compiler.problems)
    }
}

struct Compiler<'s> {
    root: &'s Value,
    typed: bool,
    /// Whether everything must be checked.
    complete: bool,
    nodes: Vec<Node>,
    /// The targets of `$ref`s, so that recursion ends.
    referenced: BTreeMap<String, NodeId>,
    problems: Vec<String>,
    /// What the walk skips, each with its place and the fix.
    unchecked: Vec<String>,
    /// Whether the walk skips anything.
    has_gaps: bool,
    /// Whether references have another base inside some parts of the schema.
    has_ids: bool,
}

impl<'s> Compiler<'s> {
    fn new(root: &'s Value, typed: bool) -> Self {
        Self {
            root,
            typed,
            complete: !typed,
            nodes: Vec::new(),
            referenced: BTreeMap::new(),
            problems: Vec::new(),
            unchecked: Vec::new(),
            has_gaps: false,
            has_ids: !typed && keywords::has_ids(root),
        }
    }

    fn finish(mut self, root: NodeId) -> Validator {
        if self.has_gaps {
            // A skipped part admits too much. A schema that must not fit, or
            // that must be the only one to fit, would then refuse too much.
            for node in &mut self.nodes {
                node.not = None;
                node.choices
                    .iter_mut()
                    .for_each(|choice| choice.exactly_one = false);
            }
        }
        self.fill_in_types();
        self.mark_loose();
        Validator::new(self.nodes, root, self.typed)
    }

    fn problem(&mut self, at: &str, text: &str) {
        self.problems.push(format!("{at}: {text}"));
    }

    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn node(&mut self, schema: &'s Value, at: &str) -> NodeId {
        if at == "#" {
            // Recorded now, so that `"$ref": "#"` finds it.
            let id = self.add(Node::any());
            self.referenced.insert("#".into(), id);
            let node = self.build(schema, at);
            self.nodes[id] = node;
            return id;
        }
        if let Value::Object(object) = schema
            && let Some(Value::String(target)) = object.member("$ref")
            && object
                .names()
                .all(|key| key == "$ref" || keywords::REMARKS.contains(&key.as_str()))
        {
            return self.reference(target, at);
        }
        let node = self.build(schema, at);
        self.add(node)
    }

    fn reference(&mut self, target: &str, at: &str) -> NodeId {
        if let Some(id) = self.referenced.get(target) {
            return *id;
        }
        let id = self.add(Node::any());
        self.referenced.insert(target.to_owned(), id);
        let pointed = target
            .strip_prefix('#')
            .filter(|_| !self.has_ids)
            .and_then(|pointer| self.root.pointer(pointer));
        match pointed {
            Some(schema) => {
                let node = self.build(schema, target);
                self.nodes[id] = node;
            }
            None if self.has_ids || !target.starts_with("#/") => self.pass_over(at, "$ref"),
            None => self.problem(
                at,
                &format!(
                    "`$ref` points to {target:?}, which is not in this schema: \
                     put it under `$defs` and point to `#/$defs/…`"
                ),
            ),
        }
        id
    }

    fn build(&mut self, schema: &'s Value, at: &str) -> Node {
        let mut node = Node::any();
        let object = match schema {
            Value::Bool(true) => return node,
            Value::Bool(false) => {
                node.types = Types::NONE;
                return node;
            }
            Value::Object(object) => object,
            _ => {
                self.problem(at, "a schema has to be an object, `true` or `false`");
                return node;
            }
        };
        self.look_for_unchecked(object, at);
        node.types = self.types(object, at);
        node.allowed = self.allowed(object, at);
        let notes = object.member(NOTES);
        node.also_allowed = strings(notes.and_then(|notes| notes.member("accepted")));
        node.opaque = notes.is_some_and(|notes| notes.member("opaque").is_some());
        node.single = notes.is_some_and(|notes| notes.member("single").is_some());
        let says = notes.and_then(|notes| notes.member("says")?.as_str());
        node.says = says.map(str::to_owned);
        node.number = self.number(object, at);
        node.text = self.text(object, notes, at);
        node.list = self.list(object, at);
        node.object = self.object(object, notes, at);
        self.combine(&mut node, object, notes, at);
        node
    }

    fn list(&mut self, object: &'s Map<String, Value>, at: &str) -> Option<Box<ListNode>> {
        let mut list = ListNode {
            min: self.count(object, "minItems", at),
            max: self.count(object, "maxItems", at),
            unique: object
                .member("uniqueItems")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
            ..ListNode::default()
        };
        list.prefix = self.nodes_of(object, "prefixItems", at);
        match object.member("items") {
            Some(Value::Array(_)) => self.problem(
                at,
                "`items` as a list is an older dialect's: say `prefixItems` (JSON Schema 2020-12)",
            ),
            Some(items) => list.items = Some(self.node(items, &format!("{at}/items"))),
            None => {}
        }
        let empty = list.min.is_none()
            && list.max.is_none()
            && !list.unique
            && list.prefix.is_empty()
            && list.items.is_none();
        (!empty).then(|| Box::new(list))
    }

    fn nodes_of(&mut self, object: &'s Map<String, Value>, keyword: &str, at: &str) -> Vec<NodeId> {
        match object.member(keyword) {
            None => Vec::new(),
            Some(Value::Array(schemas)) => schemas
                .iter()
                .enumerate()
                .map(|(index, schema)| self.node(schema, &format!("{at}/{keyword}/{index}")))
                .collect(),
            Some(_) => {
                self.problem(at, &format!("`{keyword}` has to be a list of schemas"));
                Vec::new()
            }
        }
    }

    fn object(
        &mut self,
        object: &'s Map<String, Value>,
        notes: Option<&Value>,
        at: &str,
    ) -> Option<Box<ObjectNode>> {
        let keywords = [
            "properties",
            "required",
            "additionalProperties",
            "patternProperties",
            "minProperties",
            "maxProperties",
        ];
        if !keywords.iter().any(|keyword| object.contains_key(*keyword)) {
            return None;
        }
        let required = strings(object.member("required"));
        let mut names = Vec::new();
        match object.member("properties") {
            Some(Value::Object(properties)) => {
                for (name, schema) in properties.each() {
                    let node = self.node(schema, &format!("{at}/properties/{name}"));
                    let required = required.contains(name);
                    names.push(Name {
                        name: name.clone(),
                        node,
                        required,
                    });
                }
            }
            Some(_) => self.problem(at, "`properties` has to be an object"),
            None => {}
        }
        for name in &required {
            if names.iter().all(|known| known.name != *name) {
                let node = self.add(Node::any());
                names.push(Name {
                    name: name.clone(),
                    node,
                    required: true,
                });
            }
        }
        let rest = match object.member("additionalProperties") {
            None | Some(Value::Bool(true)) => Rest::Any,
            Some(Value::Bool(false)) => Rest::Refused,
            Some(schema) => Rest::Node(self.node(schema, &format!("{at}/additionalProperties"))),
        };
        let (patterns, rest) = self.pattern_properties(object, rest, at);
        let mut lookup: Vec<(String, usize)> = names
            .iter()
            .enumerate()
            .map(|(index, name)| (name.name.clone(), index))
            .collect();
        let aliases = notes.map(|notes| notes.at("aliases").each());
        for (alias, name) in aliases.into_iter().flatten() {
            let index = names
                .iter()
                .position(|known| Some(known.name.as_str()) == name.as_str());
            lookup.extend(index.map(|index| (alias.clone(), index)));
        }
        sort_by(&mut lookup, &Ord::cmp);
        Some(Box::new(ObjectNode {
            names,
            lookup,
            rest,
            patterns,
            keys: notes.and_then(|notes| TextRule::of_value(notes.member("key")?)),
            min: self.count(object, "minProperties", at),
            max: self.count(object, "maxProperties", at),
        }))
    }

    /// Compiles a Rust map with number keys, which is published with a pattern
    /// for its keys. serde checks the keys, so for the walker it is an ordinary
    /// map.
    fn pattern_properties(
        &mut self,
        object: &'s Map<String, Value>,
        rest: Rest,
        at: &str,
    ) -> (Vec<(Pattern, NodeId)>, Rest) {
        let Some(Value::Object(patterns)) = object.member("patternProperties") else {
            return (Vec::new(), rest);
        };
        let mut compiled = Vec::new();
        let mut any = rest;
        for (pattern, schema) in patterns.each() {
            let node = self.node(schema, &format!("{at}/patternProperties/{pattern}"));
            if self.typed {
                any = Rest::Node(node);
            } else if let Some(pattern) = self.pattern(Some(pattern), "patternProperties", at) {
                compiled.push((pattern, node));
            } else {
                any = Rest::Any;
            }
        }
        (compiled, any)
    }

    fn combine(
        &mut self,
        node: &mut Node,
        object: &'s Map<String, Value>,
        notes: Option<&Value>,
        at: &str,
    ) {
        if let Some(target) = object.text("$ref") {
            node.all_of.push(self.reference(target, at));
        }
        if !covered(notes, "allOf") {
            node.all_of.extend(self.nodes_of(object, "allOf", at));
        }
        for (keyword, exactly_one) in [("anyOf", false), ("oneOf", true)] {
            if !object.has(keyword) || covered(notes, keyword) {
                continue;
            }
            let of = self
                .nodes_of(object, keyword, at)
                .into_iter()
                .map(|node| Alternative {
                    node,
                    types: Types::ANY,
                    marks: Vec::new(),
                });
            let of = of.collect();
            // serde takes the first variant that fits, and so do typed schemas.
            let exactly_one = exactly_one && !self.typed;
            node.choices.push(Choice { of, exactly_one });
        }
        match object.member("not") {
            Some(Value::Object(not)) if not.len() == 1 && not.has("const") => {
                node.forbidden.extend(not.member("const").cloned());
            }
            Some(Value::Object(not)) if not.len() == 1 && not.has("enum") => {
                let values = not.member("enum").and_then(Value::as_array);
                node.forbidden.extend(values.into_iter().flatten().cloned());
            }
            Some(not) => node.not = Some(self.node(not, &format!("{at}/not"))),
            None => {}
        }
    }
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Whether a note has the meaning of a keyword, and is more precise.
fn covered(notes: Option<&Value>, keyword: &str) -> bool {
    strings(notes.and_then(|notes| notes.member("covers")))
        .iter()
        .any(|covered| covered == keyword)
}
