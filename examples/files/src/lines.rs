//! A file's lines, one after another. Memory depends on neither the file's size nor the length
//! of its lines.

use mcp_kit::guard::{FileError, FileReader};

/// A longer line is cut.
pub(crate) const MAX_LINE_BYTES: usize = 16 * 1024;

/// The lines of a file.
pub(crate) struct Lines {
    reader: FileReader,
    /// What was read last, of which the lines up to `begin` were returned.
    piece: Vec<u8>,
    begin: usize,
    read_all: bool,
    is_binary: bool,
    is_cut: bool,
}

impl Lines {
    pub(crate) fn new(reader: FileReader) -> Self {
        Self {
            reader,
            piece: Vec::new(),
            begin: 0,
            read_all: false,
            is_binary: false,
            is_cut: false,
        }
    }

    /// Whether the file turned out not to be text: it has a NUL. Its lines end there.
    pub(crate) fn is_binary(&self) -> bool {
        self.is_binary
    }

    /// Whether the line that was returned last is longer than [`MAX_LINE_BYTES`].
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The next line without its end, cut to [`MAX_LINE_BYTES`]; `None` at the end of the file.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, FileError> {
        let mut line = Vec::new();
        self.is_cut = false;
        loop {
            let rest = &self.piece[self.begin..];
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                self.is_cut |= take(&mut line, &rest[..end]);
                self.begin += end + 1;
                return Ok(Some(line));
            }
            let is_begun = !line.is_empty() || !rest.is_empty();
            self.is_cut |= take(&mut line, rest);
            self.begin = self.piece.len();
            if self.read_all {
                return Ok(is_begun.then_some(line));
            }
            match self.reader.chunk().await? {
                Some(piece) if piece.contains(&0) => {
                    self.is_binary = true;
                    self.read_all = true;
                }
                Some(piece) => {
                    self.piece = piece;
                    self.begin = 0;
                }
                None => self.read_all = true,
            }
        }
    }
}

/// Adds to a line what still fits; whether something did not.
fn take(line: &mut Vec<u8>, more: &[u8]) -> bool {
    let room = MAX_LINE_BYTES - line.len();
    line.extend_from_slice(&more[..more.len().min(room)]);
    more.len() > room
}
