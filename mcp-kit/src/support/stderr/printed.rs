//! Moves the output that the program and its children print into the queue:
//! through a pipe that a separate thread empties at once. An unfinished line
//! counts as a line after a moment.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::support::stderr::{printed_line, queue};
use crate::support::threads;

/// How long the rest of a line may take until the unfinished line is passed on.
const REST: Duration = Duration::from_millis(50);

/// The longest line, in bytes; a longer one is cut into several.
const LONGEST_LINE: usize = 16 * 1024;

/// The number of bytes of one read.
const CHUNK: usize = 16 * 1024;

struct Pipe {
    entrance: OwnedFd,
    exit: OwnedFd,
    /// Whether its thread has passed on everything that it has read.
    is_idle: AtomicBool,
}

/// Made when it is first needed; `None` if it cannot be made.
static PIPE: OnceLock<Option<&'static Pipe>> = OnceLock::new();

/// Returns the descriptor whose input becomes lines of the log; `None` if the
/// system cannot create the pipe or the thread.
pub(crate) fn entrance() -> Option<BorrowedFd<'static>> {
    let pipe = PIPE.get_or_init(|| Pipe::open().ok());
    pipe.map(|pipe| pipe.entrance.as_fd())
}

/// Waits until everything that was printed is in the queue.
pub(super) fn drain(until: Instant) {
    let Some(Some(pipe)) = PIPE.get() else {
        return;
    };
    let is_empty = || !pipe.has_bytes(Some(Duration::ZERO)) && pipe.is_idle.load(Ordering::Acquire);
    while !is_empty() && Instant::now() < until {
        thread::sleep(Duration::from_millis(1));
    }
}

impl Pipe {
    /// Opens a pipe that lasts as long as the process.
    fn open() -> io::Result<&'static Self> {
        let (exit, entrance) = io::pipe()?;
        let pipe: &Self = Box::leak(Box::new(Self {
            entrance: entrance.into(),
            exit: exit.into(),
            is_idle: AtomicBool::new(true),
        }));
        threads::start("mcp-printed", Some(128 * 1024), Box::new(|| pipe.run()))?;
        Ok(pipe)
    }

    fn run(&self) {
        let mut chunk = vec![0; CHUNK];
        // The beginning of a line.
        let mut line = Vec::new();
        loop {
            self.is_idle.store(line.is_empty(), Ordering::Release);
            let wait = (!line.is_empty()).then_some(REST);
            if !self.has_bytes(wait) {
                push(&mut line);
                continue;
            }
            self.is_idle.store(false, Ordering::Release);
            let count = match rustix::io::read(&self.exit, &mut chunk[..]) {
                Ok(count) => count,
                Err(Errno::INTR) => continue,
                Err(_) => return, // never: the pipe is ours
            };
            let mut rest = &chunk[..count];
            while let Some(end) = memchr::memchr(b'\n', rest) {
                line.extend_from_slice(&rest[..end]);
                push(&mut line);
                rest = &rest[end + 1..];
            }
            line.extend_from_slice(rest);
            if line.len() >= LONGEST_LINE {
                push(&mut line);
            }
        }
    }

    /// Whether there is something to read within `wait`; without a limit if
    /// that is `None`.
    fn has_bytes(&self, wait: Option<Duration>) -> bool {
        let wait = wait.and_then(|wait| Timespec::try_from(wait).ok());
        let mut files = [PollFd::new(&self.exit, PollFlags::IN)];
        loop {
            match poll(&mut files, wait.as_ref()) {
                Err(Errno::INTR) => {}
                ready => return !matches!(ready, Ok(0)),
            }
        }
    }
}

/// Passes on a line without waiting; one that finds no room is counted there.
fn push(line: &mut Vec<u8>) {
    if !line.is_empty() {
        let text = String::from_utf8_lossy(line.trim_ascii_end());
        queue().push(printed_line(&text).as_bytes());
        line.clear();
    }
}
