//! The walk of a compiled schema over JSON text.
//!
//! One engine, three uses. *Report* finds everything that is wrong. *Silent*
//! stops at the first thing that is wrong. *Quick* follows a decode that serde
//! and garde have accepted and looks only for what those two let through:
//! unknown names, doubled names, a list where the schema has an object, a map
//! where it has an enum, doubled items of a set.
//!
//! Nothing is built but the findings. Work is bounded by fuel in proportion to
//! the text, so that no schema makes a call expensive.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Finding;
use super::cursor::{Cursor, Malformed};
use super::node::{Alternative, Choice, Mark, Node, NodeId, ObjectNode, Rest, Types};
use super::number::{Number, is_plain};
use super::text_rule::length;
use super::words::{self, Place, Step};

/// Unknown names are listed up to this many; the rest is counted.
const MAX_UNKNOWN: usize = 10;
/// Beyond this many findings the walk ends.
const MAX_FINDINGS: usize = 100;
/// As deep as serde_json reads.
const MAX_DEPTH: usize = 127;
/// Nodes on the way down, those without a level of their own among them.
const MAX_NODES: usize = 400;

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Validator {
    nodes: Vec<Node>,
    root: NodeId,
    /// Whole numbers have to be written as such, as serde wants them.
    strict: bool,
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
    /// The text is no JSON.
    Malformed,
    /// Something is wrong, and that is all the caller asked for.
    Wrong,
    /// Enough was found, or enough was done.
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
            nodes,
            root,
            strict,
        }
    }

    /// Whether a text that serde and garde have accepted also keeps what the
    /// schema says of names and kinds.
    pub(crate) fn admits_names(&self, text: &str) -> bool {
        !self.nodes[self.root].loose || self.run(text, Mode::Quick).0.is_ok()
    }

    /// Whether a text is what the schema describes.
    pub(crate) fn admits(&self, text: &str) -> bool {
        self.run(text, Mode::Silent).0.is_ok()
    }

    /// Everything in a text that the schema refuses, in the text's order;
    /// missing members follow their object's others, unknown names end the list.
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

    fn run(&self, text: &str, mode: Mode) -> (Walked, Vec<Finding>, Vec<Finding>, usize) {
        let mut walk = Walk {
            validator: self,
            cursor: Cursor::new(text),
            mode,
            findings: Vec::new(),
            unknown: Vec::new(),
            unlisted: 0,
            fuel: text.len().saturating_mul(64).saturating_add(100_000),
            depth: 0,
            nodes: 0,
        };
        let walked = walk
            .value(self.root, None)
            .and_then(|()| Ok(walk.cursor.end()?));
        (walked, walk.findings, walk.unknown, walk.unlisted)
    }

    /// The names at the top that the schema knows, for a log; the rest counted.
    pub(crate) fn top_names<'v>(&'v self, text: &str) -> (Vec<&'v str>, usize) {
        let mut known = Vec::new();
        let mut unknown = 0;
        let mut cursor = Cursor::new(text);
        let mut first = true;
        if cursor.open(b'{').is_err() {
            return (known, unknown);
        }
        while let Ok(Some(name)) = cursor.member(&mut first) {
            let found = name.decode().and_then(|name| self.top_name(&name));
            match found {
                Some(name) if !known.contains(&name) => known.push(name),
                Some(_) => {}
                None => unknown += 1,
            }
            if cursor.skip().is_err() {
                break;
            }
        }
        (known, unknown)
    }

    /// A known name of the root or of one of its alternatives.
    fn top_name(&self, name: &str) -> Option<&str> {
        let root = &self.nodes[self.root];
        let of = root
            .choices
            .iter()
            .flat_map(|choice| choice.of.iter().map(|one| one.node));
        std::iter::once(self.root)
            .chain(root.all_of.iter().copied())
            .chain(of)
            .filter_map(|id| self.nodes[id].object.as_deref())
            .find_map(|object| {
                object
                    .find(name)
                    .map(|index| object.names[index].name.as_str())
            })
    }
}

struct Walk<'v, 't> {
    validator: &'v Validator,
    cursor: Cursor<'t>,
    mode: Mode,
    findings: Vec<Finding>,
    unknown: Vec<Finding>,
    /// Unknown names beyond those listed.
    unlisted: usize,
    fuel: usize,
    /// Lists and objects that are open.
    depth: usize,
    nodes: usize,
}

impl<'v, 't> Walk<'v, 't> {
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

    /// Something is wrong at a place.
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
            self.wrong(place, || "is not acceptable here".into())?;
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
            b'"' if self.mode != Mode::Quick && node.text.is_some() => self.text(node, place),
            b'-' | b'0'..=b'9' if self.mode != Mode::Quick => self.number(node, place),
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

    /// Whether the value at the cursor fits a node; the cursor stays.
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

    fn choice(&mut self, choice: &'v Choice, given: Types, place: Option<&Place<'_>>) -> Walked {
        let fits = |(_, one): &(usize, &Alternative)| one.types.meets(given);
        let mut of_type = choice
            .of
            .iter()
            .enumerate()
            .filter(fits)
            .map(|(index, _)| index);
        if let (Some(only), None) = (of_type.next(), of_type.next())
            && !choice.exactly_one
        {
            return self.value(choice.of[only].node, place);
        }
        let mut fitting: Vec<usize> = choice
            .of
            .iter()
            .enumerate()
            .filter(fits)
            .map(|(index, _)| index)
            .collect();
        if fitting.is_empty() {
            let types = choice
                .of
                .iter()
                .map(|one| one.types)
                .fold(Types::NONE, Types::or);
            return self.wrong(place, || format!("must be {}", types.says()));
        }
        if given == Types::OBJECT && fitting.len() > 1 {
            match self.by_mark(choice, &fitting, place)? {
                Some(one) => fitting = vec![one],
                None if self.mode == Mode::Report && self.marked(choice, &fitting) => return Ok(()),
                None => {}
            }
        }
        if let [one] = fitting.as_slice()
            && !choice.exactly_one
        {
            return self.value(choice.of[*one].node, place);
        }
        let mut fit = 0;
        for one in &fitting {
            fit += usize::from(self.silently(choice.of[*one].node)?);
            if fit > 0 && !choice.exactly_one {
                return Ok(());
            }
        }
        match fit {
            1 => Ok(()),
            0 => self.no_alternative(choice, &fitting, place),
            _ => self.wrong(place, || "fits more than one of the allowed forms".into()),
        }
    }

    /// Whether every fitting alternative has a mark of the same kind, so that
    /// `by_mark` has the last word.
    fn marked(&self, choice: &Choice, fitting: &[usize]) -> bool {
        common_tag(choice, fitting).is_some() || all_keys(choice, fitting).is_some()
    }

    /// The alternative that the object at the cursor names, by its tag or by its
    /// only key. Where it names none, that is reported.
    fn by_mark(
        &mut self,
        choice: &'v Choice,
        fitting: &[usize],
        place: Option<&Place<'_>>,
    ) -> Result<Option<usize>, Stop> {
        if let Some(tag) = common_tag(choice, fitting) {
            let value = self.member(|name| name == tag)?.map(|(_, value)| value);
            let found = value.as_ref().and_then(|value| {
                let value = value.as_deref()?;
                fitting.iter().copied().find(|one| {
                    tag_of(choice, *one, tag).is_some_and(|of| of.iter().any(|v| v == value))
                })
            });
            if found.is_none() {
                let step = Place {
                    parent: place,
                    step: Step::Name(tag),
                };
                let none = value.is_none();
                self.wrong(Some(&step), || {
                    if none {
                        return "is required".into();
                    }
                    let values = fitting
                        .iter()
                        .filter_map(|one| tag_of(choice, *one, tag)?.first());
                    format!("must be {}", words::list(values.map(|v| format!("{v:?}"))))
                })?;
            }
            return Ok(found);
        }
        let Some(keys) = all_keys(choice, fitting) else {
            return Ok(None);
        };
        let known = |name: &str| keys.iter().position(|of| of.iter().any(|key| key == name));
        let found = self.member(|name| known(name).is_some())?;
        match found.and_then(|(name, _)| known(&name)) {
            Some(index) => Ok(fitting.get(index).copied()),
            None => {
                self.wrong(place, || {
                    let names = keys
                        .iter()
                        .filter_map(|of| of.first())
                        .map(|k| format!("{k:?}"));
                    format!("must have one member, named {}", words::list(names))
                })?;
                Ok(None)
            }
        }
    }

    /// The first member of the object at the cursor whose name is wanted, and
    /// its value where that is a string. The cursor stays.
    #[allow(clippy::type_complexity)]
    fn member(
        &mut self,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Option<(String, Option<String>)>, Stop> {
        let start = self.cursor.pos();
        let mut first = true;
        let mut found = None;
        self.cursor.open(b'{')?;
        while let Some(name) = self.cursor.member(&mut first)? {
            match name.decode().filter(|name| wanted(name)) {
                None => self.cursor.skip()?,
                Some(name) => {
                    let value = match self.cursor.peek()? {
                        b'"' => self.cursor.string()?.decode(),
                        _ => None,
                    };
                    found = Some((name.into_owned(), value.map(std::borrow::Cow::into_owned)));
                    break;
                }
            }
        }
        let passed = self.cursor.pos() - start;
        self.cursor.seek(start);
        self.burn(passed / 16)?;
        Ok(found)
    }

    /// No alternative fits: the report is that of the one that comes nearest.
    fn no_alternative(
        &mut self,
        choice: &'v Choice,
        fitting: &[usize],
        place: Option<&Place<'_>>,
    ) -> Walked {
        if self.mode != Mode::Report {
            return Err(Stop::Wrong);
        }
        let nodes = fitting
            .iter()
            .map(|one| &self.validator.nodes[choice.of[*one].node]);
        let values: Option<Vec<&Vec<Value>>> = nodes.map(|node| node.allowed.as_ref()).collect();
        if let Some(values) = values {
            let all = values.into_iter().flatten();
            return self.wrong(place, || format!("must be {}", words::list(all.map(shown))));
        }
        let (start, before) = (self.cursor.pos(), self.findings.len());
        let (unknown, unlisted) = (self.unknown.len(), self.unlisted);
        let mut best: Option<(usize, Vec<Finding>, Vec<Finding>)> = None;
        let mut equals = 0;
        for one in fitting {
            let _ = self.value(choice.of[*one].node, place);
            self.cursor.seek(start);
            self.unlisted = unlisted;
            let found = self.findings.split_off(before);
            let names = self.unknown.split_off(unknown);
            let count = found.len() + names.len();
            if self.fuel == 0 {
                return Err(Stop::Enough);
            }
            match &best {
                Some((least, ..)) if count > *least => {}
                Some((least, ..)) if count == *least => equals += 1,
                _ => {
                    equals = 0;
                    best = Some((count, found, names));
                }
            }
        }
        match best {
            Some((count, found, names)) if equals == 0 && count > 0 => {
                self.findings.extend(found);
                self.unknown.extend(names);
                Ok(())
            }
            _ => self.wrong(place, || "fits none of the allowed forms".into()),
        }
    }

    /// `enum`, `const` and what `not` forbids of them. False: reported.
    fn one_of_values(&mut self, node: &'v Node, place: Option<&Place<'_>>) -> Result<bool, Stop> {
        let start = self.cursor.pos();
        let is = |given: &Given<'_>, value: &Value| given.is(value);
        let given = if self.cursor.peek()? == b'"' {
            Given::Text(self.cursor.string()?.decode())
        } else {
            self.cursor.skip()?;
            Given::Other(self.cursor.slice(start, self.cursor.pos()))
        };
        self.burn((self.cursor.pos() - start) / 16)?;
        if node.forbidden.iter().any(|value| is(&given, value)) {
            self.wrong(place, || {
                format!(
                    "must not be {}",
                    words::list(node.forbidden.iter().map(shown))
                )
            })?;
            return Ok(false);
        }
        let Some(allowed) = &node.allowed else {
            return Ok(true);
        };
        let also = matches!(&given, Given::Text(Some(text))
            if node.also_allowed.iter().any(|also| also == text));
        if also || allowed.iter().any(|value| is(&given, value)) {
            return Ok(true);
        }
        self.wrong(place, || {
            format!("must be {}", words::list(allowed.iter().map(shown)))
        })?;
        Ok(false)
    }

    fn text(&mut self, node: &'v Node, place: Option<&Place<'_>>) -> Walked {
        let raw = self.cursor.string()?;
        let Some(text) = raw.decode() else {
            return self.wrong(place, || "is not valid Unicode text".into());
        };
        let Some(rules) = &node.text else {
            return Ok(());
        };
        if rules.min.is_some() || rules.max.is_some() {
            let count = text.chars().count() as u64;
            self.bounds(
                count,
                rules.min,
                rules.max,
                "character",
                "characters",
                place,
            )?;
        }
        for said in &rules.rules {
            if !said.rule.holds(&text) {
                self.wrong(place, || said.says.clone())?;
            }
        }
        for pattern in &rules.patterns {
            if !pattern.holds(&text) {
                self.wrong(place, || pattern.says.clone())?;
            }
        }
        Ok(())
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

    fn number(&mut self, node: &'v Node, place: Option<&Place<'_>>) -> Walked {
        let written = self.cursor.word()?;
        let Some(number) = Number::parse(written) else {
            return Err(Stop::Malformed);
        };
        if matches!(number, Number::Float(float) if float.is_infinite()) {
            return self.wrong(place, || "is too large a number".into());
        }
        if !node.types.meets(Types::FRACTION) {
            if !number.is_whole() {
                return self.wrong(place, || must_be(node));
            }
            // serde reads `1.0` and `-0` as floats.
            if self.validator.strict && (!is_plain(written) || written == "-0") {
                return self.wrong(place, || {
                    "must be a whole number written without a decimal point or exponent".into()
                });
            }
        }
        let Some(bounds) = &node.number else {
            return Ok(());
        };
        if let Some(min) = bounds.min.filter(|min| number < *min) {
            self.wrong(place, || format!("must be at least {min}"))?;
        }
        if let Some(max) = bounds.max.filter(|max| number > *max) {
            self.wrong(place, || format!("must be at most {max}"))?;
        }
        if let Some(above) = bounds.above.filter(|above| number <= *above) {
            self.wrong(place, || format!("must be more than {above}"))?;
        }
        if let Some(below) = bounds.below.filter(|below| number >= *below) {
            self.wrong(place, || format!("must be less than {below}"))?;
        }
        if let Some(step) = bounds.step.filter(|step| !number.is_multiple_of(*step)) {
            self.wrong(place, || format!("must be a multiple of {step}"))?;
        }
        Ok(())
    }

    fn list(&mut self, node: &'v Node, place: Option<&Place<'_>>) -> Walked {
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

    fn object(&mut self, node: &'v Node, place: Option<&Place<'_>>) -> Walked {
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
                self.wrong(place, || "has a name that is not valid Unicode text".into())?;
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

    fn other_member(
        &mut self,
        rules: &'v ObjectNode,
        name: &str,
        place: Option<&Place<'_>>,
    ) -> Walked {
        let step = Place {
            parent: place,
            step: Step::Key(name),
        };
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

    fn unknown(&mut self, rules: &ObjectNode, name: &str, place: Option<&Place<'_>>) -> Walked {
        if self.mode != Mode::Report {
            return Err(Stop::Wrong);
        }
        if self.unknown.len() >= MAX_UNKNOWN {
            self.unlisted += 1;
            return Ok(());
        }
        let mut text = format!("unknown argument \"{}\"", words::client_name(name));
        if let Some(meant) = self.meant(rules, name, place) {
            text.push_str(&format!(" (did you mean {meant:?}?)"));
        }
        self.unknown.push(Finding::new(words::path(place), text));
        Ok(())
    }

    /// The name that was probably meant: here, or one level further down.
    fn meant(&self, rules: &ObjectNode, name: &str, place: Option<&Place<'_>>) -> Option<String> {
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

/// A value to be compared with those of an `enum`.
enum Given<'t> {
    Text(Option<std::borrow::Cow<'t, str>>),
    Other(&'t str),
}

impl Given<'_> {
    fn is(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(text), Value::String(value)) => text.as_deref() == Some(value.as_str()),
            (Self::Text(_), _) => false,
            (Self::Other(text), Value::Number(_)) => {
                Number::parse(text).is_some_and(|given| Number::of(value) == Some(given))
            }
            (Self::Other(text), _) => {
                serde_json::from_str::<Value>(text).is_ok_and(|g| g == *value)
            }
        }
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
    /// False where it was there before.
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

fn must_be(node: &Node) -> String {
    match &node.allowed {
        Some(allowed) if !allowed.is_empty() => {
            format!("must be {}", words::list(allowed.iter().map(shown)))
        }
        _ if node.types == Types::NONE => "must be left out".into(),
        _ => format!("must be {}", node.types.says()),
    }
}

/// A value of the schema.
fn shown(value: &Value) -> String {
    value.to_string()
}

/// One text for all spellings of a value.
fn canonical(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Number(number)) => match Number::parse(text) {
            Some(Number::Float(float)) => float.to_string(),
            _ => number.to_string(),
        },
        Ok(value) => value.to_string(),
        Err(_) => text.to_owned(),
    }
}

fn tag_of<'c>(choice: &'c Choice, one: usize, tag: &str) -> Option<&'c Vec<String>> {
    choice.of[one].marks.iter().find_map(|mark| match mark {
        Mark::Tag(name, values) if name == tag => Some(values),
        _ => None,
    })
}

/// A tag that every alternative has.
fn common_tag<'c>(choice: &'c Choice, fitting: &[usize]) -> Option<&'c str> {
    let first = choice.of.get(*fitting.first()?)?;
    first.marks.iter().find_map(|mark| match mark {
        Mark::Tag(tag, _) => fitting
            .iter()
            .all(|one| tag_of(choice, *one, tag).is_some())
            .then_some(tag.as_str()),
        Mark::Key(_) => None,
    })
}

/// The only key of each alternative, with its aliases.
fn all_keys<'c>(choice: &'c Choice, fitting: &[usize]) -> Option<Vec<&'c Vec<String>>> {
    fitting
        .iter()
        .map(|one| {
            choice.of[*one].marks.iter().find_map(|mark| match mark {
                Mark::Key(keys) => Some(keys),
                Mark::Tag(..) => None,
            })
        })
        .collect()
}
