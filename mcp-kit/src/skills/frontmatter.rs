//! The frontmatter of a `SKILL.md`: YAML 1.2, as JSON, with every field that the
//! author wrote.
//!
//! The parser reports events; what they become, and within which limits, is decided
//! here. JSON has no aliases, tags, keys other than texts and integers of any size,
//! and hosts compare the JSON with what they parse themselves: what could be read in
//! two ways is refused.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};
use serde_json::{Map, Number, Value};

/// The most bytes between the two lines `---`.
const MOST_BYTES: usize = 64 * 1024;

/// How deeply lists and mappings can be nested.
const DEEPEST: usize = 16;

/// The greatest integer that every JSON parser keeps: 2^53 - 1.
const GREATEST: u64 = 9_007_199_254_740_991;

/// Returns the frontmatter with which a `SKILL.md` begins.
///
/// # Errors
///
/// Returns what is wrong, for the author of the file.
pub(super) fn parse(text: &str) -> Result<Map<String, Value>, String> {
    let yaml = block(text)?;
    if yaml.len() > MOST_BYTES {
        return Err(format!(
            "its frontmatter has {} bytes, more than {MOST_BYTES}; move text into the body",
            yaml.len()
        ));
    }
    let mut tree = Tree::default();
    for event in Parser::new_from_str(yaml) {
        let (event, span) = event.map_err(|error| of_scan(&error))?;
        let line = span.start.line();
        tree.add(event)
            .map_err(|problem| format!("line {}: {problem}", in_file(line)))?;
    }
    match tree.root {
        Some(Value::Object(fields)) => Ok(fields),
        _ => Err(
            "its frontmatter must be a YAML mapping with \"name\" and \"description\"".to_owned(),
        ),
    }
}

/// Returns the text between the line `---` with which the file begins and the next
/// one.
fn block(text: &str) -> Result<&str, String> {
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().unwrap_or_default();
    if text.starts_with('\u{FEFF}') {
        return Err("it begins with a byte order mark; save it as UTF-8 without one".to_owned());
    }
    if first.trim_end_matches(['\r', '\n']) != "---" {
        return Err(
            "it must begin with YAML frontmatter: a line \"---\", the fields, and a line \"---\""
                .to_owned(),
        );
    }
    let (mut end, start) = (first.len(), first.len());
    for line in lines {
        if line.trim_end_matches([' ', '\t', '\r', '\n']) == "---" {
            return Ok(&text[start..end]);
        }
        end += line.len();
    }
    Err("its frontmatter has no end; write a line \"---\" after the fields".to_owned())
}

/// The line of the file; the frontmatter begins on its second.
const fn in_file(line: usize) -> usize {
    line + 1
}

fn of_scan(error: &ScanError) -> String {
    let line = in_file(error.marker().line());
    format!("line {line}: its frontmatter is not YAML: {}", error.info())
}

/// The value that grows event by event.
#[derive(Default)]
struct Tree {
    open: Vec<Open>,
    root: Option<Value>,
}

/// A list or a mapping that has not ended.
enum Open {
    List(Vec<Value>),
    Mapping {
        fields: Map<String, Value>,
        key: Option<String>,
    },
}

impl Tree {
    fn add(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Alias(_) => Err("aliases are not supported; write the value in full".to_owned()),
            Event::Scalar(text, style, _, tag) => {
                no_tag(tag.is_some())?;
                let is_key = matches!(self.open.last(), Some(Open::Mapping { key: None, .. }));
                match is_key {
                    true => self.add_key(&text, style),
                    false => self.add_value(scalar(&text, style)?),
                }
            }
            Event::SequenceStart(_, tag) => {
                no_tag(tag.is_some())?;
                self.open(Open::List(Vec::new()))
            }
            Event::MappingStart(_, tag) => {
                no_tag(tag.is_some())?;
                let fields = Map::new();
                self.open(Open::Mapping { fields, key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(items)) => self.add_value(items.into()),
                Some(Open::Mapping { fields, .. }) => self.add_value(fields.into()),
                None => Ok(()),
            },
            Event::DocumentStart(_) if self.root.is_some() => {
                Err("a second YAML document begins; the frontmatter is one".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, node: Open) -> Result<(), String> {
        if matches!(self.open.last(), Some(Open::Mapping { key: None, .. })) {
            return Err("a key must be a string".to_owned());
        }
        if self.open.len() == DEEPEST {
            return Err(format!(
                "it is nested more than {DEEPEST} levels deep; flatten it"
            ));
        }
        self.open.push(node);
        Ok(())
    }

    fn add_key(&mut self, text: &str, style: ScalarStyle) -> Result<(), String> {
        if !matches!(scalar(text, style), Ok(Value::String(_))) {
            return Err(format!(
                "the key {} is not a string; write it in quotes",
                shown(text)
            ));
        }
        let Some(Open::Mapping { fields, key }) = self.open.last_mut() else {
            return Ok(());
        };
        if fields.contains_key(text) {
            return Err(format!("the key {} occurs twice; remove one", shown(text)));
        }
        *key = Some(text.to_owned());
        Ok(())
    }

    fn add_value(&mut self, value: Value) -> Result<(), String> {
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(Open::List(items)) => items.push(value),
            Some(Open::Mapping { fields, key }) => {
                if let Some(key) = key.take() {
                    fields.insert(key, value);
                }
            }
        }
        Ok(())
    }
}

fn no_tag(has_tag: bool) -> Result<(), String> {
    match has_tag {
        true => Err("tags such as !!str are not supported; write a text in quotes".to_owned()),
        false => Ok(()),
    }
}

/// Returns the value of a scalar by the core schema of YAML 1.2.
fn scalar(text: &str, style: ScalarStyle) -> Result<Value, String> {
    if style != ScalarStyle::Plain {
        return Ok(text.into());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(true.into()),
        "false" | "False" | "FALSE" => return Ok(false.into()),
        _ => {}
    }
    let (sign, digits) = match text.as_bytes() {
        [b'-', ..] => ("-", &text[1..]),
        [b'+', ..] => ("", &text[1..]),
        _ => ("", text),
    };
    let radix = [("0x", 16), ("0o", 8)];
    let prefixed = radix.into_iter().find_map(|(prefix, radix)| {
        let digits = text.strip_prefix(prefix)?;
        let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
        is_number.then(|| u64::from_str_radix(digits, radix).ok())
    });
    let is_integer = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let integer = prefixed.or_else(|| is_integer.then(|| digits.parse::<u64>().ok()));
    if let Some(integer) = integer {
        return match integer.filter(|integer| *integer <= GREATEST) {
            Some(integer) if sign.is_empty() => Ok(integer.into()),
            Some(integer) => {
                Ok(i64::try_from(integer).map_or(Value::Null, |integer| (-integer).into()))
            }
            None => Err(format!(
                "the number {} is outside of ±(2^53 - 1), so hosts would round it; write it in quotes",
                shown(text)
            )),
        };
    }
    if matches!(digits, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return Err(format!(
            "JSON has no number {}; write it in quotes",
            shown(text)
        ));
    }
    if !is_float(digits) {
        return Ok(text.into());
    }
    let number = digits.parse::<f64>().ok();
    let number = number.map(|number| if sign.is_empty() { number } else { -number });
    match number.and_then(Number::from_f64) {
        Some(number) => Ok(number.into()),
        None => Err(format!(
            "the number {} is too large; write it in quotes",
            shown(text)
        )),
    }
}

/// Whether a text without a sign is a floating point number:
/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`.
fn is_float(text: &str) -> bool {
    let all_digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['-', '+']).unwrap_or(exponent));
    (!whole.is_empty() || !fraction.is_empty())
        && all_digits(whole)
        && all_digits(fraction)
        && exponent.is_none_or(|digits| !digits.is_empty() && all_digits(digits))
}

/// Returns a short, escaped form of a text of the file.
fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}
