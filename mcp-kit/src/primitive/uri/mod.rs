//! URIs of resources: which texts are URIs, their normal form, and percent
//! encoding (RFC 3986). Templates of URIs are in `template`.

mod compare;
mod template;
mod template_parse;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

pub(crate) use compare::Relation;
pub(crate) use template::Values;
pub use template::{ExpandError, UriTemplate};
pub use template_parse::TemplateError;

/// The longest URI of a resource, in bytes, and the longest template. The
/// header `Mcp-Name` repeats the URI, and HTTP's headers have 16 KiB in all.
pub(crate) const LONGEST: usize = 2_048;

/// Why a text is not the URI of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UriProblem {
    TooLong,
    NoScheme,
    Character,
    Percent,
}

impl fmt::Display for UriProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "it is longer than {LONGEST} bytes"),
            Self::NoScheme => f.write_str("it must begin with a scheme, such as docs://"),
            Self::Character => {
                f.write_str("it has a character that a URI cannot contain; percent-encode it")
            }
            Self::Percent => f.write_str("each % must be followed by two hexadecimal digits"),
        }
    }
}

/// Returns the normal form of a URI, by which resources are found: the scheme in
/// lower case, hexadecimal digits in capitals, unreserved characters not encoded
/// (RFC 3986, section 6.2.2), and characters outside of ASCII encoded (RFC 3987,
/// section 3.1). Dot segments are kept: what a path means is for the resource to
/// decide.
pub(crate) fn normalised(uri: &str) -> Result<Cow<'_, str>, UriProblem> {
    if uri.len() > LONGEST {
        return Err(UriProblem::TooLong);
    }
    let scheme = scheme(uri).ok_or(UriProblem::NoScheme)?;
    let (head, rest) = uri.split_at(scheme.len());
    let is_normal = !head.bytes().any(|byte| byte.is_ascii_uppercase())
        && rest
            .bytes()
            .all(|byte| is_unreserved(byte) || is_reserved(byte));
    if is_normal {
        return Ok(Cow::Borrowed(uri));
    }
    let mut normal = head.to_ascii_lowercase();
    let mut bytes = rest.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let pair = bytes.next().zip(bytes.next());
                let value = pair.and_then(|(high, low)| hex(high, low));
                let value = value.ok_or(UriProblem::Percent)?;
                match is_unreserved(value) {
                    true => normal.push(char::from(value)),
                    false => push_encoded(&mut normal, value),
                }
            }
            byte if !byte.is_ascii() => push_encoded(&mut normal, byte),
            byte if is_unreserved(byte) || is_reserved(byte) => normal.push(char::from(byte)),
            _ => return Err(UriProblem::Character),
        }
    }
    Ok(Cow::Owned(normal))
}

/// Returns the scheme with which a URI begins, without its colon.
fn scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let mut bytes = scheme.bytes();
    let begins = bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic());
    let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    (begins && bytes.all(goes_on)).then_some(scheme)
}

/// Decodes percent-encoded bytes, once. Returns `None` if they are not UTF-8.
pub(crate) fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => hex(bytes.next()?, bytes.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

/// Encodes every byte of `value` that `keep` does not keep.
fn push_value(out: &mut String, value: &str, keep: impl Fn(u8) -> bool) {
    for byte in value.bytes() {
        match keep(byte) {
            true => out.push(char::from(byte)),
            false => push_encoded(out, byte),
        }
    }
}

fn push_encoded(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    for digit in [byte >> 4, byte & 15] {
        out.push(char::from(DIGITS[usize::from(digit)]));
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// Characters that mean the same whether they are encoded or not (RFC 3986,
/// section 2.3).
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Characters with a meaning of their own (RFC 3986, section 2.2).
const fn is_reserved(byte: u8) -> bool {
    is_separator(byte)
        || matches!(
            byte,
            b':' | b'@'
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

/// Characters that end a segment of a path, or are not allowed in one.
const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'/' | b'?' | b'#' | b'[' | b']')
}
