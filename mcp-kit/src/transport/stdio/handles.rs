//! Private copies of Windows' handles of stdin and stdout.
//!
//! The wire's handles are not inheritable, so that a child process cannot read
//! the protocol or write into it; its stdin is `NUL`. A console is left as it
//! is: there a person types the messages, and std translates its text.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _};
use std::os::windows::io::AsHandle as _;

use filedescriptor::{FileDescriptor, StdioDescriptor};

use super::threads::{ThreadReader, ThreadWriter};
use super::{EndFlag, Streams};

/// `None` for a console.
#[derive(Debug)]
pub(super) struct Handles {
    input: Option<File>,
    output: Option<File>,
}

impl Handles {
    pub(super) fn take() -> io::Result<Self> {
        crate::support::stderr::guard();
        let (stdin, stdout) = (io::stdin(), io::stdout());
        let input = match stdin.is_terminal() {
            true => None,
            false => {
                let private = stdin.as_handle().try_clone_to_owned()?;
                replace(StdioDescriptor::Stdin, &File::open("NUL")?)?;
                Some(File::from(private))
            }
        };
        let output = match stdout.is_terminal() {
            true => None,
            false => {
                let private = stdout.as_handle().try_clone_to_owned()?;
                let elsewhere = match io::stderr().as_handle().try_clone_to_owned() {
                    Ok(stderr) => File::from(stderr),
                    Err(_) => OpenOptions::new().write(true).open("NUL")?,
                };
                replace(StdioDescriptor::Stdout, &elsewhere)?;
                Some(File::from(private))
            }
        };
        Ok(Self { input, output })
    }

    pub(super) fn streams(self, end: EndFlag) -> io::Result<Streams> {
        Ok(Streams {
            input: match self.input {
                Some(input) => Box::new(ThreadReader::new(Box::new(input), end)?),
                None => Box::new(ThreadReader::new(Box::new(io::stdin()), end)?),
            },
            output: match self.output {
                Some(output) => Box::new(ThreadWriter::new(Box::new(output))?),
                None => Box::new(ThreadWriter::new(Box::new(io::stdout()))?),
            },
            reader_gone: None,
        })
    }
}

/// Replaces one of the three with `file`, and closes the old handle.
fn replace(which: StdioDescriptor, file: &File) -> io::Result<()> {
    FileDescriptor::redirect_stdio(file, which)
        .map(drop)
        .map_err(io::Error::other)
}
