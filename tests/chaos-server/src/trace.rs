//! A file that tells from outside which calls began and which ran to their end.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;

/// Where `slow` writes what it does; nowhere unless a file was given.
#[derive(Clone)]
pub(crate) struct Trace(Option<Arc<File>>);

impl Trace {
    /// Opens the file to append to it.
    pub(crate) fn open(path: Option<OsString>) -> io::Result<Self> {
        let Some(path) = path else {
            return Ok(Self(None));
        };
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self(Some(Arc::new(file))))
    }

    /// Appends one line, in one write, so that lines of several calls stay apart.
    pub(crate) fn line(&self, line: &str) -> io::Result<()> {
        match &self.0 {
            Some(file) => (&**file).write_all(format!("{line}\n").as_bytes()),
            None => Ok(()),
        }
    }
}
