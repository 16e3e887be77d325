//! A file's lines, one after another. Memory depends on neither the file's size nor the length
//! of its lines.

use mcp_kit::guard::{FileError, FileReader};

/// A longer line is cut.
pub(crate) const MAX_LINE_BYTES: usize = 16 * 1024;

/// The lines of a file.
pub(crate) struct Lines {
    reader: FileReader,
    /// What was read and not returned yet.
    rest: Vec<u8>,
    read_all: bool,
    is_binary: bool,
}

impl Lines {
    pub(crate) fn new(reader: FileReader) -> Self {
        Self {
            reader,
            rest: Vec::new(),
            read_all: false,
            is_binary: false,
        }
    }

    /// Whether the file turned out not to be text: it has a NUL. Its lines end there.
    pub(crate) fn is_binary(&self) -> bool {
        self.is_binary
    }

    /// The next line without its end, cut to [`MAX_LINE_BYTES`]; `None` at the end of the file.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, FileError> {
        let mut line = Vec::new();
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                take(&mut line, &self.rest[..end]);
                self.rest.drain(..=end);
                return Ok(Some(line));
            }
            let is_begun = !line.is_empty() || !self.rest.is_empty();
            take(&mut line, &self.rest);
            self.rest.clear();
            if self.read_all {
                return Ok(is_begun.then_some(line));
            }
            match self.reader.chunk().await? {
                Some(piece) if piece.contains(&0) => {
                    self.is_binary = true;
                    self.read_all = true;
                }
                Some(piece) => self.rest = piece,
                None => self.read_all = true,
            }
        }
    }
}

/// Adds to a line what still fits.
fn take(line: &mut Vec<u8>, more: &[u8]) {
    let room = MAX_LINE_BYTES - line.len();
    line.extend_from_slice(&more[..more.len().min(room)]);
}
