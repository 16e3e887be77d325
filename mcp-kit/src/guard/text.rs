//! Rules for text that reaches another system: a shell, a terminal, a database,
//! a page. Each is a function for garde's `custom`, and the derive of `ToolArgs`
//! knows it: the rule is in the schema as a pattern and in words.
//!
//! ```
//! use garde::Validate;
//! use mcp_kit::guard::text;
//! use mcp_kit::prelude::*;
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
//! struct PublishArgs {
//!     #[garde(length(chars, max = 80), custom(text::slug))]
//!     page: String,
//!     #[garde(length(chars, min = 1, max = 200), custom(text::single_line), custom(text::no_markup))]
//!     title: String,
//!     #[garde(custom(text::no_control))]
//!     body: Option<String>,
//!     #[garde(length(max = 10), inner(custom(text::slug)))]
//!     tags: Vec<String>,
//! }
//!
//! mcp_kit::testing::assert_schema_agrees::<PublishArgs>();
//! ```
//!
//! | rule | what a text must be |
//! |---|---|
//! | [`slug`] | `release-notes-2`: words of `a-z` and `0-9` with single hyphens between them |
//! | [`identifier`] | `A-Z`, `a-z`, `0-9` and `_`, without a digit in front |
//! | [`sql_identifier`] | the same, of at most 63 characters |
//! | [`single_line`] | one line of plain text |
//! | [`no_control`] | plain text, which may have tabs and line breaks |
//! | [`no_shell_meta`] | one line of plain text without the characters that shells interpret |
//! | [`no_markup`] | text for the content of an element of HTML or XML |
//!
//! *Plain text* has no control character (C0, DEL, C1), no separator of lines
//! (U+2028, U+2029) or of annotations (U+FFF9–U+FFFB), and none of the characters
//! that a person does not see and a model reads: those that Unicode calls default
//! ignorable, among them marks of the reading direction, zero-width spaces, Hangul
//! fillers, tag characters and the variation selectors U+E0100–U+E01EF. The flags of
//! England, Scotland and Wales are spelled with tags, and rare forms of ideographs
//! with these selectors, so both are refused.
//!
//! It may have the invisible characters that languages and other emoji are written
//! with: the joiners U+034F, U+200C and U+200D, and the variation selectors
//! U+180B–U+180D, U+180F and U+FE00–U+FE0F. Programs can hide a few bits in them.
//!
//! Validators of JSON Schema have no common notation for characters above U+FFFF, so
//! the published pattern accepts the invisible ones among them, which the schema's
//! description and the check refuse.
//!
//! A rule describes what a text may look like. It does not make a dangerous use of
//! the text safe: run programs without a shell, and give values to a database
//! as parameters.
//!
//! The derive knows the rules by the names that they have here: import the
//! module, or the functions without another name.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use zeroize::Zeroize;

use super::Sensitive;
use crate::schema::{NamedRule, StringRule};

/// A type that the rules can be used on: text, also in an `Option`, a pointer or
/// a [`Sensitive`]. It is sealed: other crates cannot implement it.
#[diagnostic::on_unimplemented(
    message = "a rule for text cannot check `{Self}`",
    label = "this rule is for `String`, `Option<String>` and other text",
    note = "for the items of a list or an array write `#[garde(inner(custom(…)))]`"
)]
pub trait Text: Judged {}

mod sealed {
    use crate::schema::StringRule;

    pub trait Judged {
        /// Whether the text, if there is one, keeps a rule. The text itself is not given: it
        /// may be sensitive.
        fn keeps(&self, rule: StringRule) -> bool;
    }
}

use sealed::Judged;

impl Text for str {}

impl Judged for str {
    fn keeps(&self, rule: StringRule) -> bool {
        rule.holds(self)
    }
}

impl Text for String {}

impl Judged for String {
    fn keeps(&self, rule: StringRule) -> bool {
        rule.holds(self)
    }
}

impl Text for Cow<'_, str> {}

impl Judged for Cow<'_, str> {
    fn keeps(&self, rule: StringRule) -> bool {
        rule.holds(self)
    }
}

macro_rules! pointers {
    ($($pointer:ty),*) => { $(
        impl<T: Text + ?Sized> Text for $pointer {}

        impl<T: Judged + ?Sized> Judged for $pointer {
            fn keeps(&self, rule: StringRule) -> bool {
                (**self).keeps(rule)
            }
        }
    )* };
}

pointers!(&T, Box<T>, Rc<T>, Arc<T>);

impl<T: Text> Text for Option<T> {}

impl<T: Judged> Judged for Option<T> {
    fn keeps(&self, rule: StringRule) -> bool {
        self.as_ref().is_none_or(|text| text.keeps(rule))
    }
}

impl<T: Text + Zeroize> Text for Sensitive<T> {}

impl<T: Judged + Zeroize> Judged for Sensitive<T> {
    fn keeps(&self, rule: StringRule) -> bool {
        self.expose_secret().keeps(rule)
    }
}

macro_rules! rules {
    ($($(#[$docs:meta])* $name:ident: $rule:ident;)*) => { $(
        $(#[$docs])*
        ///
        /// For `#[garde(custom(…))]`, see the [module](self). No text (`None`) is right.
        ///
        /// # Errors
        /// The rule in words, if the text breaks it.
        pub fn $name<T: Text + ?Sized, C>(text: &T, _context: &C) -> garde::Result {
            match text.keeps(StringRule::$rule) {
                true => Ok(()),
                false => Err(garde::Error::new(StringRule::$rule.says())),
            }
        }

        // The derive of `ToolArgs` finds the rule by the function's path: a type without
        // values that has the same name.
        #[doc(hidden)]
        #[allow(non_camel_case_types, missing_debug_implementations)]
        pub enum $name {}

        impl NamedRule for $name {
            const RULE: StringRule = StringRule::$rule;
        }
    )* };
}

rules! {
    /// Requires a name as programming languages have it: ASCII letters, digits
    /// and `_`, at least one, without a digit in front.
    identifier: Identifier;
    /// Requires plain text of any number of lines: no control character but tab,
    /// line feed and carriage return, and no invisible formatting character.
    no_control: NoControl;
    /// Refuses `<`, `>`, `&`, `[`, `]` and `` ` ``: text without them has no tags and
    /// entities of HTML and XML, no images, and no links of Markdown whose text hides
    /// their target. It is for the content of an element and not for an attribute,
    /// since it may have quotes. What remains of Markdown: emphasis, headings, lists,
    /// tables, code that is indented or after `~~~`, and bare URLs, which many
    /// programs show as links.
    no_markup: NoMarkup;
    /// Requires one line of plain text without the characters with which POSIX
    /// shells, cmd.exe and PowerShell quote, expand, redirect, assign and separate:
    /// ``! " # $ % & ' ( ) * , ; < = > ? @ [ \ ] ^ ` { | } ~`` and typographic quotes.
    /// Spaces are allowed, and a dash, `/`, `.`, `:` or `+` in front, so the text can
    /// still be several arguments, an option or a path.
    no_shell_meta: NoShellMeta;
    /// Requires one line of plain text: no control character, no line break, no
    /// invisible formatting character.
    single_line: SingleLine;
    /// Requires words of lowercase ASCII letters and digits with single hyphens
    /// between them, at least one character.
    slug: Slug;
    /// Requires a name that databases take without quotes: ASCII letters, digits
    /// and `_`, at most 63, without a digit in front. It may be a reserved word,
    /// so quote it. A name with a schema in front is two arguments.
    sql_identifier: SqlIdentifier;
}
