//! Answers and notifications as JSON text, written straight into a buffer.

use serde::Serialize;

use super::{RequestId, RpcError};

/// Writes an error answer. Where no id could be read it is `null`, as JSON-RPC
/// has it: leaving the member out, which the specification allows since
/// 2025-11-25, makes clients in the field report an unreadable message.
pub(crate) fn error(out: &mut Vec<u8>, id: Option<&RequestId>, error: &RpcError) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    match id {
        Some(id) => id.write(out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(br#","error":{"code":"#);
    integer(out, error.code.code());
    out.extend_from_slice(br#","message":"#);
    string(out, &error.message);
    if let Some(data) = &error.data {
        out.extend_from_slice(br#","data":"#);
        json(out, data);
    }
    out.extend_from_slice(b"}}");
}

/// Writes an answer whose result `write` puts down as one JSON value.
pub(crate) fn result(out: &mut Vec<u8>, id: &RequestId, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    id.write(out);
    out.extend_from_slice(br#","result":"#);
    write(out);
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

/// Writes a value that this crate made and that always serialises.
pub(crate) fn json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

/// Writes a JSON string.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    // Most text that a server sends needs no escape.
    if escapes(text) == 0 {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        json(out, text);
    }
}

/// The bytes of a text as a JSON string, without the quotes.
pub(crate) fn string_size(text: &str) -> usize {
    text.len() + escapes(text)
}

/// How many bytes escaping adds to a text.
fn escapes(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut more) = (0, 0);
    // No iterator: results can be large, and without optimisations each step of
    // one is a call.
    while at < bytes.len() {
        more += ESCAPES[bytes[at] as usize] as usize;
        at += 1;
    }
    more
}

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
    table
};

/// Writes an integer.
pub(crate) fn integer(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_string_is_what_it_takes() {
        let every: String = (0..300u32).filter_map(char::from_u32).collect();
        for text in ["", "plain", "\"\\\n\r\t\u{8}\u{c}\u{1}\u{7f}é", &every] {
            let mut json = Vec::new();
            string(&mut json, text);
            assert_eq!(string_size(text) + 2, json.len(), "{text:?}");
        }
    }
}
