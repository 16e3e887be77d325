//! Findings: what is wrong with a JSON text, and where. Finds the path of a position,
//! and the text of a step.

use std::borrow::Cow;
use std::fmt;

use super::cursor::{Cursor, Malformed};
use super::words::{Step, push_step};

/// A place and what is wrong there. Neither holds a value from the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The path on the wire: `filters[2].maxAge`; empty for the whole.
    pub(crate) path: String,
    pub(crate) text: Cow<'static, str>,
}

impl Finding {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }

    /// Whether this is about an unknown name.
    pub(crate) fn is_of_names(&self) -> bool {
        self.text.starts_with("unknown argument")
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.text),
            path => write!(f, "{path}: {}", self.text),
        }
    }
}

/// serde does not read deeper than this, so deeper places are not searched.
const MAX_STEPS: usize = 130;

/// Returns the path of the innermost value around serde_json's `line` and
/// `column`.
pub(crate) fn place_of(text: &str, line: usize, column: usize) -> String {
    let before = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len);
    let offset = before.sum::<usize>() + column;
    let mut path = String::new();
    let mut cursor = Cursor::new(text);
    for _ in 0..MAX_STEPS {
        // The text is malformed: the path as far as it could be read.
        if !matches!(descend(&mut cursor, offset, &mut path), Ok(true)) {
            break;
        }
    }
    path
}

/// Returns the path of the last member of the object in the text.
///
/// serde_json reports an error that a type finds by itself at the end of the
/// object in which that type was last, which is also the object's own end.
pub(crate) fn last_member(text: &str) -> String {
    let mut cursor = Cursor::new(text);
    let mut first = true;
    let mut path = String::new();
    if cursor.open(b'{').is_err() {
        return path;
    }
    while let Ok(Some(name)) = cursor.member(&mut first) {
        path.clear();
        push_step(&mut path, Step::Key(&name.decode().unwrap_or_default()));
        if cursor.skip().is_err() {
            break;
        }
    }
    path
}

/// Takes one step towards the offset; returns false if the value itself is
/// meant.
fn descend(cursor: &mut Cursor<'_>, offset: usize, path: &mut String) -> Result<bool, Malformed> {
    let mut first = true;
    let mut index = 0;
    let bracket = cursor.peek()?;
    if !matches!(bracket, b'{' | b'[') {
        return Ok(false);
    }
    cursor.open(bracket)?;
    loop {
        let name = if bracket == b'{' {
            match cursor.member(&mut first)? {
                Some(name) => name.decode(),
                None => return Ok(false),
            }
        } else if cursor.item(&mut first)? {
            None
        } else {
            return Ok(false);
        };
        cursor.peek()?;
        let start = cursor.pos();
        let skipped = cursor.skip();
        // Text that cannot be skipped ends inside this value.
        if skipped.is_err() || (start..=cursor.pos()).contains(&offset) {
            cursor.seek(start);
            match &name {
                Some(name) => push_step(path, Step::Key(name)),
                None => push_step(path, Step::Index(index)),
            }
            return Ok(true);
        }
        if start > offset {
            return Ok(false);
        }
        index += 1;
    }
}

/// Returns the first member of an object that has one of some names.
pub(crate) fn child_member(text: &str, wanted: impl Fn(&str) -> bool) -> Option<(String, &str)> {
    let mut cursor = Cursor::new(text);
    let mut first = true;
    cursor.open(b'{').ok()?;
    while let Some(name) = cursor.member(&mut first).ok()? {
        cursor.peek().ok()?;
        let start = cursor.pos();
        cursor.skip().ok()?;
        if let Some(name) = name.decode().filter(|name| wanted(name)) {
            return Some((name.into_owned(), cursor.slice(start, cursor.pos())));
        }
    }
    None
}

/// Returns an item of a list.
pub(crate) fn child_item(text: &str, index: usize) -> Option<&str> {
    let mut cursor = Cursor::new(text);
    let mut first = true;
    cursor.open(b'[').ok()?;
    for at in 0.. {
        if !cursor.item(&mut first).ok()? {
            break;
        }
        cursor.peek().ok()?;
        let start = cursor.pos();
        cursor.skip().ok()?;
        if at == index {
            return Some(cursor.slice(start, cursor.pos()));
        }
    }
    None
}
