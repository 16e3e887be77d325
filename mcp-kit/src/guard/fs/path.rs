//! `SandboxPath`: a path as a client writes it, checked before anything is
//! opened.
//!
//! The check is lexical. It keeps paths readable and portable and refuses
//! obvious escapes; [`SandboxDir`](super::SandboxDir) ensures that no path
//! leaves the folder, by resolving each path below its handle.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use garde::Validate;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use super::error::{FileError, FileErrorKind};
use crate::args::shape::{Shape, Shaped};
use crate::schema::TextForm;

/// Temporary files of unfinished writes. No path names one, no listing shows one.
pub(super) const TEMPORARY: &str = ".mcp-kit-";

/// A relative path inside a folder, such as `docs/notes.txt`: an argument's type.
///
/// The path alone opens nothing. Only a [`SandboxDir`](super::SandboxDir) does, so a handler
/// cannot forget to check it.
///
/// The parts are separated by `/`. The text `.` is the folder itself, and what
/// [`SandboxPath::default`] returns, so that `#[serde(default)]` makes the argument optional.
/// Parts that are `.` and one `/` at the end mean nothing and are dropped.
///
/// Refused when the arguments are decoded, on every system:
///
/// - absolute paths, the empty path, empty parts (`a//b`);
/// - parts that are `..` (a name such as `..dots.txt` is fine);
/// - control characters, NUL among them, and backslashes;
/// - more than 1,024 bytes, more than 64 parts, or a part of more than 255 bytes;
/// - names that begin with `.mcp-kit-`, which the guard uses for files that are
///   being written.
///
/// On Windows also drives and streams (`:`), the characters `< > " | ? *`, names of devices
/// (`CON`, `nul.txt`, `COM1`), and parts that end in a dot or a space. Elsewhere these are
/// ordinary names, and files that have them stay readable.
///
/// ```
/// use mcp_kit::guard::SandboxPath;
///
/// let path: SandboxPath = "docs/./notes.txt".parse()?;
/// assert_eq!(path.as_str(), "docs/notes.txt");
/// assert!("../etc/passwd".parse::<SandboxPath>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// In a tool's arguments it needs no rule of its own:
///
/// ```
/// use garde::Validate;
/// use mcp_kit::{ToolArgs, guard::SandboxPath};
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
/// struct ReadArgs {
///     /// Which file to read.
///     #[garde(skip)]
///     path: SandboxPath,
/// }
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SandboxPath(Box<str>);

impl SandboxPath {
    /// The longest path, in bytes.
    pub const MAX_BYTES: usize = 1024;
    /// The most parts of a path.
    pub const MAX_PARTS: usize = 64;

    /// Returns the path as text, with `/` between its parts; `.` for the folder
    /// itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the folder itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        &*self.0 == "."
    }

    /// Returns the last part; `None` for the folder itself.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.split().map(|(_, name)| name)
    }

    /// Returns the folder that contains it; `None` for the folder itself.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.split().map(|(parent, _)| Self(parent.into()))
    }

    /// Returns the path of something inside this folder.
    ///
    /// # Errors
    ///
    /// Returns [`FileErrorKind::InvalidPath`] if the result is not a valid
    /// path.
    pub fn join(&self, inside: &str) -> Result<Self, FileError> {
        let inside = Self::from_str(inside)?;
        if self.is_root() || inside.is_root() {
            return Ok(if self.is_root() { inside } else { self.clone() });
        }
        format!("{self}/{inside}").parse()
    }

    /// The folder that contains it, and the last part.
    fn split(&self) -> Option<(&str, &str)> {
        if self.is_root() {
            return None;
        }
        Some(self.0.rsplit_once('/').unwrap_or((".", &self.0)))
    }
}

/// The folder itself.
impl Default for SandboxPath {
    fn default() -> Self {
        Self(".".into())
    }
}

impl FromStr for SandboxPath {
    type Err = FileError;

    fn from_str(text: &str) -> Result<Self, FileError> {
        let path = normalised(text, cfg!(windows)).map(|path| Self(path.into()));
        path.ok_or_else(|| FileError::new(FileErrorKind::InvalidPath, text))
    }
}

/// Returns the path without its meaningless parts; `None` if it is refused.
fn normalised(text: &str, windows: bool) -> Option<String> {
    if text.is_empty() || text.len() > SandboxPath::MAX_BYTES {
        return None;
    }
    let text = text.strip_suffix('/').unwrap_or(text);
    let mut path = String::with_capacity(text.len());
    let mut parts = 0;
    for part in text.split('/').filter(|part| *part != ".") {
        parts += 1;
        if !is_name(part, windows) || parts > SandboxPath::MAX_PARTS {
            return None;
        }
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(part);
    }
    Some(if path.is_empty() { ".".into() } else { path })
}

/// Whether a part of a path can be the name of a file.
fn is_name(part: &str, windows: bool) -> bool {
    const LONGEST: usize = 255;
    let is_temporary = || {
        let start = part.as_bytes().get(..TEMPORARY.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(TEMPORARY.as_bytes()))
    };
    let is_refused = part.is_empty()
        || part.len() > LONGEST
        || matches!(part, "." | "..")
        || part.contains(|c: char| matches!(c, '/' | '\\') || c.is_control())
        || is_temporary()
        || (windows && is_special_on_windows(part));
    !is_refused
}

/// Whether the name has a special meaning on Windows.
fn is_special_on_windows(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end_matches(' ');
    let stem = stem.to_uppercase();
    let is_numbered = |device: &str| {
        let number = stem.strip_prefix(device);
        number.is_some_and(|number| {
            let mut characters = number.chars();
            matches!(characters.next(), Some('0'..='9' | '¹' | '²' | '³'))
                && characters.next().is_none()
        })
    };
    part.contains([':', '<', '>', '"', '|', '?', '*'])
        || part.ends_with(['.', ' '])
        || matches!(&*stem, "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || is_numbered("COM")
        || is_numbered("LPT")
}

impl fmt::Display for SandboxPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SandboxPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SandboxPath").field(&self.0).finish()
    }
}

impl<'de> Deserialize<'de> for SandboxPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PathVisitor;

        impl Visitor<'_> for PathVisitor {
            type Value = SandboxPath;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path inside the folder")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SandboxPath, E> {
                text.parse()
                    .map_err(|_| E::custom("not a path inside the folder"))
            }
        }

        deserializer.deserialize_str(PathVisitor)
    }
}

impl Serialize for SandboxPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl JsonSchema for SandboxPath {
    fn schema_name() -> Cow<'static, str> {
        "SandboxPath".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// Every value has passed the check, so there is nothing left to validate.
impl Validate for SandboxPath {
    type Context = ();

    fn validate_into(&self, (): &(), _: &mut dyn FnMut() -> garde::Path, _: &mut garde::Report) {}
}

impl Shaped for SandboxPath {
    fn shape() -> &'static Shape {
        static FORM: TextForm = TextForm::of::<SandboxPath>(
            "SandboxPath",
            "must be a path inside the folder such as docs/notes.txt",
            Some(r"^[^/\\]+(/[^/\\]+)*/?$"),
        );
        const { &Shape::Text(&FORM) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everywhere(text: &str) -> [Option<String>; 2] {
        [normalised(text, false), normalised(text, true)]
    }

    #[test]
    fn ordinary_paths_pass_on_every_system() {
        for (text, path) in [
            ("notes.txt", "notes.txt"),
            ("docs/notes.txt", "docs/notes.txt"),
            ("./docs/./notes.txt", "docs/notes.txt"),
            ("docs/", "docs"),
            (".", "."),
            ("./", "."),
            ("..dots.txt", "..dots.txt"),
            ("...", "..."),
            (".hidden", ".hidden"),
            ("日本語/żółć 🦀.md", "日本語/żółć 🦀.md"),
            ("console.log", "console.log"),
            ("com10.txt", "com10.txt"),
            ("~/notes", "~/notes"),
            ("%2e%2e/x", "%2e%2e/x"),
        ] {
            let expected = Some(path.to_owned());
            // Windows drops the dots at the end of a name.
            if path == "..." {
                assert_eq!(everywhere(text), [expected, None], "{text}");
            } else {
                assert_eq!(everywhere(text), [expected.clone(), expected], "{text}");
            }
        }
    }

    #[test]
    fn paths_that_could_leave_or_hide_something_are_refused_on_every_system() {
        let long = "x".repeat(256);
        let deep = vec!["d"; 65].join("/");
        let longest = vec!["x".repeat(100); 11].join("/");
        for text in [
            "",
            "/",
            "//",
            "/etc/passwd",
            "..",
            "../x",
            "a/..",
            "a/../b",
            "./..",
            "a//b",
            "//a",
            "a\0b",
            "\0",
            "a\nb",
            "a\u{7f}",
            "a\u{85}b",
            "a\\b",
            "..\\x",
            "C:\\x",
            "\\\\host\\x",
            ".mcp-kit-12",
            "a/.MCP-Kit-12",
            "a/.mcp-kit-/b",
            &long,
            &deep,
            &longest,
        ] {
            assert_eq!(everywhere(text), [None, None], "{text:?}");
        }
    }

    #[test]
    fn names_with_a_meaning_of_their_own_are_refused_on_windows() {
        for text in [
            "C:",
            "C:x",
            "c:/x",
            "notes.txt:stream",
            "a::$DATA",
            "CON",
            "nul",
            "aux.txt",
            "docs/Com1",
            "LPT9.log",
            "COM¹",
            "nul .txt",
            "CONIN$",
            "name.",
            "name ",
            "dots..",
            "a. /b",
            "what?",
            "*.txt",
            "a|b",
            "<a>",
            "\"a\"",
        ] {
            let [elsewhere, windows] = everywhere(text);
            assert_eq!(windows, None, "{text:?}");
            assert_eq!(elsewhere.as_deref(), Some(text));
        }
    }

    #[test]
    fn parents_names_and_joined_paths() {
        let path: SandboxPath = "a/b/c.txt".parse().unwrap();
        assert_eq!(path.file_name(), Some("c.txt"));
        let parent = path.parent().unwrap();
        assert_eq!(parent.as_str(), "a/b");
        assert_eq!(parent.join("c.txt").unwrap(), path);
        assert!(parent.join("../c.txt").is_err());
        let root = SandboxPath::default();
        assert_eq!((root.file_name(), root.parent()), (None, None));
        assert_eq!(root.join("a/b").unwrap(), parent);
        assert_eq!(parent.join(".").unwrap(), parent);
        assert!(
            "a".parse::<SandboxPath>()
                .unwrap()
                .parent()
                .unwrap()
                .is_root()
        );
    }
}
