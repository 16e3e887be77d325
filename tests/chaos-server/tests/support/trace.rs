//! The file of `CHAOS_TRACE`: which calls began, and which ran to their end.

use std::fs::File;
use std::sync::mpsc::Receiver;

use super::{PATIENCE, lines_of, scratch};

/// Where the tools `slow` and `block` write that they began and ended. A named
/// pipe replaces the file, so that a test can wait for a line.
pub(crate) struct Trace {
    path: std::path::PathBuf,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Trace {
    /// A trace of its own for the test of this name.
    pub(crate) fn new(name: &str) -> Self {
        let path = scratch(&format!("{name}.trace"));
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            &path,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        )
        .expect("a named pipe can be made");
        // Open for both: the reader then sees no end of file between writers.
        let pipe = File::options()
            .read(true)
            .write(true)
            .open(&path)
            .expect("the pipe opens");
        Self {
            path,
            lines: lines_of(pipe),
            seen: Vec::new(),
        }
    }

    /// The value for `CHAOS_TRACE`.
    pub(crate) fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Waits for this line.
    pub(crate) fn wait_for(&mut self, line: &str) {
        if self.has(line) {
            return;
        }
        loop {
            let next = self
                .lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("no `{line}` in the trace: {:?}", self.seen));
            self.seen.push(next);
            if self.seen.last().is_some_and(|last| last == line) {
                return;
            }
        }
    }

    /// Waits until this line has been written so often.
    pub(crate) fn wait_for_lines(&mut self, line: &str, times: usize) {
        while self.count(line) < times {
            let next = self
                .lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("`{line}` is not there {times} times"));
            self.seen.push(next);
        }
    }

    /// How often this line has been written by now.
    pub(crate) fn count(&mut self, line: &str) -> usize {
        self.seen.extend(self.lines.try_iter());
        self.seen.iter().filter(|seen| *seen == line).count()
    }

    /// Whether this line has been written by now.
    pub(crate) fn has(&mut self, line: &str) -> bool {
        self.seen.extend(self.lines.try_iter());
        self.seen.iter().any(|seen| seen == line)
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
