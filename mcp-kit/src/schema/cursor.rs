//! A cursor over JSON text, for passes that build no values.
//!
//! It does not rely on valid JSON: at malformed text it stops with
//! [`Malformed`]. It does not check everything: what it skips is left to serde.

use std::borrow::Cow;

/// The text is not the expected JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    pos: usize,
}

/// A string as written in the text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawString<'a> {
    quoted: &'a str,
    escaped: bool,
}

impl<'a> RawString<'a> {
    /// Returns the string's content, if it has no escapes.
    pub(crate) fn plain(self) -> Option<&'a str> {
        if self.escaped {
            return None;
        }
        self.quoted.get(1..self.quoted.len() - 1)
    }

    /// Returns the string's content, or `None` if its escapes are not valid
    /// Unicode.
    pub(crate) fn decode(self) -> Option<Cow<'a, str>> {
        if self.escaped {
            serde_json::from_str::<String>(self.quoted)
                .ok()
                .map(Cow::Owned)
        } else {
            self.plain().map(Cow::Borrowed)
        }
    }
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, pos: 0 }
    }

    pub(crate) fn pos(&self) -> usize {
        self.pos
    }

    pub(crate) fn seek(&mut self, pos: usize) {
        self.pos = pos;
    }

    /// Returns the text between two positions that this cursor has visited.
    pub(crate) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// Returns the next byte that is not white space, without consuming it.
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<u8, Malformed> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.pos) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Ok(byte);
            }
            self.pos += 1;
        }
        Err(Malformed)
    }

    fn eat(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.peek()? == byte {
            self.pos += 1;
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    /// Checks that only white space follows.
    pub(crate) fn end(&mut self) -> Result<(), Malformed> {
        match self.peek() {
            Ok(_) => Err(Malformed),
            Err(_) => Ok(()),
        }
    }

    pub(crate) fn string(&mut self) -> Result<RawString<'a>, Malformed> {
        self.eat(b'"')?;
        let start = self.pos - 1;
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        loop {
            self.pos = end_or_escape(bytes, self.pos).ok_or(Malformed)? + 1;
            if bytes[self.pos - 1] == b'"' {
                let quoted = self.text.get(start..self.pos).ok_or(Malformed)?;
                return Ok(RawString { quoted, escaped });
            }
            escaped = true;
            // The escaped character, which may be a quote.
            self.pos += 1;
        }
    }

    /// Returns a number, `true`, `false` or `null`, as it is written.
    pub(crate) fn word(&mut self) -> Result<&'a str, Malformed> {
        self.peek()?;
        let start = self.pos;
        let bytes = self.text.as_bytes();
        while let Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'+' | b'.') =
            bytes.get(self.pos)
        {
            self.pos += 1;
        }
        let word = self.text.get(start..self.pos);
        word.filter(|word| !word.is_empty()).ok_or(Malformed)
    }

    /// Moves past one value, at any depth of nesting.
    pub(crate) fn skip(&mut self) -> Result<(), Malformed> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.pos += 1;
                    continue;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1).ok_or(Malformed)?;
                    self.pos += 1;
                }
                b',' | b':' if depth > 0 => {
                    self.pos += 1;
                    continue;
                }
                _ => {
                    self.word()?;
                }
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    pub(crate) fn open(&mut self, bracket: u8) -> Result<(), Malformed> {
        self.eat(bracket)
    }

    /// Returns the next member's name inside an object, or `None` at its end.
    /// The member's value must be consumed before the next call.
    pub(crate) fn member(&mut self, first: &mut bool) -> Result<Option<RawString<'a>>, Malformed> {
        if !self.next(b'}', first)? {
            return Ok(None);
        }
        let name = self.string()?;
        self.eat(b':')?;
        Ok(Some(name))
    }

    /// Returns the next member's position and name.
    pub(crate) fn member_at(
        &mut self,
        first: &mut bool,
    ) -> Result<Option<(usize, RawString<'a>)>, Malformed> {
        if !self.next(b'}', first)? {
            return Ok(None);
        }
        self.peek()?;
        let at = self.pos;
        let name = self.string()?;
        self.eat(b':')?;
        Ok(Some((at, name)))
    }

    /// Whether another item follows inside a list. The item must be consumed
    /// before the next call.
    pub(crate) fn item(&mut self, first: &mut bool) -> Result<bool, Malformed> {
        self.next(b']', first)
    }

    fn next(&mut self, close: u8, first: &mut bool) -> Result<bool, Malformed> {
        if self.peek()? == close {
            self.pos += 1;
            return Ok(false);
        }
        if !std::mem::take(first) {
            self.eat(b',')?;
        }
        Ok(true)
    }
}

/// Returns the position of a string's closing quote or first escape, at or
/// after `at`. Most strings are names, which are too short for a vectored
/// search.
fn end_or_escape(bytes: &[u8], mut at: usize) -> Option<usize> {
    const SHORT: usize = 16;
    for _ in 0..SHORT {
        if let b'"' | b'\\' = bytes.get(at)? {
            return Some(at);
        }
        at += 1;
    }
    memchr::memchr2(b'"', b'\\', bytes.get(at..)?).map(|further| at + further)
}
