//! Splits a stream of bytes into lines of limited length.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use crate::protocol::RequestId;
use crate::protocol::message::without_mark;
use crate::protocol::recover::IdScanner;

/// The number of bytes of one read: the capacity of a pipe.
const CHUNK: usize = 128 * 1024;

/// A line without its newline.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Whole(&'a [u8]),
    /// The line is too long; it was discarded, except for its id.
    TooLong {
        id: Option<RequestId>,
    },
}

#[derive(Debug, Default)]
pub(super) struct Lines {
    buffer: Vec<u8>,
    /// `buffer[start..end]` is what has been read and not yet taken.
    start: usize,
    end: usize,
    /// There is no newline before this position.
    searched: usize,
    longest: usize,
    /// Set while the rest of a line that is too long is discarded.
    discarding: Option<IdScanner>,
    at_end: bool,
}

impl Lines {
    pub(super) fn new(longest: usize) -> Self {
        Self {
            longest,
            ..Self::default()
        }
    }

    /// Returns how many bytes do not form a line yet.
    pub(super) fn rest(&self) -> usize {
        self.end - self.start
    }

    /// Reads once; returns 0 at the end.
    pub(super) fn poll_fill(
        &mut self,
        input: &mut (impl AsyncRead + Unpin + ?Sized),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.make_room();
        let mut room = ReadBuf::new(&mut self.buffer[self.end..]);
        ready!(Pin::new(input).poll_read(cx, &mut room))?;
        let count = room.filled().len();
        self.end += count;
        Poll::Ready(Ok(count))
    }

    /// Treats the remaining bytes as a line, although no newline ends them.
    pub(super) fn end(&mut self) {
        self.at_end = true;
    }

    /// Returns the next complete line. Skips lines of only white space, or with
    /// only a byte order mark.
    pub(super) fn next(&mut self) -> Option<Line<'_>> {
        loop {
            let newline = memchr::memchr(b'\n', &self.buffer[self.searched..self.end])
                .map(|at| self.searched + at);
            let (line, next) = match newline {
                Some(at) => (self.start..at, at + 1),
                None if self.at_end && (self.start < self.end || self.discarding.is_some()) => {
                    (self.start..self.end, self.end)
                }
                None => {
                    self.searched = self.end;
                    self.discard_if_too_long();
                    return None;
                }
            };
            self.start = next;
            self.searched = next;
            if let Some(mut scanner) = self.discarding.take() {
                scanner.feed(&self.buffer[line]);
                return Some(Line::TooLong {
                    id: scanner.finish(),
                });
            }
            if line.len() > self.longest {
                let id = crate::protocol::recover::recover_id(&self.buffer[line]);
                return Some(Line::TooLong { id });
            }
            if !content(&self.buffer[line.clone()]).is_empty() {
                // Borrowed again: the borrow checker does not see through the
                // loop.
                return Some(Line::Whole(content(&self.buffer[line])));
            }
        }
    }

    fn discard_if_too_long(&mut self) {
        if self.discarding.is_none() && self.end - self.start > self.longest {
            self.discarding = Some(IdScanner::default());
        }
        if let Some(scanner) = &mut self.discarding {
            scanner.feed(&self.buffer[self.start..self.end]);
            self.start = self.end;
            self.searched = self.end;
        }
    }

    /// Makes room for a chunk: moves the remaining bytes to the front, and
    /// grows only for a line that fills the buffer.
    fn make_room(&mut self) {
        let left = self.end - self.start;
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.searched -= self.start;
            self.start = 0;
            self.end = left;
        }
        if left == 0 && self.buffer.len() > CHUNK {
            self.buffer = Vec::new(); // one long line does not keep its memory
        }
        if self.buffer.is_empty() {
            self.buffer = vec![0; CHUNK];
        } else if self.end == self.buffer.len() {
            // One byte more than the longest line is enough to know that it is
            // too long.
            let size = (self.buffer.len() * 2).min(self.longest + CHUNK);
            self.buffer.resize(size.max(self.end + 1), 0);
        }
    }
}

/// For the greeting, which has no task to wait in.
#[cfg(all(feature = "stdio", unix))]
impl Lines {
    /// Reads once with `read`; returns 0 at the end.
    pub(super) fn fill(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        self.make_room();
        let count = read(&mut self.buffer[self.end..])?;
        self.end += count;
        Ok(count)
    }

    /// Returns the first line, if it is complete, without removing it.
    pub(super) fn peek(&self) -> Option<&[u8]> {
        let bytes = &self.buffer[self.start..self.end];
        memchr::memchr(b'\n', bytes).map(|newline| &bytes[..newline])
    }

    /// Removes the line that `peek` returned.
    pub(super) fn skip(&mut self) {
        if let Some(length) = self.peek().map(<[u8]>::len) {
            self.start += length + 1;
            self.searched = self.start;
        }
    }
}

/// Returns the content of a line.
fn content(line: &[u8]) -> &[u8] {
    without_mark(line).trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cuts `text`, fed in pieces of `piece` bytes.
    fn cut(text: &str, piece: usize, longest: usize) -> Vec<String> {
        let mut lines = Lines::new(longest);
        let mut found = Vec::new();
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let pieces = text.as_bytes().chunks(piece).chain([&b""[..]]);
        for mut bytes in pieces {
            let at_end = bytes.is_empty();
            loop {
                let Poll::Ready(Ok(count)) = lines.poll_fill(&mut bytes, &mut cx) else {
                    panic!("a slice is always ready");
                };
                if at_end {
                    lines.end();
                }
                while let Some(line) = lines.next() {
                    found.push(match line {
                        Line::Whole(line) => String::from_utf8_lossy(line).into_owned(),
                        Line::TooLong { id } => format!("too long: {id:?}"),
                    });
                }
                if count == 0 || bytes.is_empty() {
                    break;
                }
            }
        }
        found
    }

    #[test]
    fn lines_come_out_whole_however_they_arrive() {
        let text = "one\r\n\n  \ntwo\nthree";
        for piece in [1, 2, 3, 5, 100] {
            assert_eq!(cut(text, piece, 50), ["one", "two", "three"], "{piece}");
        }
    }

    #[test]
    fn a_long_line_is_thrown_away_but_for_its_id() {
        let long = format!(
            "{{\"method\":\"x\",\"a\":\"{}\",\"id\":5}}",
            "y".repeat(200_000)
        );
        for end in ["\nnext", "\nnext\n"] {
            for piece in [1_000, 65_536, 1_000_000] {
                let found = cut(&format!("{long}{end}"), piece, 100_000);
                assert_eq!(found, ["too long: Some(Integer(5))", "next"], "{piece}");
            }
        }
        assert_eq!(cut(&long, 999, 1_000), ["too long: Some(Integer(5))"]);
    }

    #[test]
    fn the_bound_itself_is_allowed() {
        let line = "z".repeat(70_000);
        assert_eq!(cut(&line, 7_000, 70_000), [&*line]);
        assert_eq!(cut(&line, 7_000, 69_999), ["too long: None"]);
    }
}
