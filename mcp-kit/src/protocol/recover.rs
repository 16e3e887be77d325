//! Finds the id of a message that cannot be read as a whole: one that is not
//! valid JSON, or one too large to keep. The scanner reads the bytes in pieces,
//! stores almost nothing, and uses only the top level.

use super::{LONGEST_ID, RequestId};

/// Returns the top-level `id` in `bytes`, if one can be found.
pub(crate) fn recover_id(bytes: &[u8]) -> Option<RequestId> {
    let mut scanner = IdScanner::default();
    scanner.feed(bytes);
    scanner.finish()
}

/// The longest JSON text that the scanner keeps, in bytes: that of an id, with
/// its quotes.
const LONGEST_TEXT: usize = LONGEST_ID + 2;

/// Searches for `"id": <string or integer>` at the top level of an object that
/// also has a `"method"`: the id of an answer is not that of a request.
#[derive(Debug, Default)]
pub(crate) struct IdScanner {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// At the top level: whether the next string is a key.
    expects_key: bool,
    /// At the top level: the text of the string or number being read.
    text: Vec<u8>,
    overlong: bool,
    key: Key,
    id: Option<Vec<u8>>,
    has_method: bool,
    broken: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Key {
    Id,
    #[default]
    Other,
}

impl IdScanner {
    /// Reads the next piece of the message.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((&byte, tail)) = rest.split_first() {
            if self.broken {
                return;
            }
            // Inside a nested value's string only a quote or an escape matters.
            if self.in_string && self.depth != 1 && !self.escaped {
                match memchr::memchr2(b'"', b'\\', rest) {
                    Some(at) if at > 0 => {
                        rest = &rest[at..];
                        continue;
                    }
                    Some(_) => {}
                    None => return,
                }
            }
            self.step(byte);
            rest = tail;
        }
    }

    /// Returns the id, once all pieces are read.
    pub(crate) fn finish(mut self) -> Option<RequestId> {
        if !self.in_string {
            self.end_scalar();
        }
        if !self.has_method {
            return None;
        }
        let id = self.id?;
        RequestId::from_json(std::str::from_utf8(&id).ok()?)
    }

    fn step(&mut self, byte: u8) {
        if self.in_string {
            self.step_in_string(byte);
            return;
        }
        match byte {
            b'"' => {
                self.in_string = true;
                if self.depth == 1 {
                    self.start_text();
                    self.text.push(byte);
                }
            }
            b'{' | b'[' => {
                if self.depth == 0 {
                    self.broken = byte == b'[';
                    self.expects_key = true;
                }
                self.end_scalar();
                self.depth += 1;
            }
            b'}' | b']' => {
                self.end_scalar();
                self.depth = self.depth.saturating_sub(1);
                self.broken |= self.depth == 0;
            }
            b',' if self.depth == 1 => {
                self.end_scalar();
                self.expects_key = true;
                self.key = Key::Other;
            }
            b':' if self.depth == 1 => {
                self.expects_key = false;
                self.start_text();
            }
            _ if byte.is_ascii_whitespace() => self.end_scalar(),
            _ if self.depth == 1 && !self.expects_key => self.keep(byte),
            _ => {}
        }
    }

    fn step_in_string(&mut self, byte: u8) {
        if self.depth == 1 {
            self.keep(byte);
        }
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => {
                self.in_string = false;
                if self.depth == 1 {
                    self.end_string();
                }
            }
            _ => {}
        }
    }

    fn end_string(&mut self) {
        if self.expects_key {
            self.key = match self.text.as_slice() {
                br#""id""# => Key::Id,
                br#""method""# => {
                    self.has_method = true;
                    Key::Other
                }
                _ => Key::Other,
            };
            self.start_text();
        } else {
            self.end_scalar();
        }
    }

    /// Handles the end of a scalar value at the top level.
    fn end_scalar(&mut self) {
        if self.depth == 1
            && !self.expects_key
            && self.key == Key::Id
            && !self.text.is_empty()
            && !self.overlong
            && self.id.is_none()
        {
            self.id = Some(std::mem::take(&mut self.text));
        }
        self.start_text();
    }

    fn start_text(&mut self) {
        self.text.clear();
        self.overlong = false;
    }

    fn keep(&mut self, byte: u8) {
        if self.text.len() < LONGEST_TEXT {
            self.text.push(byte);
        } else {
            self.overlong = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<RequestId> {
        let whole = recover_id(text.as_bytes());
        let mut scanner = IdScanner::default();
        for byte in text.as_bytes().chunks(1) {
            scanner.feed(byte);
        }
        assert_eq!(scanner.finish(), whole, "pieces and whole differ: {text}");
        whole
    }

    #[test]
    fn finds_the_top_level_id() {
        let five = Some(RequestId::Integer(5));
        for text in [
            r#"{"jsonrpc":"2.0","id":5,"method":"x","params":{"#,
            r#"{"method":"x","params":{"id":9,"a":"\"id\":7,"},"id": 5 "#,
            r#"{"method":"x","params":[{"id":9}],"id":5}"#,
            r#" { "id" : 5 , "method" : nonsense"#,
        ] {
            assert_eq!(found(text), five, "{text}");
        }
        assert_eq!(
            found(r#"{"id":"a\"b","method":"x""#),
            Some(RequestId::String("a\"b".into()))
        );
    }

    #[test]
    fn takes_nothing_that_is_no_requests_id() {
        for text in [
            r#"{"method":"x","params":{"id":5"#,
            r#"{"id":5,"result":{"#,
            r#"{"id":5.5,"method":"x""#,
            r#"[{"id":5,"method":"x""#,
            r#"{"id":"unterminated,"method":"x"#,
            r#"{"a":"id","b":5,"method":"x""#,
            "",
            "id:5",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
