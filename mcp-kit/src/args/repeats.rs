//! Detects types whose decoding can repeat itself without end, and estimates
//! the work for a text of such a type.
//!
//! serde tries the variants of an untagged enum one after the other, each on
//! the whole value. If the enum is recursive through a member that several
//! variants have, each level multiplies the work: 3 variants and 40 levels, in
//! 1 KiB, take hours. Two flattened maps in a recursive struct have the same
//! effect. serde cannot be stopped, so the work is counted first: each place of
//! the text once for each type, however often serde would visit it. Other types
//! have no such cost.

use std::collections::{HashMap, HashSet};

use super::publish::resolve;
use super::shape::{EnumShape, FieldShape, Repr, Shape, VariantKind};
use crate::schema::{Cursor, Malformed};

/// Visits that a text may cost, in addition to those that its length allows.
const BASE: u64 = 200_000;
const PER_BYTE: u64 = 8;
/// The depth that serde_json reads.
const MAX_DEPTH: usize = 128;

/// Whether a type has a part that is decoded several times at one place, and
/// that contains itself.
pub(super) fn can_repeat(root: &'static Shape) -> bool {
    let mut all = HashSet::new();
    let mut open = vec![root];
    while let Some(shape) = open.pop() {
        let shape = resolve(shape);
        if !all.insert(std::ptr::from_ref(shape)) {
            continue;
        }
        if branches(shape) && contains_itself(shape) {
            return true;
        }
        open.extend(parts(shape));
    }
    false
}

fn contains_itself(shape: &'static Shape) -> bool {
    let mut seen = HashSet::new();
    let mut open = parts(shape);
    while let Some(part) = open.pop() {
        let part = resolve(part);
        if same(part, shape) {
            return true;
        }
        if seen.insert(std::ptr::from_ref(part)) {
            open.extend(parts(part));
        }
    }
    false
}

/// Whether two shapes are of one type: each mention may be a copy.
fn same(a: &'static Shape, b: &'static Shape) -> bool {
    match (a, b) {
        (Shape::Enum(a), Shape::Enum(b)) => std::ptr::eq(*a, *b),
        (Shape::Struct(a), Shape::Struct(b)) => std::ptr::eq(*a, *b),
        _ => std::ptr::eq(a, b),
    }
}

/// Whether serde may decode one place as several types.
fn branches(shape: &'static Shape) -> bool {
    match shape {
        Shape::Enum(of) => matches!(of.repr, Repr::Untagged),
        Shape::Struct(of) => of.fields.iter().filter(|field| field.flatten).count() > 1,
        _ => false,
    }
}

/// Returns the shapes directly inside a shape.
fn parts(shape: &'static Shape) -> Vec<&'static Shape> {
    let of_fields =
        |fields: &'static [FieldShape]| -> Vec<_> { fields.iter().filter_map(part).collect() };
    match shape {
        Shape::Struct(of) => of_fields(of.fields),
        Shape::Tuple(fields) => of_fields(fields),
        Shape::Newtype(field) => part(field).into_iter().collect(),
        Shape::List(item) | Shape::Array(_, item) | Shape::Set(item) => vec![item()],
        Shape::Map(_, value) => vec![value()],
        Shape::Enum(of) => of
            .variants
            .iter()
            .flat_map(|variant| match &variant.kind {
                VariantKind::Unit => Vec::new(),
                VariantKind::Newtype(field) => part(field).into_iter().collect(),
                VariantKind::Tuple(fields) | VariantKind::Struct(fields) => of_fields(fields),
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Returns the shape of a field, unless serde reads it in its own way.
fn part(field: &'static FieldShape) -> Option<&'static Shape> {
    (!field.skipped && !field.opaque).then(field.shape)
}

/// Returns the top-level member whose decoding would take too much work; empty
/// if it is the whole.
pub(super) fn too_much(root: &'static Shape, text: &str) -> Option<&'static str> {
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    let mut count = Count {
        text,
        known: HashMap::new(),
        fuel: length.saturating_mul(PER_BYTE).saturating_add(BASE),
        budget: length.saturating_mul(PER_BYTE).saturating_add(BASE),
        depth: 0,
        top: "",
    };
    match count.value(root, 0) {
        Err(Stop::TooMuch) => Some(count.top),
        // serde refuses it at the same place or earlier.
        Ok(_) | Err(Stop::Malformed) => None,
    }
}

/// The maximum number of serde's visits, and where the value ends.
type Counted = Result<(u64, usize), Stop>;

enum Stop {
    TooMuch,
    Malformed,
}

impl From<Malformed> for Stop {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// The state of a place of the text as one type.
#[derive(Clone, Copy)]
enum Known {
    /// The place is being counted: the type contains itself at the same place.
    Open,
    Done {
        visits: u64,
        end: usize,
    },
}

struct Count<'t> {
    text: &'t str,
    known: HashMap<(*const Shape, usize), Known>,
    /// For the counting itself.
    fuel: u64,
    /// For serde's visits.
    budget: u64,
    depth: usize,
    top: &'static str,
}

impl<'t> Count<'t> {
    fn cursor(&self, at: usize) -> Cursor<'t> {
        let mut cursor = Cursor::new(self.text);
        cursor.seek(at);
        cursor
    }

    fn burn(&mut self, amount: usize) -> Result<(), Stop> {
        let amount = u64::try_from(amount).unwrap_or(u64::MAX);
        self.fuel = self.fuel.checked_sub(amount).ok_or(Stop::TooMuch)?;
        Ok(())
    }

    /// Counts the value at a position as one type.
    fn value(&mut self, shape: &'static Shape, at: usize) -> Counted {
        let shape = resolve(shape);
        let key = (std::ptr::from_ref(shape), at);
        match self.known.get(&key) {
            Some(Known::Done { visits, end }) => return Ok((*visits, *end)),
            Some(Known::Open) => return Err(Stop::TooMuch),
            None => {}
        }
        self.burn(1)?;
        if self.depth >= MAX_DEPTH {
            return Err(Stop::TooMuch);
        }
        self.known.insert(key, Known::Open);
        self.depth += 1;
        let (visits, end) = self.counted(shape, at)?;
        self.depth -= 1;
        if visits > self.budget {
            return Err(Stop::TooMuch);
        }
        // Only lists and objects are kept: an entry for each number of a long
        // list would take many times the memory of the text.
        if matches!(self.text.as_bytes().get(at), Some(b'{' | b'[')) {
            self.known.insert(key, Known::Done { visits, end });
        } else {
            self.known.remove(&key);
        }
        Ok((visits, end))
    }

    fn counted(&mut self, shape: &'static Shape, at: usize) -> Counted {
        match shape {
            Shape::Struct(of) => self.fields(of.fields, at),
            Shape::Tuple(fields) => self.fields(fields, at),
            Shape::Newtype(field) => match part(field) {
                Some(shape) => self.value(shape, at),
                None => self.skipped(at),
            },
            Shape::List(item) | Shape::Array(_, item) | Shape::Set(item) => {
                let item = item();
                self.inside(at, |_, name, _| name.is_none().then_some(item))
            }
            Shape::Map(_, value) => {
                let value = value();
                self.inside(at, |_, name, _| name.map(|_| value))
            }
            Shape::Enum(of) => self.enumeration(of, at),
            _ => self.skipped(at),
        }
    }

    fn enumeration(&mut self, of: &'static EnumShape, at: usize) -> Counted {
        let (mut visits, end) = self.skipped(at)?;
        for variant in of.variants {
            let content = match of.repr {
                Repr::Untagged | Repr::Internal { .. } => Some(at),
                Repr::External => self.member(at, |name| {
                    variant.wire == name || variant.aliases.contains(&name)
                })?,
                Repr::Adjacent { content, .. } => self.member(at, |name| name == content)?,
            };
            let (more, _) = match (content, &variant.kind) {
                (Some(at), VariantKind::Newtype(field)) => match part(field) {
                    Some(shape) => self.value(shape, at)?,
                    None => continue,
                },
                (Some(at), VariantKind::Tuple(fields) | VariantKind::Struct(fields)) => {
                    self.fields(fields, at)?
                }
                _ => continue,
            };
            visits = visits.saturating_add(more);
        }
        Ok((visits, end))
    }

    /// Counts the fields of a struct or a tuple. serde also reads either from a
    /// list.
    fn fields(&mut self, fields: &'static [FieldShape], at: usize) -> Counted {
        let is_top = self.depth == 1;
        let (mut visits, end) = self.inside(at, |count, name, index| {
            let known = |field: &&FieldShape| match name {
                Some(name) => field.wire == name || field.aliases.contains(&name),
                None => false,
            };
            let field = match name {
                Some(_) => fields.iter().filter(|field| !field.flatten).find(known),
                None => fields.get(index),
            }?;
            if is_top {
                count.top = field.wire;
            }
            part(field)
        })?;
        for shape in fields.iter().filter(|field| field.flatten).filter_map(part) {
            if is_top {
                self.top = "";
            }
            visits = visits.saturating_add(self.value(shape, at)?.0);
        }
        Ok((visits, end))
    }

    /// Counts what is inside a list or an object, each value with its own
    /// shape.
    fn inside(
        &mut self,
        at: usize,
        shape_of: impl Fn(&mut Self, Option<&str>, usize) -> Option<&'static Shape>,
    ) -> Counted {
        let mut cursor = self.cursor(at);
        let bracket = cursor.peek()?;
        if !matches!(bracket, b'{' | b'[') {
            return self.skipped(at);
        }
        let mut visits = 1_u64;
        let mut first = true;
        cursor.open(bracket)?;
        for index in 0.. {
            let name = if bracket == b'{' {
                match cursor.member(&mut first)? {
                    Some(name) => Some(name.decode().unwrap_or_default()),
                    None => break,
                }
            } else if cursor.item(&mut first)? {
                None
            } else {
                break;
            };
            self.burn(1)?;
            cursor.peek()?;
            let (more, end) = match shape_of(self, name.as_deref(), index) {
                Some(shape) => self.value(shape, cursor.pos())?,
                None => self.skipped(cursor.pos())?,
            };
            visits = visits.saturating_add(more);
            cursor.seek(end);
        }
        Ok((visits, cursor.pos()))
    }

    /// Counts a value without a shape: one visit for every few bytes.
    fn skipped(&mut self, at: usize) -> Counted {
        let mut cursor = self.cursor(at);
        cursor.skip()?;
        let length = cursor.pos() - at;
        self.burn(length / 16)?;
        Ok((
            1 + u64::try_from(length / 16).unwrap_or(u64::MAX),
            cursor.pos(),
        ))
    }

    /// Returns the value of the first member with a wanted name.
    fn member(&mut self, at: usize, wanted: impl Fn(&str) -> bool) -> Result<Option<usize>, Stop> {
        let mut cursor = self.cursor(at);
        let mut first = true;
        if cursor.peek()? != b'{' {
            return Ok(None);
        }
        cursor.open(b'{')?;
        while let Some(name) = cursor.member(&mut first)? {
            cursor.peek()?;
            let start = cursor.pos();
            if name.decode().is_some_and(|name| wanted(&name)) {
                return Ok(Some(start));
            }
            cursor.skip()?;
            self.burn(1 + (cursor.pos() - start) / 16)?;
        }
        Ok(None)
    }
}
