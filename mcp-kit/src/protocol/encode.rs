//! Answers and notifications as JSON text, written straight into a buffer.
//!
//! Every string leaves without the characters that some clients take for the
//! end of a line, although JSON allows them: U+0085, U+2028 and U+2029 are
//! escaped, here and wherever else JSON is made for a client.

use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;
use serde_json::value::RawValue;

use super::{ProtocolVersion, RequestId, RpcError};
use crate::support::text::LineEnd;

/// Returns a value as JSON text.
pub(crate) fn json_text(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    json(&mut text, value);
    String::from_utf8(text).unwrap_or_default()
}

/// Writes an error answer: to the request with this id or, without an id, to a
/// client that speaks this version.
///
/// The schemas since 2025-11-25 omit the member, and allow no `null`. The
/// earlier ones allow neither, and there JSON-RPC's own rule applies: `null`.
pub(crate) fn error(out: &mut Vec<u8>, id: Result<&RequestId, ProtocolVersion>, error: &RpcError) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","#);
    match id {
        Ok(id) => {
            out.extend_from_slice(br#""id":"#);
            id.write(out);
            out.push(b',');
        }
        Err(version) if version < ProtocolVersion::V2025_11_25 => {
            out.extend_from_slice(br#""id":null,"#);
        }
        Err(_) => {}
    }
    out.extend_from_slice(br#""error":"#);
    error_object(out, error);
    out.push(b'}');
}

/// Writes an error answer whose error object is JSON text.
pub(crate) fn raw_error(out: &mut Vec<u8>, id: &RequestId, object: &RawValue) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    id.write(out);
    out.extend_from_slice(br#","error":"#);
    out.extend_from_slice(object.get().as_bytes());
    out.push(b'}');
}

/// Writes the object that describes an error.
pub(crate) fn error_object(out: &mut Vec<u8>, error: &RpcError) {
    out.extend_from_slice(br#"{"code":"#);
    integer(out, error.code.code());
    out.extend_from_slice(br#","message":"#);
    string(out, &error.message);
    if let Some(data) = &error.data {
        out.extend_from_slice(br#","data":"#);
        json(out, data);
    }
    out.push(b'}');
}

/// Writes an answer whose result `write` writes as one JSON value.
pub(crate) fn result(out: &mut Vec<u8>, id: &RequestId, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    id.write(out);
    out.extend_from_slice(br#","result":"#);
    write(out);
    out.push(b'}');
}

/// Writes a request of the server. `params` is on one line.
pub(crate) fn request(out: &mut Vec<u8>, id: &RequestId, method: &str, params: &RawValue) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    id.write(out);
    out.extend_from_slice(br#","method":"#);
    string(out, method);
    out.extend_from_slice(br#","params":"#);
    out.extend_from_slice(params.get().as_bytes());
    out.push(b'}');
}

/// Writes a notification.
pub(crate) fn notification(out: &mut Vec<u8>, method: &str, params: &impl Serialize) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"#);
    string(out, method);
    out.extend_from_slice(br#","params":"#);
    json(out, params);
    out.push(b'}');
}

/// Writes a value of this crate, which always serialises.
pub(crate) fn json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let start = out.len();
    let mut serializer = Serializer::with_formatter(&mut *out, OneLine);
    if value.serialize(&mut serializer).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

/// Returns the same JSON on one line, for every reader. Line breaks end
/// messages: a [`RawValue`] within the value may have some between its tokens,
/// and strings may contain others that JSON does not escape.
pub(crate) fn on_one_line(json: Box<RawValue>) -> Result<Box<RawValue>, serde_json::Error> {
    let text = json.get();
    if memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_none()
        && LineEnd::first(text.as_bytes()).is_none()
    {
        return Ok(json);
    }
    let mut line = String::with_capacity(text.len());
    for (part, escape) in LineEnd::parts(text) {
        line.extend([part, escape]);
    }
    RawValue::from_string(line.replace(['\n', '\r'], " "))
}

/// Compact JSON whose strings contain no line end.
struct OneLine;

impl Formatter for OneLine {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for (part, escape) in LineEnd::parts(fragment) {
            writer.write_all(part.as_bytes())?;
            writer.write_all(escape.as_bytes())?;
        }
        Ok(())
    }

    fn write_raw_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        self.write_string_fragment(writer, fragment)
    }
}

/// Writes a JSON string.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    // Most text that a server sends needs no escape.
    let found = escapes(text);
    if found.bytes == 0 && found.line_end(text.as_bytes()).is_none() {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        json(out, text);
    }
}

/// Returns the bytes of a text as a JSON string, without the quotes.
pub(crate) fn string_size(text: &str) -> usize {
    let found = escapes(text);
    let (mut size, mut rest) = (text.len() + found.bytes, text.as_bytes());
    while let Some(end) = found.line_end(rest) {
        size += end.escape.len() - end.length;
        rest = &rest[end.at + end.length..];
    }
    size
}

/// The characters of a text that must be escaped.
struct Escapes {
    /// How many bytes the escapes that JSON requires add.
    bytes: usize,
    may_end_line: bool,
}

impl Escapes {
    fn line_end(&self, text: &[u8]) -> Option<LineEnd> {
        self.may_end_line.then(|| LineEnd::first(text)).flatten()
    }
}

fn escapes(text: &str) -> Escapes {
    let text = text.as_bytes();
    let (mut at, mut bytes, mut kinds) = (0, 0, 0);
    // No iterator: results can be large, and without optimisations each step of
    // one is a call.
    while at < text.len() {
        let escape = ESCAPES[text[at] as usize];
        kinds |= escape;
        bytes += (escape & !MAY_END_LINE) as usize;
        at += 1;
    }
    Escapes {
        bytes,
        may_end_line: kinds & MAY_END_LINE != 0,
    }
}

/// Marks the bytes that a [`LineEnd`] begins with.
const MAY_END_LINE: u8 = 0x80;

/// How many bytes escaping adds to each byte.
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut control = 0;
    while control < 0x20 {
        table[control] = 5; // \u00XX
        control += 1;
    }
    let short = *b"\"\\\n\r\t\x08\x0c";
    let mut at = 0;
    while at < short.len() {
        table[short[at] as usize] = 1;
        at += 1;
    }
    let mut at = 0;
    while at < LineEnd::FIRST_BYTES.len() {
        table[LineEnd::FIRST_BYTES[at] as usize] = MAY_END_LINE;
        at += 1;
    }
    table
};

/// Writes an integer.
pub(crate) fn integer(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: &str = "a\u{85}b\u{2028}\"\u{2029}\u{2027}\u{202a}\u{84}“é”\u{2028}";

    #[test]
    fn characters_that_end_lines_elsewhere_are_escaped_in_every_string() {
        let written = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            write(&mut out);
            let text = String::from_utf8(out).unwrap();
            assert!(!text.contains(['\u{85}', '\u{2028}', '\u{2029}']), "{text}");
            serde_json::from_str::<serde_json::Value>(&text).unwrap()
        };
        assert_eq!(written(&|out| string(out, ENDS)), ENDS);
        let object = serde_json::json!({ ENDS: [ENDS, 1] });
        assert_eq!(written(&|out| json(out, &object)), object);
        let raw = serde_json::to_string(&[ENDS]).unwrap().replace(']', "\n]");
        let raw = RawValue::from_string(raw).unwrap();
        assert_eq!(written(&|out| json(out, &*raw))[0], ENDS);
        let line = on_one_line(raw).unwrap();
        assert_eq!(line.get().lines().count(), 1);
        assert_eq!(written(&|out| json(out, &*line))[0], ENDS);
    }

    #[test]
    fn the_size_of_a_string_is_what_it_takes() {
        let every: String = (0..300u32).filter_map(char::from_u32).collect();
        for text in [
            "",
            "plain",
            "\"\\\n\r\t\u{8}\u{c}\u{1}\u{7f}é",
            &every,
            ENDS,
        ] {
            let mut json = Vec::new();
            string(&mut json, text);
            assert_eq!(string_size(text) + 2, json.len(), "{text:?}");
        }
    }
}
