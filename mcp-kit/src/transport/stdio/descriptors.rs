//! Private copies of descriptors 0 and 1, their replacements, and the kind of
//! file of each.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio;

#[cfg(target_os = "linux")]
use super::ReaderGone;
use super::threads::{ThreadReader, ThreadWriter};
use super::{EndFlag, Streams};
use crate::server::ServerInner;
use crate::transport::stream::Greeting;

/// How long the greeting may take to arrive before the runtime starts without
/// it.
const GREETING_WAIT: Duration = Duration::from_millis(10);

/// The number of bytes that a writable pipe accepts at once; POSIX guarantees
/// 512.
const PIPE_BUF: usize = if cfg!(target_os = "linux") {
    4_096
} else {
    512
};

/// Copies below this number could be mistaken for stdin, stdout or stderr.
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
        // Printed output is read at once, even if stderr is not. Without a pipe
        // for it, stderr is used, and if that is closed, nothing.
        let is_led = [crate::support::stderr::entrance(), Some(stdio::stderr())]
            .into_iter()
            .flatten()
            .any(|entrance| stdio::dup2_stdout(entrance).is_ok());
        if !is_led {
            let nowhere =
                rustix::fs::open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
            stdio::dup2_stdout(&nowhere)?;
        }
        crate::support::stderr::guard();
        Ok(Self { input, output })
    }

    /// Reads and answers the first message on the bare descriptors.
    pub(super) fn greet(&self, server: &Arc<ServerInner>, greeting: &mut Greeting) {
        let until = Instant::now() + GREETING_WAIT;
        // Reading or writing what `poll` reports as ready does not block.
        let is_ready = |file: &OwnedFd, event: PollFlags, until: Instant| {
            let mut files = [PollFd::new(file, event)];
            let wait = until.saturating_duration_since(Instant::now());
            let wait = Timespec::try_from(wait).unwrap_or_default();
            // macOS answers POLLNVAL for some devices, and reading those blocks.
            matches!(poll(&mut files, Some(&wait)), Ok(1..))
                && files[0].revents().intersects(event | PollFlags::HUP)
        };
        while is_ready(&self.input, PollFlags::IN, until) {
            let reads_on = greeting.advance(server, |buffer| {
                rustix::io::read(&self.input, buffer).map_err(io::Error::from)
            });
            if !reads_on {
                break;
            }
        }
        let now = Instant::now();
        greeting.write_short(PIPE_BUF, |answer| {
            if !is_ready(&self.output, PollFlags::OUT, now) {
                return Ok(0);
            }
            rustix::io::write(&self.output, answer).map_err(io::Error::from)
        });
    }

    /// Returns another copy of the input, to detect that the client has closed
    /// its end.
    pub(super) fn input(&self) -> io::Result<OwnedFd> {
        self.input.try_clone()
    }

    /// Returns streams over the copies: without a thread if the kind of file
    /// allows it, otherwise through threads.
    pub(super) fn streams(self, end: EndFlag) -> io::Result<Streams> {
        #[cfg(target_os = "linux")]
        let (input, output) = (
            super::nonblocking::input(&self.input)?,
            super::nonblocking::output(&self.output)?,
        );
        #[cfg(not(target_os = "linux"))]
        let (input, output) = (None, None);
        #[cfg(target_os = "linux")]
        let reader_gone: Option<ReaderGone> = match &output {
            Some(_) => Some(Box::pin(super::nonblocking::reader_gone(
                self.output.try_clone()?,
            ))),
            None => None,
        };
        #[cfg(not(target_os = "linux"))]
        let reader_gone = None;
        Ok(Streams {
            reader_gone,
            input: match input {
                Some(input) => input,
                None => Box::new(ThreadReader::new(Box::new(File::from(self.input)), end)?),
            },
            output: match output {
                Some(output) => output,
                None => Box::new(ThreadWriter::new(Box::new(File::from(self.output)))?),
            },
        })
    }
}

/// Whether the client has closed its end of a pipe or a socket.
pub(super) fn is_hung_up(input: &OwnedFd) -> bool {
    #[cfg(target_os = "linux")]
    let closed = PollFlags::RDHUP;
    #[cfg(not(target_os = "linux"))]
    let closed = PollFlags::empty();
    let mut files = [PollFd::new(input, closed)];
    matches!(poll(&mut files, Some(&Timespec::default())), Ok(1..))
        && (files[0].revents()).intersects(closed | PollFlags::HUP | PollFlags::ERR)
}
