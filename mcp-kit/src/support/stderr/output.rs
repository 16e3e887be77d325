//! The output of the queue: a private copy of descriptor 2, and the fallback
//! once that is blocked.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::FileType;
use rustix::io::{Errno, fcntl_dupfd_cloexec};

use crate::support::stderr::{printed, queue};

/// How long stderr may be blocked before writers no longer wait for it.
const PATIENCE: Duration = Duration::from_secs(1);

/// The most bytes of one write if writes can block: an output that reports room
/// takes this many.
const AT_ONCE: usize = if cfg!(target_os = "linux") {
    4_096
} else {
    512
};

/// The size that the pipe of stderr gets once it is stuck, in bytes: the most
/// that Linux allows without privileges.
#[cfg(target_os = "linux")]
const LARGE_PIPE: usize = 1024 * 1024;

/// How long writes that wait in that pipe have to finish before the queue takes
/// its room.
#[cfg(target_os = "linux")]
const GET_OUT: Duration = Duration::from_millis(50);

/// Copies below this number could be mistaken for stdin, stdout or stderr.
const FIRST_FREE: i32 = 3;

pub(super) fn open() -> Box<dyn queue::Output> {
    match fcntl_dupfd_cloexec(rustix::stdio::stderr(), FIRST_FREE) {
        Ok(copy) => Box::new(Stderr::new(copy)),
        Err(_) => Box::new(io::stderr()), // it is closed, and takes everything
    }
}

struct Stderr {
    file: OwnedFd,
    at_once: usize,
    /// Whether writers may have to wait for it: a file accepts bytes at any
    /// time.
    can_be_stuck: bool,
    /// It was blocked at the last check.
    looks_stuck: bool,
}

impl Stderr {
    fn new(copy: OwnedFd) -> Self {
        let kind = rustix::fs::fstat(&copy).map(|stat| FileType::from_raw_mode(stat.st_mode));
        let can_be_stuck = !matches!(kind, Ok(FileType::RegularFile));
        #[cfg(target_os = "linux")]
        if matches!(kind, Ok(FileType::Fifo))
            && let Some(own) = reopen(&copy)
        {
            return Self {
                file: own,
                at_once: usize::MAX,
                can_be_stuck,
                looks_stuck: false,
            };
        }
        Self {
            file: copy,
            at_once: if can_be_stuck { AT_ONCE } else { usize::MAX },
            can_be_stuck,
            looks_stuck: false,
        }
    }

    /// Whether it accepts bytes within `wait`; without a limit if that is
    /// `None`.
    fn takes_bytes(&self, wait: Option<Duration>) -> bool {
        let wait = wait.and_then(|wait| Timespec::try_from(wait).ok());
        let mut files = [PollFd::new(&self.file, PollFlags::OUT)];
        loop {
            match poll(&mut files, wait.as_ref()) {
                Err(Errno::INTR) => {}
                ready => return !matches!(ready, Ok(0)),
            }
        }
    }

    /// Redirects descriptor 2 to the pipe that is emptied, and lets waiting
    /// writes finish.
    fn give_up_descriptor(&mut self) {
        self.can_be_stuck = false;
        let is_led = printed::entrance()
            .is_some_and(|entrance| rustix::stdio::dup2_stderr(entrance).is_ok());
        if !is_led {
            return; // no pipe, no thread: nothing can be done
        }
        // A write that already waits continues to wait for the old pipe, and
        // `eprintln!` holds a lock meanwhile.
        #[cfg(target_os = "linux")]
        if rustix::pipe::fcntl_setpipe_size(&self.file, LARGE_PIPE).is_ok() {
            std::thread::sleep(GET_OUT);
        }
    }
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            if self.can_be_stuck && !self.takes_bytes(Some(PATIENCE)) {
                self.give_up_descriptor();
            }
            self.takes_bytes(None);
            let count = bytes.len().min(self.at_once);
            match rustix::io::write(&self.file, &bytes[..count]) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                written => return Ok(written?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl queue::Output for Stderr {
    fn look(&mut self) -> bool {
        let is_stuck = self.can_be_stuck && !self.takes_bytes(Some(Duration::ZERO));
        if is_stuck && self.looks_stuck {
            self.give_up_descriptor();
        }
        self.looks_stuck = is_stuck;
        self.can_be_stuck
    }
}

/// Reopens a pipe, so that writes to it never wait; `O_NONBLOCK` on the
/// inherited descriptor would also affect the parent.
#[cfg(target_os = "linux")]
fn reopen(copy: &OwnedFd) -> Option<OwnedFd> {
    use std::os::fd::AsRawFd as _;

    use rustix::fs::{Mode, OFlags};
    rustix::fs::open(
        format!("/proc/self/fd/{}", copy.as_raw_fd()),
        OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .ok()
}
