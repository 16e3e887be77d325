//! The walk of a compiled schema over JSON text.
//!
//! One engine has three uses. *Report* finds everything that is wrong. *Silent*
//! stops at the first thing that is wrong. *Quick* follows a decode that serde
//! and garde have accepted, and checks only what those two do not: unknown
//! names, doubled names, a list in place of an object, a map in place of an
//! enum, doubled items of a set.
//!
//! Only findings are built. The work is limited in proportion to the text, so
//! no schema makes a call expensive.

mod choice;
mod flat;
mod forms;
mod inside;
mod scalar;

use super::Finding;
use super::cursor::{Cursor, Malformed};
use super::node::{Choice, Node, NodeId, ObjectNode, Rest, SaidRule, Types};
use super::text_rule::{TextRule, length};
use super::words::{self, Place};
use crate::support::json::to_text;
use flat::Flat;

/// Unknown names are listed up to this many; the rest is counted.
const MAX_UNKNOWN: usize = 10;
/// The walk ends after this many findings.
const MAX_FINDINGS: usize = 100;
/// The depth that serde_json reads.
pub(super) const MAX_DEPTH: usize = 127;
/// Nodes on the way down, including those without a level of their own.
pub(super) const MAX_NODES: usize = 400;

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Validator {
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
    /// Whether whole numbers must be written as such, as serde requires.
    strict: bool,
    flat: Option<Flat>,
    /// Whether a map has `bool`s as keys.
    flags: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Report,
    Silent,
    Quick,
}

/// Why a walk ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// The text is not JSON.
    Malformed,
    /// Something is wrong, and the caller requires no more than that.
    Wrong,
    /// There are enough findings, or the work reached its limit.
    Enough,
}

impl From<Malformed> for Stop {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

type Walked = Result<(), Stop>;

impl Validator {
    pub(super) fn new(nodes: Vec<Node>, root: NodeId, strict: bool) -> Self {
        Self {
            flat: Flat::of(&nodes, root),
            flags: nodes.iter().any(has_flags),
            nodes,
            root,
            strict,
        }
    }

    /// Whether a text that serde and garde have accepted also follows the
    /// schema's rules for names and kinds.
    pub(crate) fn admits_names(&self, text: &str) -> bool {
        !self.nodes[self.root].loose
            || self.is_plainly_right(text)
            || self.run(text, Mode::Quick).0.is_ok()
    }

    /// Whether a text must not be decoded before it is walked. `serde_json`
    /// splits a `bool` key byte by byte, and makes a `str` of what follows the
    /// first byte: that is invalid UTF-8 if a wider character begins there.
    pub(crate) fn forbids_decoding(&self, text: &str) -> bool {
        self.flags && !text.is_ascii() && !self.admits(text)
    }

    /// Whether a text matches the schema, by JSON Schema's meaning of
    /// `integer`: `5.0` is one.
    pub(crate) fn admits(&self, text: &str) -> bool {
        let mut walk = Walk::new(self, text, Mode::Silent);
        walk.strict = false;
        walk.whole(self.root).is_ok()
    }

    /// Whether a text matches the schema, with whole numbers written as such.
    pub(crate) fn admits_strictly(&self, text: &str) -> bool {
        self.fits_part(self.root, text, &mut fuel_for(text))
    }

    /// Whether a text fits one node, with whole numbers written as such; false
    /// also if the fuel does not last.
    pub(super) fn fits_part(&self, id: NodeId, text: &str, fuel: &mut usize) -> bool {
        let mut walk = self.part(text, fuel);
        let walked = walk.value(id, None).and_then(|()| Ok(walk.cursor.end()?));
        *fuel = walk.fuel;
        walked.is_ok()
    }

    /// Returns the alternative that an object names by its tag or its only key.
    pub(super) fn marked_part(
        &self,
        choice: &Choice,
        fitting: &[usize],
        text: &str,
        fuel: &mut usize,
    ) -> Option<usize> {
        let mut walk = self.part(text, fuel);
        let found = walk.by_mark(choice, fitting, None);
        *fuel = walk.fuel;
        found.ok().flatten()
    }

    fn part<'t>(&self, text: &'t str, fuel: &usize) -> Walk<'_, 't> {
        let mut walk = Walk::new(self, text, Mode::Silent);
        walk.strict = true;
        walk.fuel = *fuel;
        walk
    }

    /// Returns everything in a text that the schema refuses, in the text's
    /// order; missing members follow their object's others, unknown names end
    /// the list.
    pub(crate) fn findings(&self, text: &str) -> Vec<Finding> {
        let (walked, mut findings, unknown, unlisted) = self.run(text, Mode::Report);
        if walked == Err(Stop::Malformed) && findings.is_empty() {
            findings.push(Finding::new("", "are not valid JSON"));
        }
        findings.extend(unknown);
        if unlisted > 0 {
            findings.push(Finding::new(
                "",
                format!("and {unlisted} more unknown arguments"),
            ));
        }
        findings
    }

    /// Returns the author's or a format's words for the place where serde
    /// stopped.
    pub(crate) fn says_of(&self, text: &str, path: &str) -> Option<&str> {
        let mut walk = Walk::new(self, text, Mode::Report);
        let _ = walk.whole(self.root);
        let around = |(at, _): &&(String, &str)| path.starts_with(at.as_str());
        walk.worded.iter().rev().find(around).map(|(_, says)| *says)
    }

    fn run(&self, text: &str, mode: Mode) -> (Walked, Vec<Finding>, Vec<Finding>, usize) {
        let mut walk = Walk::new(self, text, mode);
        let walked = walk.whole(self.root);
        (walked, walk.findings, walk.unknown, walk.unlisted)
    }

    /// Returns the top-level names that the schema knows, for a log, and the
    /// number of others.
    pub(crate) fn top_names<'v>(
        &'v self,
        text: &str,
        ignored: impl Fn(&str) -> bool,
    ) -> (Vec<&'v str>, usize) {
        let mut known = Vec::new();
        let mut unknown = 0;
        let mut cursor = Cursor::new(text);
        let mut first = true;
        if cursor.open(b'{').is_err() {
            return (known, unknown);
        }
        while let Ok(Some(name)) = cursor.member(&mut first) {
            let name = name.decode();
            let found = name.as_deref().and_then(|name| self.top_name(name));
            match found {
                Some(name) if !known.contains(&name) => known.push(name),
                Some(_) => {}
                None if name.as_deref().is_some_and(&ignored) => {}
                None => unknown += 1,
            }
            if cursor.skip().is_err() {
                break;
            }
        }
        (known, unknown)
    }

    /// Returns a known name of the root or of one of its alternatives.
    pub(super) fn top_name(&self, name: &str) -> Option<&str> {
        self.top_objects().find_map(|object| {
            object
                .find(name)
                .map(|index| object.names[index].name.as_str())
        })
    }

    /// Whether unknown names are accepted at the top level.
    pub(crate) fn is_open(&self) -> bool {
        self.top_objects()
            .all(|object| object.rest != Rest::Refused)
    }

    /// Returns the objects of the root and its alternatives.
    fn top_objects(&self) -> impl Iterator<Item = &ObjectNode> {
        let root = &self.nodes[self.root];
        let of = root
            .choices
            .iter()
            .flat_map(|choice| choice.of.iter().map(|one| one.node));
        std::iter::once(self.root)
            .chain(root.all_of.iter().copied())
            .chain(of)
            .filter_map(|id| self.nodes[id].object.as_deref())
    }
}

fn has_flags(node: &Node) -> bool {
    let keys = node.object.as_ref().and_then(|object| object.keys.as_ref());
    keys == Some(&TextRule::Flag)
}

struct Walk<'v, 't> {
    validator: &'v Validator,
    cursor: Cursor<'t>,
    mode: Mode,
    /// Whether whole numbers must be written as such.
    strict: bool,
    findings: Vec<Finding>,
    unknown: Vec<Finding>,
    /// Places whose rules only serde knows, and the words for them.
    worded: Vec<(String, &'v str)>,
    /// The number of unknown names above those listed.
    unlisted: usize,
    fuel: usize,
    /// The nesting of open lists and objects.
    depth: usize,
    nodes: usize,
}

/// Returns the work that is allowed for a text.
pub(super) fn fuel_for(text: &str) -> usize {
    text.len().saturating_mul(64).saturating_add(100_000)
}

impl<'v, 't> Walk<'v, 't> {
    fn new(validator: &'v Validator, text: &'t str, mode: Mode) -> Self {
        Self {
            validator,
            cursor: Cursor::new(text),
            mode,
            strict: validator.strict,
            findings: Vec::new(),
            unknown: Vec::new(),
            worded: Vec::new(),
            unlisted: 0,
            fuel: fuel_for(text),
            depth: 0,
            nodes: 0,
        }
    }

    /// Checks all of the text.
    fn whole(&mut self, id: NodeId) -> Walked {
        self.value(id, None)?;
        Ok(self.cursor.end()?)
    }

    fn burn(&mut self, amount: usize) -> Walked {
        match self.fuel.checked_sub(amount) {
            Some(left) => {
                self.fuel = left;
                Ok(())
            }
            None => {
                self.fuel = 0;
                self.end("are too entangled to be checked", None)
            }
        }
    }

    /// Reports that something is wrong at a place.
    fn wrong(&mut self, place: Option<&Place<'_>>, text: impl FnOnce() -> String) -> Walked {
        if self.mode != Mode::Report {
            return Err(Stop::Wrong);
        }
        self.findings.push(Finding::new(words::path(place), text()));
        if self.findings.len() >= MAX_FINDINGS {
            Err(Stop::Enough)
        } else {
            Ok(())
        }
    }

    fn end(&mut self, text: &str, place: Option<&Place<'_>>) -> Walked {
        self.wrong(place, || text.to_owned())?;
        Err(Stop::Enough)
    }

    /// Checks the value at the cursor and moves past it.
    fn value(&mut self, id: NodeId, place: Option<&Place<'_>>) -> Walked {
        self.burn(1)?;
        let validator = self.validator;
        let node = &validator.nodes[id];
        if self.mode == Mode::Quick && !node.loose {
            return Ok(self.cursor.skip()?);
        }
        if self.nodes >= MAX_NODES {
            return self.end("is nested too deeply", place);
        }
        self.nodes += 1;
        let walked = self.checked(node, place);
        self.nodes -= 1;
        walked
    }

    fn checked(&mut self, node: &'v Node, place: Option<&Place<'_>>) -> Walked {
        let first = self.cursor.peek()?;
        let given = Types::of_first_byte(first);
        let start = self.cursor.pos();
        if let Some(says) = &node.says
            && self.mode == Mode::Report
            && self.worded.len() < MAX_FINDINGS
        {
            self.worded.push((words::path(place), says));
        }
        if !node.types.meets(given) {
            self.wrong(place, || must_be(node))?;
            return Ok(self.cursor.skip()?);
        }
        for part in &node.all_of {
            self.value(*part, place)?;
            self.cursor.seek(start);
        }
        for choice in &node.choices {
            self.choice(choice, given, place)?;
            self.cursor.seek(start);
        }
        if let Some(not) = node.not
            && self.silently(not)?
        {
            self.wrong(place, || "has an invalid value".into())?;
        }
        self.cursor.seek(start);
        if node.allowed.is_some() || !node.forbidden.is_empty() {
            if !self.one_of_values(node, place)? {
                return Ok(());
            }
            self.cursor.seek(start);
        }
        match first {
            b'{' if node.object.is_some() => self.deeper(place, |walk| walk.object(node, place)),
            b'[' if node.list.is_some() => self.deeper(place, |walk| walk.list(node, place)),
            b'"' if self.mode == Mode::Report
                || self.mode == Mode::Silent && node.text.is_some() =>
            {
                self.text(node, place)
            }
            b'-' | b'0'..=b'9' if self.mode != Mode::Quick || node.single => {
                self.number(node, place)
            }
            _ => Ok(self.cursor.skip()?),
        }
    }

    fn deeper(
        &mut self,
        place: Option<&Place<'_>>,
        walk: impl FnOnce(&mut Self) -> Walked,
    ) -> Walked {
        if self.depth >= MAX_DEPTH {
            return self.end("is nested too deeply", place);
        }
        self.depth += 1;
        let walked = walk(self);
        self.depth -= 1;
        walked
    }

    /// Whether the value at the cursor fits a node; the cursor does not move.
    fn silently(&mut self, id: NodeId) -> Result<bool, Stop> {
        let (start, mode) = (self.cursor.pos(), self.mode);
        let (depth, nodes) = (self.depth, self.nodes);
        self.mode = Mode::Silent;
        let walked = self.value(id, None);
        self.mode = mode;
        (self.depth, self.nodes) = (depth, nodes);
        self.cursor.seek(start);
        match walked {
            Ok(()) => Ok(true),
            Err(Stop::Malformed) => Err(Stop::Malformed),
            Err(_) if self.fuel == 0 => Err(Stop::Enough),
            Err(_) => Ok(false),
        }
    }

    fn bounds(
        &mut self,
        count: u64,
        min: Option<u64>,
        max: Option<u64>,
        one: &str,
        many: &str,
        place: Option<&Place<'_>>,
    ) -> Walked {
        if let (Some(least), Some(most)) = (min, max)
            && least == most
            && count != least
        {
            return self.wrong(place, || length(one, many, min, max));
        }
        if min.is_some_and(|min| count < min) {
            self.wrong(place, || length(one, many, min, None))?;
        }
        if max.is_some_and(|max| count > max) {
            self.wrong(place, || length(one, many, None, max))?;
        }
        Ok(())
    }
}

fn must_be(node: &Node) -> String {
    if let Some(says) = &node.says {
        return says.clone();
    }
    let form = |said: &&SaidRule| matches!(said.rule, TextRule::Form(_));
    if let Some(said) = node.text.iter().flat_map(|text| &text.rules).find(form) {
        return said.says.clone();
    }
    match &node.allowed {
        Some(allowed) if !allowed.is_empty() => {
            format!("must be {}", words::list(allowed.iter().map(to_text)))
        }
        _ if node.types == Types::NONE => "must be left out".into(),
        _ => format!("must be {}", node.types.says()),
    }
}
