//! Private copies of descriptors 0 and 1, and what kind of file each is.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio;

use super::Streams;
use super::threads::{ThreadReader, ThreadWriter};

/// Copies below this number could be taken for stdin, stdout or stderr.
const FIRST_FREE: i32 = 3;

#[derive(Debug)]
pub(super) struct Descriptors {
    input: OwnedFd,
    output: OwnedFd,
}

impl Descriptors {
    pub(super) fn take() -> io::Result<Self> {
        let input = fcntl_dupfd_cloexec(rustix::stdio::stdin(), FIRST_FREE)?;
        let output = fcntl_dupfd_cloexec(rustix::stdio::stdout(), FIRST_FREE)?;
        let nothing =
            rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        stdio::dup2_stdin(&nothing)?;
        // Where stderr is closed there is nowhere to lead to but nothing.
        if stdio::dup2_stdout(rustix::stdio::stderr()).is_err() {
            let nowhere =
                rustix::fs::open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
            stdio::dup2_stdout(&nowhere)?;
        }
        Ok(Self { input, output })
    }

    /// Streams over the copies: without a thread hop where the kind of file
    /// allows it, through threads where not.
    pub(super) fn streams(self) -> io::Result<Streams> {
        #[cfg(target_os = "linux")]
        let (input, output) = (
            super::nonblocking::input(&self.input)?,
            super::nonblocking::output(&self.output)?,
        );
        #[cfg(not(target_os = "linux"))]
        let (input, output) = (None, None);
        Ok(Streams {
            input: match input {
                Some(input) => input,
                None => Box::new(ThreadReader::new(File::from(self.input))?),
            },
            output: match output {
                Some(output) => output,
                None => Box::new(ThreadWriter::new(File::from(self.output))?),
            },
        })
    }
}
