//! The text form of keys: entries of `MCP_API_KEYS`, and lines of a file.
//!
//! Messages about an entry repeat none of its text: if a separator is missing,
//! a key is in the place of a name.

use super::error::{Place, Problem};
use super::time;
use super::{KeyDigest, KeyEntry};

/// Shorter keys can be found by trying.
const SHORTEST: usize = 16;

/// A key in the form that a table stores.
pub(super) struct Key {
    pub(super) place: Place,
    pub(super) entry: KeyEntry,
    pub(super) digest: KeyDigest,
    /// Whether the name was made from the digest.
    pub(super) is_unnamed: bool,
}

/// The contents of a text: its keys, its errors and its warnings.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) keys: Vec<Key>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

/// Parses entries separated by commas. Empty ones are skipped, so a comma at
/// the end does no harm.
pub(super) fn list(text: &str) -> Parsed {
    parse(
        text.split(',')
            .zip(1..)
            .map(|(entry, number)| (Place::Entry(number), entry)),
    )
}

/// Parses one entry per line; `#` begins a comment.
pub(super) fn lines(text: &str) -> Parsed {
    // Some editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    parse(
        text.lines()
            .zip(1..)
            .map(|(line, number)| (Place::Line(number), line)),
    )
}

/// Returns what is wrong with a key in plain text.
pub(super) fn key_problem(key: &str) -> Option<&'static str> {
    if key.is_empty() {
        Some("the key is empty")
    } else if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some("the key contains characters other than visible ASCII; no header could carry it")
    } else {
        None
    }
}

/// Returns a warning about a key in plain text.
pub(super) fn key_warning(key: &str) -> Option<&'static str> {
    (key.len() < SHORTEST).then_some(
        "the key has fewer than 16 characters and could be guessed; use a random one of 32",
    )
}

fn parse<'a>(entries: impl Iterator<Item = (Place, &'a str)>) -> Parsed {
    let mut parsed = Parsed::default();
    for (place, text) in entries {
        match entry(place, text) {
            Ok(None) => {}
            Ok(Some((key, warning))) => {
                parsed.keys.push(key);
                let warning = warning.map(|what| Problem {
                    place,
                    what: what.to_owned(),
                });
                parsed.warnings.extend(warning);
            }
            Err(what) => parsed.problems.push(Problem {
                place,
                what: what.to_owned(),
            }),
        }
    }
    parsed
}

type Entry = (Key, Option<&'static str>);

/// Parses `[name:]key[:scope+scope] [expires=…] [# comment]`.
fn entry(place: Place, text: &str) -> Result<Option<Entry>, &'static str> {
    let mut words = text
        .split_whitespace()
        .take_while(|word| !word.starts_with('#'));
    let Some(first) = words.next() else {
        return Ok(None);
    };
    if let Some(slip) = slip(first, &place) {
        return Err(slip);
    }
    let (name, key, scopes) = match first.split_once(':') {
        None => (None, first, None),
        Some((name, rest)) => match rest.split_once(':') {
            None => (Some(name), rest, None),
            Some((key, scopes)) => (Some(name), key, Some(scopes)),
        },
    };
    if let Some(slip) = slip_of_key(name, key) {
        return Err(slip);
    }
    let (digest, warning) = match key.strip_prefix("sha256=") {
        Some(hex) => {
            let digest = KeyDigest::from_hex(hex);
            (
                digest.ok_or("`sha256=` takes the 64 hexadecimal digits of the key's SHA-256")?,
                None,
            )
        }
        None => match key_problem(key) {
            Some(problem) => return Err(problem),
            None => (KeyDigest::of(key), key_warning(key)),
        },
    };
    let mut entry = match name {
        Some(name) => KeyEntry::new(name),
        None => KeyEntry::new(derived_name(&digest)),
    };
    if let Some(scopes) = scopes {
        entry = entry.scopes(scopes.split('+'));
    }
    if let Some(problem) = entry.problem() {
        return Err(problem);
    }
    let mut expiries = words.map(|word| {
        let time = word.strip_prefix("expires=").ok_or(
            "only one `expires=…` and a comment after ` #` may follow the key and its scopes",
        )?;
        time::parse(time).ok_or(
            "`expires=` takes a date such as 2027-01-31, or a time such as 2027-01-31T18:00:00Z",
        )
    });
    if let Some(expiry) = expiries.next() {
        entry = entry.expires(expiry?);
    }
    if expiries.next().is_some() {
        return Err(
            "only one `expires=…` and a comment after ` #` may follow the key and its scopes",
        );
    }
    let is_unnamed = name.is_none();
    Ok(Some((
        Key {
            place,
            entry,
            digest,
            is_unnamed,
        },
        warning,
    )))
}

/// Detects an entry that would be read differently than intended: as another's
/// key, or as a key that its holder does not send.
fn slip(entry: &str, place: &Place) -> Option<&'static str> {
    match place {
        _ if entry.contains(',') => {
            Some("there is a comma in it; in a file, each entry has its own line")
        }
        Place::Entry(_) if entry.contains(';') => {
            Some("there is a `;` in it; separate entries by commas, and take keys without it")
        }
        Place::Line(_) if entry.contains(';') => {
            Some("there is a `;` in it; give each entry its own line, and take keys without it")
        }
        _ if entry.rfind(['|', '&']) < entry.rfind(':') && entry.contains(['|', '&']) => {
            Some("there is a `:` behind a `|` or `&`, which separate no entries")
        }
        _ => None,
    }
}

/// Whether a key is an unreplaced variable, such as `${KEY}`.
fn is_unreplaced_variable(key: &str) -> bool {
    let is_name = |name: &str| {
        let may_be = |byte: u8| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit();
        !name.is_empty() && name.bytes().all(may_be) && !name.as_bytes()[0].is_ascii_digit()
    };
    let is_wrapped = |open, close| key.starts_with(open) && key.ends_with(close);
    key.strip_prefix('$').is_some_and(is_name)
        || is_wrapped("${", "}")
        || is_wrapped("$(", ")")
        || is_wrapped("{{", "}}")
        || is_wrapped("%", "%") && is_name(key.trim_matches('%'))
}

/// Detects a likely mistake in a key, or in what precedes it.
fn slip_of_key(name: Option<&str>, key: &str) -> Option<&'static str> {
    let is_digest = key.starts_with("sha256=");
    // Base64 padding has nothing after it.
    let has_equals = key
        .split_once('=')
        .is_some_and(|(_, rest)| !rest.trim_matches('=').is_empty());
    let begins = |prefixes: &[&str]| {
        let start = key.get(..8).unwrap_or(key).to_ascii_lowercase();
        prefixes.iter().any(|prefix| start.starts_with(prefix))
    };
    let is_wrapped = |open, close| key.len() > 1 && key.starts_with(open) && key.ends_with(close);
    if name == Some("sha256") || key == "sha256" {
        Some("a digest is written `name:sha256=…`, with `=` before its 64 hexadecimal digits")
    } else if !is_digest
        && begins(&[
            "sha1=", "sha256=", "sha-256=", "sha384=", "sha512=", "$2", "$argon2", "{sha", "{ssha",
        ])
    {
        Some(
            "the key looks like a digest; of digests only `sha256=` and 64 hexadecimal digits are known",
        )
    } else if name.is_none() && has_equals && !is_digest {
        Some("there is a `=` in it and no name; write `name:key`, with a colon")
    } else if is_unreplaced_variable(key) {
        Some("the key is a variable that nothing has replaced by its value")
    } else if is_wrapped('"', '"') || is_wrapped('\'', '\'') || is_wrapped('<', '>') {
        Some("the key is in quotes or brackets, which would be part of it; leave them out")
    } else {
        None
    }
}

fn derived_name(digest: &KeyDigest) -> String {
    format!("key-{}", &digest.to_hex()[..8])
}
