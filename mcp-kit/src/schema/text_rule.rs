//! Rules for a string that JSON Schema has no keyword for. They are published
//! as patterns, formats or words, and checked here in the same way as by garde.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use super::number::pattern_of_range;
use super::{StringRule, TextForm};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TextRule {
    Ascii,
    Alphanumeric,
    Prefix(String),
    Suffix(String),
    Contains(String),
    Ip,
    IpV4,
    IpV6,
    /// Length in bytes of UTF-8.
    Bytes(Option<u64>, Option<u64>),
    /// Length in units of UTF-16.
    Utf16(Option<u64>, Option<u64>),
    /// A whole number, written as JSON writes it.
    Whole {
        min: Option<i128>,
        max: Option<i128>,
        /// Whether 0 is allowed.
        zero: bool,
    },
    /// `true` or `false`, as a key.
    Flag,
    /// A variant of an enum, as a key.
    OneOf(Vec<String>),
    /// The form of the field's type.
    Form(&'static TextForm),
    /// A rule of `guard::text`.
    Named(StringRule),
}

impl TextRule {
    pub(crate) fn holds(&self, text: &str) -> bool {
        let within = |length: usize, min: &Option<u64>, max: &Option<u64>| {
            let length = length as u64;
            min.is_none_or(|min| length >= min) && max.is_none_or(|max| length <= max)
        };
        match self {
            Self::Ascii => text.is_ascii(),
            Self::Alphanumeric => text.chars().all(char::is_alphanumeric),
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Self::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Self::Contains(part) => text.contains(part.as_str()),
            Self::Ip => text.parse::<IpAddr>().is_ok(),
            Self::IpV4 => text.parse::<Ipv4Addr>().is_ok(),
            Self::IpV6 => text.parse::<Ipv6Addr>().is_ok(),
            Self::Bytes(min, max) => within(text.len(), min, max),
            Self::Utf16(min, max) => within(text.encode_utf16().count(), min, max),
            Self::Whole { min, max, zero } => {
                let plain = text
                    .strip_prefix('-')
                    .filter(|rest| *rest != "0")
                    .unwrap_or(text);
                let digits = plain.bytes().all(|b| b.is_ascii_digit());
                let leading = plain.len() > 1 && plain.starts_with('0');
                digits
                    && !plain.is_empty()
                    && !leading
                    && match text.parse::<i128>() {
                        Ok(number) => {
                            min.is_none_or(|min| number >= min)
                                && max.is_none_or(|max| number <= max)
                                && (*zero || number != 0)
                        }
                        // The upper half of `u128`.
                        Err(_) => max.is_none() && text.parse::<u128>().is_ok(),
                    }
            }
            Self::Flag => matches!(text, "true" | "false"),
            Self::OneOf(names) => names.iter().any(|name| name == text),
            Self::Form(form) => (form.reads)(text),
            Self::Named(rule) => rule.holds(text),
        }
    }

    /// Whether a number satisfies the rule: only a type that accepts both has
    /// such a rule.
    pub(crate) fn holds_number(&self, number: &str) -> bool {
        match self {
            Self::Form(form) => (form.reads_number)(number),
            _ => true,
        }
    }

    /// Returns the words of the rule, as they follow `query: ` in a report.
    pub(crate) fn says(&self) -> String {
        match self {
            Self::Ascii => "must contain only ASCII characters".into(),
            Self::Alphanumeric => "must contain only letters and digits".into(),
            Self::Prefix(prefix) => format!("must start with {prefix:?}"),
            Self::Suffix(suffix) => format!("must end with {suffix:?}"),
            Self::Contains(part) => format!("must contain {part:?}"),
            Self::Ip => "must be an IP address".into(),
            Self::IpV4 => "must be an IPv4 address".into(),
            Self::IpV6 => "must be an IPv6 address".into(),
            Self::Bytes(min, max) => length("byte of UTF-8", "bytes of UTF-8", *min, *max),
            Self::Utf16(min, max) => length("UTF-16 unit", "UTF-16 units", *min, *max),
            Self::Whole { min, max, zero } => {
                let zero = if *zero || *min == Some(1) {
                    ""
                } else {
                    " other than 0"
                };
                match (min, max) {
                    (Some(min), Some(max)) => {
                        format!("must be a whole number from {min} to {max}{zero}")
                    }
                    (Some(min), None) => format!("must be a whole number of at least {min}"),
                    _ => format!("must be a whole number{zero}"),
                }
            }
            Self::Flag => "must be true or false".into(),
            Self::OneOf(names) => {
                let names = names.iter().map(|name| format!("{name:?}"));
                format!("must be {}", super::words::list(names))
            }
            Self::Form(form) => form.says.into(),
            Self::Named(rule) => rule.says().into(),
        }
    }

    /// Returns what exactly is wrong with a text that breaks the rule, if the
    /// rule alone does not state it.
    pub(crate) fn why(&self, text: &str) -> Option<&'static str> {
        match self {
            Self::Form(form) => (form.why)(text),
            _ => None,
        }
    }

    /// Returns the rule as a regular expression that ECMA 262, Python and Rust
    /// read alike.
    pub(crate) fn pattern(&self) -> Option<String> {
        match self {
            Self::Ascii => Some(r"^[\x00-\x7F]*$".into()),
            Self::Prefix(prefix) => Some(format!("^{}", escape(prefix))),
            Self::Suffix(suffix) => Some(format!("{}$", escape(suffix))),
            Self::Contains(part) => Some(escape(part)),
            Self::Whole { min, max, zero } => Some(pattern_of_range(*min, *max, *zero)),
            Self::Form(form) => form.pattern.map(str::to_owned),
            Self::Named(rule) => Some(rule.pattern()),
            _ => None,
        }
    }

    /// Returns the note that the compiler of the checks reads.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Ascii => json!(["ascii"]),
            Self::Alphanumeric => json!(["alphanumeric"]),
            Self::Prefix(prefix) => json!(["prefix", prefix]),
            Self::Suffix(suffix) => json!(["suffix", suffix]),
            Self::Contains(part) => json!(["contains", part]),
            Self::Ip => json!(["ip"]),
            Self::IpV4 => json!(["ipv4"]),
            Self::IpV6 => json!(["ipv6"]),
            Self::Bytes(min, max) => json!(["bytes", min, max]),
            Self::Utf16(min, max) => json!(["utf16", min, max]),
            Self::Whole { min, max, zero } => {
                let text = |bound: &Option<i128>| bound.map(|bound| bound.to_string());
                json!(["whole", text(min), text(max), zero])
            }
            Self::Flag => json!(["flag"]),
            Self::OneOf(names) => json!(["one of", names]),
            Self::Form(form) => json!(["form", form.note()]),
            Self::Named(rule) => json!(["named", rule.name()]),
        }
    }

    pub(crate) fn of_value(value: &Value) -> Option<Self> {
        let text = || value.get(1)?.as_str().map(str::to_owned);
        let bounds = || {
            let bound = |index| value.get(index).and_then(Value::as_u64);
            (bound(1), bound(2))
        };
        Some(match value.get(0)?.as_str()? {
            "ascii" => Self::Ascii,
            "alphanumeric" => Self::Alphanumeric,
            "prefix" => Self::Prefix(text()?),
            "suffix" => Self::Suffix(text()?),
            "contains" => Self::Contains(text()?),
            "ip" => Self::Ip,
            "ipv4" => Self::IpV4,
            "ipv6" => Self::IpV6,
            "bytes" => Self::Bytes(bounds().0, bounds().1),
            "utf16" => Self::Utf16(bounds().0, bounds().1),
            "flag" => Self::Flag,
            "one of" => {
                let names = value.get(1)?.as_array()?.iter();
                Self::OneOf(
                    names
                        .map(|name| name.as_str().map(str::to_owned))
                        .collect::<Option<_>>()?,
                )
            }
            "whole" => {
                let bound = |index| value.get(index)?.as_str()?.parse().ok();
                Self::Whole {
                    min: bound(1),
                    max: bound(2),
                    zero: value.get(3)?.as_bool()?,
                }
            }
            "form" => Self::Form(TextForm::named(&text()?)?),
            "named" => Self::Named(StringRule::named(&text()?)?),
            _ => return None,
        })
    }
}

/// Formats `must have at least 1 character`, `must have 2 to 5 items`.
pub(crate) fn length(one: &str, many: &str, min: Option<u64>, max: Option<u64>) -> String {
    let unit = |count| if count == 1 { one } else { many };
    match (min, max) {
        (Some(min), Some(max)) if min == max => format!("must have exactly {min} {}", unit(min)),
        (Some(min), Some(max)) => format!("must have {min} to {max} {many}"),
        (Some(min), None) => format!("must have at least {min} {}", unit(min)),
        (None, Some(max)) => format!("must have at most {max} {}", unit(max)),
        (None, None) => String::new(),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()|[]{}^$/".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// Returns the first construct that Rust's regular expressions support and ECMA
/// 262's, which JSON Schema uses, do not.
pub(crate) fn foreign_to_ecma(pattern: &str) -> Option<&'static str> {
    let mut escaped = false;
    let mut in_class = false;
    for (index, character) in pattern.char_indices() {
        let rest = &pattern[index..];
        if escaped {
            escaped = false;
            match character {
                'A' => return Some(r"\A"),
                'z' => return Some(r"\z"),
                'a' => return Some(r"\a"),
                'U' => return Some(r"\U"),
                'x' if rest.starts_with("x{") => return Some(r"\x{…}"),
                _ => {}
            }
            continue;
        }
        match character {
            '\\' => escaped = true,
            '[' if in_class && rest.starts_with("[:") => return Some("[:…:]"),
            '[' if in_class => return Some("[…[…]]"),
            '[' => in_class = true,
            ']' => in_class = false,
            '&' if in_class && rest.starts_with("&&") => return Some("&&"),
            '(' if !in_class && rest.starts_with("(?P<") => return Some("(?P<…>"),
            '(' if !in_class
                && rest.starts_with("(?")
                && !rest.starts_with("(?:")
                && !rest.starts_with("(?<") =>
            {
                return Some("(?…)");
            }
            _ => {}
        }
    }
    None
}
