//! Paths of files in the server's namespace of skills, and their URIs.
//!
//! A path is `acme/billing/refunds/SKILL.md`: the segments of the URI, decoded.
//! Files are found by comparing whole paths, so `..` and encoded slashes lead to
//! nothing.

use std::fmt::Write as _;

use crate::resource::UriTemplate;

/// The file that makes a folder a skill.
pub(super) const SKILL_FILE: &str = "SKILL.md";

/// The template that the URIs of all files match.
pub(super) const TEMPLATE: &str = "skill://{+path}";

const SCHEME: &str = "skill://";

/// The longest URI of a file, in bytes. A cursor of the list of resources holds a
/// path, and has at most 1,024 bytes.
pub(super) const LONGEST_URI: usize = 1_024;

/// Returns the URI of a path. Characters that are allowed in a URI are not encoded,
/// so that it is the one that a host makes of a relative reference in `SKILL.md`.
pub(super) fn uri_of(path: &str) -> String {
    let mut uri = String::with_capacity(SCHEME.len() + path.len());
    uri.push_str(SCHEME);
    for (number, segment) in path.split('/').enumerate() {
        if number > 0 {
            uri.push('/');
        }
        for byte in segment.bytes() {
            // In the first segment, the authority, these two have a meaning.
            let is_plain = is_plain(byte) || (number > 0 && matches!(byte, b':' | b'@'));
            match is_plain {
                true => uri.push(char::from(byte)),
                false => {
                    let _ = write!(uri, "%{byte:02X}");
                }
            }
        }
    }
    uri
}

/// Returns the path in a URI that a client sent; `None` if no file can have it.
pub(super) fn path_of(template: &UriTemplate, uri: &str) -> Option<String> {
    // These three would be part of the value too, as if they were encoded, and an
    // encoded slash as if it were none.
    let has_encoded_slash = || {
        let pairs = uri.as_bytes().windows(3);
        pairs
            .filter(|pair| pair[0] == b'%')
            .any(|pair| pair.eq_ignore_ascii_case(b"%2F"))
    };
    if uri.contains(['?', '#']) || has_encoded_slash() {
        return None;
    }
    let (_, path) = template.values(uri)?.pop()?;
    Some(path)
}

/// Returns why a file or folder with this name cannot be served, if it cannot.
pub(super) fn segment_problem(segment: &str) -> Option<&'static str> {
    match segment {
        "" => Some("a part of its path is empty; write the path without \"//\""),
        "." | ".." => Some("its path must not contain \".\" and \"..\""),
        _ if segment.contains(['/', '\\']) => {
            Some("its name has a slash or a backslash; rename it")
        }
        _ if segment.chars().any(char::is_control) => {
            Some("its name has a control character; rename it")
        }
        _ => None,
    }
}

/// Returns why a skill cannot have this name, if it cannot. (Agent Skills
/// specification, "`name` field".)
pub(super) fn name_problem(name: &str) -> Option<&'static str> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_valid = (1..=64).contains(&name.len())
        && name.bytes().all(is_allowed)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--");
    (!is_valid).then_some(
        "\"name\" must have 1 to 64 characters of a-z, 0-9 and \"-\", with no \"-\" at the start, at the end or beside another",
    )
}

/// Returns the last segment.
pub(super) fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Returns the path of the skill whose `SKILL.md` this is.
pub(super) fn skill_of(path: &str) -> Option<&str> {
    path.strip_suffix(SKILL_FILE)?.strip_suffix('/')
}

/// Returns the folders that contain a path, the innermost first.
pub(super) fn folders_of(path: &str) -> impl Iterator<Item = &str> {
    let mut at = path;
    std::iter::from_fn(move || {
        at = at.get(..at.rfind('/')?)?;
        Some(at)
    })
}

/// Unreserved characters, and those that separate parts of a segment (RFC 3986,
/// section 2).
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_uris_are_one_to_one() {
        let template = UriTemplate::parse(TEMPLATE).unwrap();
        for (path, uri) in [
            ("a/SKILL.md", "skill://a/SKILL.md"),
            ("a/b c.md", "skill://a/b%20c.md"),
            ("a/logo@2x.png", "skill://a/logo@2x.png"),
            ("te@m/a/SKILL.md", "skill://te%40m/a/SKILL.md"),
            ("a/50%.md", "skill://a/50%25.md"),
            ("a/what?.md", "skill://a/what%3F.md"),
            ("a/c#.md", "skill://a/c%23.md"),
            ("a/é.md", "skill://a/%C3%A9.md"),
            ("a/{x}.md", "skill://a/%7Bx%7D.md"),
        ] {
            assert_eq!(uri_of(path), uri);
            assert_eq!(path_of(&template, uri).as_deref(), Some(path));
        }
        for uri in [
            "skill://",
            "skill:/a/SKILL.md",
            "http://a/SKILL.md",
            "skill://a/b?.md",
            "skill://a/b#c",
            "skill://a%2Fb/SKILL.md",
            "skill://a%2fb/SKILL.md",
            "skill://a/%FF",
            "skill://a/b c.md",
            "skill://a/%",
        ] {
            assert_eq!(path_of(&template, uri), None, "{uri}");
        }
        let twice = path_of(&template, "SKILL://a/%252Fb");
        assert_eq!(twice.as_deref(), Some("a/%2Fb"));
    }

    #[test]
    fn folders_of_a_path_end_with_the_outermost() {
        let folders: Vec<_> = folders_of("a/b/c.md").collect();
        assert_eq!(folders, ["a/b", "a"]);
        assert_eq!(folders_of("a").count(), 0);
    }
}
