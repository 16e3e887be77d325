//! JSON text as hosts really send it, rewritten towards a schema.
//!
//! Hosts send `5.0` for an integer, `"5"` for a number, `"[1,2]"` for a list and
//! `null` for an argument that they do not give. The walk in `walk` checks a
//! text; this pass rewrites the tokens that have exactly one reading:
//!
//! | sent | the schema at that place | rewritten to |
//! |---|---|---|
//! | `5.0`, `1e2`, `-0.0` | whole numbers only | `5`, `100`, `0` |
//! | `"5"`, `"[1,2]"`, `"{…}"` | no text | the JSON in the text |
//! | `null`, `"null"` | an optional member that is not null | the member is left out |
//! | `null` | a member of another alternative of the same object | the member is left out |
//!
//! A place that admits the value as it is stays as it is, and so does a place
//! where the reading is open: any JSON, text in one of several alternatives, two
//! alternatives that fit after a rewrite. The pass knows a schema and a text,
//! nothing of tools: whatever arrives as text can be read with it.

mod alternatives;

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::cursor::{Cursor, Malformed};
use super::node::{ListNode, Node, NodeId, ObjectNode, Types};
use super::number::{is_plain, whole};
use super::walk::{MAX_DEPTH, MAX_NODES, Validator};
use crate::support::sort::sort_by;

/// The most bytes by which a rewritten text may be longer than the original.
const MAX_GROWTH: usize = 64 * 1024;
/// A text with more places to rewrite stays as it is.
const MAX_EDITS: usize = 100_000;

/// The rewrites that are allowed besides whole numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rewrites {
    /// JSON in a text, and `null` for optional members.
    pub(crate) lenient: bool,
    /// Also at places that only serde and garde know.
    pub(crate) opaque: bool,
}

/// A text after the rewrite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coerced {
    pub(crate) text: String,
    /// How many places were rewritten.
    pub(crate) places: usize,
}

impl Validator {
    /// Returns the text with everything rewritten that has one reading; `None`
    /// if there is nothing to rewrite, or if finding out takes too much work.
    ///
    /// The result need not fit the schema. A text that fits it already returns
    /// `None`.
    pub(crate) fn coerce(&self, text: &str, rewrites: Rewrites) -> Option<Coerced> {
        let mut coercer = Coercer {
            validator: self,
            rewrites,
            fuel: text.len().saturating_mul(16).saturating_add(100_000),
            depth: 0,
            nodes: 0,
            whole: self.root,
            edits: Vec::new(),
        };
        let mut cursor = Cursor::new(text);
        coercer.value(self.root, &mut cursor).ok()?;
        cursor.end().ok()?;
        let mut edits = std::mem::take(&mut coercer.edits);
        let text = apply(text, &mut edits, 0)?;
        let places = edits.iter().map(|edit| edit.places).sum();
        (places > 0).then_some(Coerced { text, places })
    }

    /// Returns the text of an object without some top-level members: the first
    /// of each name.
    pub(crate) fn without(&self, text: &str, names: &[String]) -> Option<String> {
        if names.is_empty() {
            return None;
        }
        let mut cursor = Cursor::new(text);
        let mut edits: Vec<Edit> = Vec::new();
        let mut dropped: Vec<Cow<'_, str>> = Vec::new();
        let mut first = true;
        cursor.open(b'{').ok()?;
        while let Some((from, name)) = cursor.member_at(&mut first).ok()? {
            cursor.skip().ok()?;
            let Some(name) = name.decode() else { continue };
            let ignored = names.iter().any(|ignored| *ignored == name);
            if ignored && !dropped.contains(&name) && self.top_name(&name).is_none() {
                edits.push(Edit::removal(from, cursor.pos()));
                dropped.push(name);
            }
        }
        if edits.is_empty() {
            return None;
        }
        apply(text, &mut edits, 0)
    }
}

/// A part of a text and its replacement.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Edit {
    from: usize,
    to: usize,
    /// `None`: a member of an object, which is removed.
    new: Option<String>,
    places: usize,
}

impl Edit {
    fn removal(from: usize, to: usize) -> Self {
        Self {
            from,
            to,
            new: None,
            places: 1,
        }
    }
}

/// The coercion ends: the text is not JSON, or it takes too much work.
struct GiveUp;

impl From<Malformed> for GiveUp {
    fn from(_: Malformed) -> Self {
        Self
    }
}

struct Coercer<'v> {
    validator: &'v Validator,
    rewrites: Rewrites,
    fuel: usize,
    /// The nesting of open lists and objects, and of texts that are read.
    depth: usize,
    nodes: usize,
    /// The node of the member or item at the cursor; the nodes that it consists
    /// of are walked one by one.
    whole: NodeId,
    edits: Vec<Edit>,
}

type Done = Result<(), GiveUp>;

impl<'v> Coercer<'v> {
    fn burn(&mut self, amount: usize) -> Done {
        self.fuel = self.fuel.checked_sub(amount).ok_or(GiveUp)?;
        Ok(())
    }

    /// Records the rewrites of the value at the cursor, and moves past it.
    fn value(&mut self, id: NodeId, cursor: &mut Cursor<'_>) -> Done {
        self.burn(1)?;
        if self.nodes >= MAX_NODES || self.depth >= MAX_DEPTH {
            return Err(GiveUp);
        }
        let validator = self.validator;
        let node = &validator.nodes[id];
        if node.opaque && !self.rewrites.opaque {
            return Ok(cursor.skip()?);
        }
        let first = cursor.peek()?;
        let given = Types::of_first_byte(first);
        self.nodes += 1;
        let done = match first {
            b'"' if self.reads_text(node) => self.text(id, cursor),
            b'{' | b'[' if node.admits.meets(given) => {
                self.depth += 1;
                let done = self.inside(node, given, cursor);
                self.depth -= 1;
                done
            }
            b'-' | b'0'..=b'9' if node.admits.is_whole() => self.number(cursor),
            _ => Ok(cursor.skip()?),
        };
        self.nodes -= 1;
        done
    }

    /// Does the same as `value`, for a member or an item of the walked value.
    fn within(&mut self, id: NodeId, cursor: &mut Cursor<'_>) -> Done {
        let outer = std::mem::replace(&mut self.whole, id);
        let done = self.value(id, cursor);
        self.whole = outer;
        done
    }

    /// Whether a text is valid only as the JSON in it.
    fn reads_text(&self, node: &Node) -> bool {
        self.rewrites.lenient && node.admits != Types::NONE && !node.admits.meets(Types::STRING)
    }

    fn number(&mut self, cursor: &mut Cursor<'_>) -> Done {
        let written = cursor.word()?;
        if is_plain(written) && written != "-0" {
            return Ok(());
        }
        if let Some(number) = whole(written) {
            self.replace(cursor.pos() - written.len(), cursor.pos(), number, 1)?;
        }
        Ok(())
    }

    fn text(&mut self, id: NodeId, cursor: &mut Cursor<'_>) -> Done {
        cursor.peek()?;
        let from = cursor.pos();
        let Some(content) = cursor.string()?.decode() else {
            return Ok(());
        };
        if let Some((read, places)) = self.read(id, &content)? {
            self.replace(from, cursor.pos(), read, places)?;
        }
        Ok(())
    }

    /// Returns the JSON in a text, after its own rewrite, if a node admits it.
    fn read(&mut self, id: NodeId, content: &str) -> Result<Option<(String, usize)>, GiveUp> {
        let admits = self.validator.nodes[id].admits;
        let json = trimmed(content);
        let of = |text: &str| {
            text.bytes()
                .next()
                .map_or(Types::NONE, Types::of_first_byte)
        };
        if !admits.or(Types::STRING).meets(of(json)) {
            return Ok(None);
        }
        self.burn(json.len() / 8)?;
        if serde_json::from_str::<IgnoredAny>(json).is_err() {
            return Ok(None);
        }
        let outer = std::mem::take(&mut self.edits);
        let walked = self.value(id, &mut Cursor::new(json));
        let mut inner = std::mem::replace(&mut self.edits, outer);
        walked?;
        let read = self.applied(json, &mut inner, 0)?;
        let places = 1 + inner.iter().map(|edit| edit.places).sum::<usize>();
        let fits = match of(&read) {
            Types::NUMBER if admits.is_whole() => is_plain(&read) && read != "-0",
            given => admits.meets(given),
        };
        Ok(fits.then_some((read, places)))
    }

    /// Rewrites what is inside a list or an object, for the node and all that
    /// it consists of.
    fn inside(&mut self, node: &'v Node, given: Types, cursor: &mut Cursor<'_>) -> Done {
        let start = cursor.pos();
        for part in &node.all_of {
            self.value(*part, cursor)?;
            cursor.seek(start);
        }
        for choice in &node.choices {
            self.choice(choice, given, cursor)?;
            cursor.seek(start);
        }
        match (given, &node.object, &node.list) {
            (Types::OBJECT, Some(rules), _) => self.members(rules, cursor),
            (Types::LIST, _, Some(rules)) => self.items(rules, cursor),
            _ => Ok(cursor.skip()?),
        }
    }

    fn items(&mut self, rules: &'v ListNode, cursor: &mut Cursor<'_>) -> Done {
        let mut index = 0;
        let mut first = true;
        cursor.open(b'[')?;
        while cursor.item(&mut first)? {
            match rules.prefix.get(index).copied().or(rules.items) {
                Some(item) => self.within(item, cursor)?,
                None => cursor.skip()?,
            }
            index += 1;
        }
        Ok(())
    }

    fn members(&mut self, rules: &'v ObjectNode, cursor: &mut Cursor<'_>) -> Done {
        let mut seen = Vec::new();
        let mut first = true;
        cursor.open(b'{')?;
        while let Some((from, name)) = cursor.member_at(&mut first)? {
            let found = name.decode().map(|name| (rules.find(&name), name));
            let node = match &found {
                Some((Some(index), _)) => {
                    // Which of two counts is undecided.
                    if seen.contains(index) {
                        return Err(GiveUp);
                    }
                    self.burn(seen.len() / 16)?;
                    seen.push(*index);
                    let known = &rules.names[*index];
                    if !known.required && self.is_none(known.node, cursor)? {
                        self.edit(Edit::removal(from, cursor.pos()))?;
                        continue;
                    }
                    Some(known.node)
                }
                Some((None, name)) => rules.node_of_other(name),
                None => None,
            };
            match node {
                Some(node) => self.within(node, cursor)?,
                None => cursor.skip()?,
            }
        }
        Ok(())
    }

    /// Whether the value at the cursor is a `null` that its place does not
    /// admit; if so, the cursor moves past it.
    fn is_none(&mut self, id: NodeId, cursor: &mut Cursor<'_>) -> Result<bool, GiveUp> {
        let node = &self.validator.nodes[id];
        let hidden = node.opaque && !self.rewrites.opaque;
        if !self.rewrites.lenient || hidden || node.admits.meets(Types::NULL) {
            return Ok(false);
        }
        let first = cursor.peek()?;
        let start = cursor.pos();
        let is_null = match first {
            b'n' => cursor.word()? == "null",
            b'"' if self.reads_text(node) => {
                let content = cursor.string()?.decode();
                content.is_some_and(|content| trimmed(&content) == "null")
            }
            _ => false,
        };
        if !is_null {
            cursor.seek(start);
        }
        Ok(is_null)
    }

    fn replace(&mut self, from: usize, to: usize, new: String, places: usize) -> Done {
        self.edit(Edit {
            from,
            to,
            new: Some(new),
            places,
        })
    }

    fn edit(&mut self, edit: Edit) -> Done {
        if self.edits.len() >= MAX_EDITS {
            return Err(GiveUp);
        }
        self.edits.push(edit);
        Ok(())
    }

    fn applied(
        &mut self,
        text: &str,
        edits: &mut Vec<Edit>,
        start: usize,
    ) -> Result<String, GiveUp> {
        self.burn(text.len() / 16)?;
        apply(text, edits, start).ok_or(GiveUp)
    }
}

fn trimmed(content: &str) -> &str {
    content.trim_matches([' ', '\t', '\n', '\r'])
}

/// Applies edits to a text, with positions counted from `start`; `None` if they
/// contradict each other or let the text grow too much.
fn apply(text: &str, edits: &mut Vec<Edit>, start: usize) -> Option<String> {
    sort_by(edits, &|a, b| (a.from, a.to).cmp(&(b.from, b.to)));
    edits.dedup();
    let longest = text.len() + MAX_GROWTH;
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        let (from, to) = (edit.from.checked_sub(start)?, edit.to.checked_sub(start)?);
        out.push_str(text.get(at..from)?);
        if out.len() > longest {
            return None;
        }
        at = to;
        match &edit.new {
            Some(new) => out.push_str(new),
            None => {
                // A member is removed together with one of the commas beside
                // it.
                let kept = out.trim_end().len();
                if out.trim_end().ends_with(',') {
                    out.truncate(kept - 1);
                } else {
                    let rest = text.get(at..)?;
                    let after = rest.trim_start();
                    let comma = after.strip_prefix(',').unwrap_or(after);
                    at += rest.len() - comma.len();
                }
            }
        }
    }
    out.push_str(text.get(at..)?);
    (out.len() <= longest).then_some(out)
}
