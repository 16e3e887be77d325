//! The rules of `guard::text`: each with its check, its pattern and its words
//! in one place, so that the schema and the check cannot disagree.

use std::fmt::Write as _;

use crate::support::sort::sort_by;
use crate::support::text::{INVISIBLE, Range, is_in};

/// A rule for a text that reaches another system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StringRule {
    /// `snake_case_2`
    Identifier,
    /// Plain text of any number of lines.
    NoControl,
    /// No characters of HTML, XML and Markdown.
    NoMarkup,
    /// One line without characters of shells.
    NoShellMeta,
    /// One line of plain text.
    SingleLine,
    /// `release-notes-2`
    Slug,
    /// An identifier of at most 63 characters.
    SqlIdentifier,
}

/// Control characters without tab, line feed and carriage return.
const CONTROL: &[Range] = &[
    ('\0', '\u{8}'),
    ('\u{B}', '\u{C}'),
    ('\u{E}', '\u{1F}'),
    ('\u{7F}', '\u{9F}'),
];

const TAB_AND_LINES: &[Range] = &[('\t', '\n'), ('\r', '\r')];

/// Of POSIX shells, cmd.exe and PowerShell, which also reads typographic quotes.
const SHELL: &[Range] = &[
    ('!', '*'),
    (',', ','),
    (';', '@'),
    ('[', '^'),
    ('`', '`'),
    ('{', '~'),
    ('\u{2018}', '\u{201E}'),
];

/// Of HTML, XML and Markdown.
const MARKUP: &[Range] = &[
    ('&', '&'),
    ('<', '<'),
    ('>', '>'),
    ('[', '['),
    (']', ']'),
    ('`', '`'),
];

/// PostgreSQL truncates longer names.
const LONGEST_SQL_NAME: usize = 63;

/// The rule that the derive of `ToolArgs` finds by its name. The rule's
/// function in `guard::text` has a type of the same name, which implements
/// this.
pub trait NamedRule {
    /// The rule.
    const RULE: StringRule;
}

impl StringRule {
    const ALL: [Self; 7] = [
        Self::Identifier,
        Self::NoControl,
        Self::NoMarkup,
        Self::NoShellMeta,
        Self::SingleLine,
        Self::Slug,
        Self::SqlIdentifier,
    ];

    /// Returns the rule with this name in a schema's notes.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Identifier => "identifier",
            Self::NoControl => "no_control",
            Self::NoMarkup => "no_markup",
            Self::NoShellMeta => "no_shell_meta",
            Self::SingleLine => "single_line",
            Self::Slug => "slug",
            Self::SqlIdentifier => "sql_identifier",
        }
    }

    pub(crate) fn holds(self, text: &str) -> bool {
        match self {
            Self::Identifier => is_identifier(text),
            Self::SqlIdentifier => is_identifier(text) && text.len() <= LONGEST_SQL_NAME,
            Self::Slug => text.split('-').all(|word| {
                let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
                !word.is_empty() && word.bytes().all(fits)
            }),
            Self::NoControl | Self::NoMarkup | Self::NoShellMeta | Self::SingleLine => {
                !text.contains(|character| self.refused().iter().any(|set| is_in(set, character)))
            }
        }
    }

    /// Returns the words of the rule, as they follow `name: ` in a report.
    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Identifier => {
                "must be an identifier: ASCII letters, digits and _, without a digit in front"
            }
            Self::NoControl => {
                "must be plain text: no control characters but tabs and line breaks, and no \
                 invisible formatting characters"
            }
            Self::NoMarkup => "must have no markup: none of the characters < > & [ ] `",
            Self::NoShellMeta => {
                "must be one line of plain text without the characters \
                 ! \" # $ % & ' ( ) * , ; < = > ? @ [ \\ ] ^ ` { | } ~ and typographic quotes"
            }
            Self::SingleLine => {
                "must be one line of plain text, without control characters and invisible \
                 formatting characters"
            }
            Self::Slug => {
                "must be a slug such as release-notes-2: lowercase ASCII letters and digits, with \
                 single hyphens between words"
            }
            Self::SqlIdentifier => {
                "must be an SQL name: at most 63 ASCII letters, digits and _, without a digit in \
                 front"
            }
        }
    }

    /// Returns the rule as a regular expression that ECMA 262, Python and Rust
    /// read alike.
    ///
    /// They have no common notation for characters above U+FFFF, and such
    /// characters would be invisible in the schema: the pattern accepts them
    /// all. The check refuses the invisible ones among them, and the words in
    /// the schema mention them.
    pub(crate) fn pattern(self) -> String {
        match self {
            Self::Identifier => "^[A-Za-z_][A-Za-z0-9_]*$".into(),
            Self::SqlIdentifier => "^[A-Za-z_][A-Za-z0-9_]{0,62}$".into(),
            Self::Slug => "^[a-z0-9]+(-[a-z0-9]+)*$".into(),
            Self::NoControl | Self::NoMarkup | Self::NoShellMeta | Self::SingleLine => {
                let mut ranges: Vec<Range> = self.refused().concat();
                ranges.retain(|(first, _)| *first <= '\u{FFFF}');
                sort_by(&mut ranges, &Ord::cmp);
                ranges.dedup_by(|next, before| {
                    let adjacent = u32::from(before.1) + 1 == u32::from(next.0);
                    if adjacent {
                        before.1 = next.1;
                    }
                    adjacent
                });
                let mut pattern = String::from("^[^");
                for (first, last) in ranges {
                    push_class(&mut pattern, first);
                    if first != last {
                        pattern.push('-');
                        push_class(&mut pattern, last);
                    }
                }
                pattern.push_str("]*$");
                pattern
            }
        }
    }

    /// Returns the characters that a text must not have.
    fn refused(self) -> &'static [&'static [Range]] {
        match self {
            Self::NoControl => &[CONTROL, INVISIBLE],
            Self::SingleLine => &[CONTROL, TAB_AND_LINES, INVISIBLE],
            Self::NoShellMeta => &[CONTROL, TAB_AND_LINES, INVISIBLE, SHELL],
            Self::NoMarkup => &[MARKUP],
            Self::Identifier | Self::Slug | Self::SqlIdentifier => &[],
        }
    }
}

fn is_identifier(text: &str) -> bool {
    let name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(name)
}

/// Writes a character of a class, so that none is invisible or misread.
fn push_class(pattern: &mut String, character: char) {
    match u32::from(character) {
        _ if "\\[]^-".contains(character) => pattern.extend(['\\', character]),
        _ if character.is_ascii_graphic() => pattern.push(character),
        code @ ..=0xFF => {
            let _ = write!(pattern, "\\x{code:02X}");
        }
        code => {
            let _ = write!(pattern, "\\u{code:04X}");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Every character at which a range could begin or end, some others, and
    /// short texts of those that the rules distinguish.
    #[cfg(feature = "regex")]
    fn texts() -> impl Iterator<Item = String> {
        let others = ('\u{10000}'..=char::MAX).step_by(997);
        let hidden = INVISIBLE.iter().flat_map(|(first, last)| *first..=*last);
        let alone = ('\0'..='\u{FFFF}').chain(others).chain(hidden);
        let alone = alone.map(String::from);
        let parts = ["", "a", "Z", "7", "_", "-", "--", " ", "é", "\n", "<"];
        let mixed = parts.into_iter().flat_map(move |a| {
            parts
                .into_iter()
                .flat_map(move |b| parts.into_iter().map(move |c| format!("{a}{b}{c}")))
        });
        let long = [62, 63, 64].into_iter().map(|length| "a".repeat(length));
        alone.chain(mixed).chain(long)
    }

    #[cfg(feature = "regex")]
    #[test]
    fn pattern_and_check_of_each_string_rule_agree() {
        use StringRule::{NoControl, NoShellMeta, SingleLine};
        for rule in StringRule::ALL {
            let pattern = regex::Regex::new(&rule.pattern()).unwrap();
            assert_eq!(crate::schema::foreign_to_ecma(&rule.pattern()), None);
            let is_plain_text = matches!(rule, NoControl | NoShellMeta | SingleLine);
            for text in texts() {
                let (check, said) = (rule.holds(&text), pattern.is_match(&text));
                // Characters that the pattern cannot name, and the words do.
                let is_unnamed = |c| c > '\u{FFFF}' && is_in(INVISIBLE, c);
                let expected = check || (is_plain_text && text.contains(is_unnamed));
                assert_eq!(said, expected, "{rule:?} of {text:?}: {}", rule.pattern());
            }
        }
    }

    #[test]
    fn each_string_rule_refuses_what_it_is_for() {
        use StringRule::*;
        let cases: [(StringRule, &[&str], &[&str]); 7] = [
            (
                Identifier,
                &["a", "_", "snake_case", "A1"],
                &["", "1a", "a-b", "é", "a.b", "a\n"],
            ),
            (
                SqlIdentifier,
                &["users", "_t1"],
                &["", "1", "a b", "a;--", "a\"", "public.users"],
            ),
            (
                Slug,
                &["a", "0", "release-notes-2"],
                &["", "-", "-a", "a-", "a--b", "A", "a_b", "é"],
            ),
            (
                SingleLine,
                &["", "Grüße, 你好 👩‍💻", "a; b"],
                &[
                    "a\nb",
                    "a\rb",
                    "a\u{2028}b",
                    "\t",
                    "\u{85}",
                    "\u{1b}[31m",
                    "\u{202e}",
                    "\0",
                    "a\u{e0041}",
                    "\u{e0100}",
                    "\u{ad}",
                ],
            ),
            (
                NoControl,
                &["", "a\n\tb\r\n", "نمی‌خواهم"],
                &[
                    "\u{1b}[2J",
                    "\0",
                    "\u{7f}",
                    "\u{9b}",
                    "\u{200b}",
                    "\u{feff}",
                    "\u{2066}",
                    "a\u{e007f}",
                    "\u{e01ef}",
                    "\u{180e}",
                    "\u{3164}",
                ],
            ),
            (
                NoShellMeta,
                &["", "two words", "-x", "a:b/c.d+e_f"],
                &[
                    "a;b", "`id`", "$HOME", "a|b", "a&b", "a>b", "'", "\"", "\\", "*", "~", "%A%",
                    "’", "a\nb", "a,b", "@a", "A=b",
                ],
            ),
            (
                NoMarkup,
                &["", "5 * 3 - (2)", "a\nb"],
                &["<b>", "&lt;", "![x](http://x)", "`code`"],
            ),
        ];
        for (rule, good, bad) in cases {
            for text in good {
                assert!(rule.holds(text), "{rule:?} takes {text:?}");
            }
            for text in bad {
                assert!(!rule.holds(text), "{rule:?} refuses {text:?}");
            }
            assert_eq!(StringRule::named(rule.name()), Some(rule));
        }
    }

    #[test]
    fn pattern_is_visible_ascii() {
        for rule in StringRule::ALL {
            assert!(rule.pattern().bytes().all(|byte| byte.is_ascii_graphic()));
        }
        assert_eq!(StringRule::NoMarkup.pattern(), r"^[^&<>\[\]`]*$");
    }
}
