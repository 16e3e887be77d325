//! One run of a program: starts it, keeps what it prints up to a limit, and waits for its end.

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
#[cfg(unix)]
use std::io;
use std::pin::{Pin, pin};
use std::process::ExitStatus;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::process::{ChildStderr, ChildStdout};

use super::Command;
use super::error::CommandError;
#[cfg(unix)]
use super::groups::Group;
use super::start::{Started, Turn, start};

/// How many characters of stderr an error has.
const LONGEST_STDERR: usize = 1_000;

/// The output of a program, and how it ended.
#[derive(Clone)]
#[non_exhaustive]
pub struct CommandOutput {
    /// The exit code, or on Unix the signal that ended it (`ExitStatusExt::signal`).
    pub status: ExitStatus,
    /// Its output on stdout, up to [`Command::output_limit`].
    pub stdout: Vec<u8>,
    /// Its output on stderr, up to [`Command::output_limit`].
    pub stderr: Vec<u8>,
    /// Whether stdout had more bytes than the limit.
    pub stdout_truncated: bool,
    /// Whether stderr had more bytes than the limit.
    pub stderr_truncated: bool,
}

impl CommandOutput {
    /// stdout as text, if the program succeeded. Bytes that are not UTF-8 are
    /// replaced, and a last line reports if stdout was cut off at the limit.
    ///
    /// # Errors
    ///
    /// If it ended with another exit code than 0 or by a signal. The error has the status and the
    /// first 1,000 characters of stderr: in a tool it is internal, so they are logged, and the client
    /// does not see them.
    pub fn text(self) -> Result<String, CommandError> {
        if self.status.success() {
            let kept = self.stdout.len();
            let mut text = match String::from_utf8_lossy(&self.stdout) {
                Cow::Borrowed(_) => String::from_utf8(self.stdout).unwrap_or_default(),
                Cow::Owned(replaced) => replaced,
            };
            if self.stdout_truncated {
                text.push_str(&format!(
                    "\n[cut off: the output has more than {kept} bytes]"
                ));
            }
            return Ok(text);
        }
        let said = String::from_utf8_lossy(&self.stderr);
        let mut said = said.trim();
        if let Some((end, _)) = said.char_indices().nth(LONGEST_STDERR) {
            said = &said[..end];
        }
        // Escaped: it must not write into the operator's terminal.
        Err(CommandError::failed(format!(
            "the program ended with {}; it wrote to stderr: {said:?}",
            self.status
        )))
    }
}

/// Shows sizes: what a program printed can be secret.
impl fmt::Debug for CommandOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandOutput")
            .field("status", &self.status)
            .field("stdout", &format_args!("{} bytes", self.stdout.len()))
            .field("stderr", &format_args!("{} bytes", self.stderr.len()))
            .field("stdout_truncated", &self.stdout_truncated)
            .field("stderr_truncated", &self.stderr_truncated)
            .finish()
    }
}

/// Runs a program to its end. Dropping the future kills it and its group.
pub(super) async fn run(command: Command, turn: Turn) -> Result<CommandOutput, CommandError> {
    let output_limit = command.output_limit;
    // Listens before the start, so that no end is missed.
    let unwatched = |error| CommandError::system("the program cannot be watched", &error);
    #[cfg(unix)]
    let mut ends = Ends::listen().map_err(unwatched)?;
    // Dropped from the last to the first: `child` can wait for the leader, so `group` is killed
    // before it, while the leader's number cannot belong to another process.
    let Started {
        run: _run,
        folder: _folder,
        mut child,
        group,
    } = start(command, turn).await?;
    let mut stdout = Captured::new(child.stdout.take(), output_limit);
    let mut stderr = Captured::new(child.stderr.take(), output_limit);
    {
        #[cfg(unix)]
        let exited = ends.of(&group);
        #[cfg(not(unix))]
        let exited = async { child.wait().await.map(drop) };
        let mut exited = pin!(exited);
        poll_fn(|cx| {
            stdout.poll(cx);
            stderr.poll(cx);
            exited.as_mut().poll(cx)
        })
        .await
        .map_err(unwatched)?;
    }
    // Kills what the program left behind, before its number is free for others.
    drop(group);
    stdout.finish().await;
    stderr.finish().await;
    let status = child.wait().await.map_err(unwatched)?;
    Ok(CommandOutput {
        status,
        stdout: stdout.kept,
        stderr: stderr.kept,
        stdout_truncated: stdout.is_truncated,
        stderr_truncated: stderr.is_truncated,
    })
}

/// Sees that a program has ended, and leaves it to be waited for.
#[cfg(unix)]
struct Ends(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Ends {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        signal(SignalKind::child()).map(Self)
    }

    async fn of(&mut self, group: &Group) -> io::Result<()> {
        use rustix::process::{WaitId, WaitIdOptions, waitid};

        let Some(leader) = group.leader() else {
            return Err(io::Error::other("its process id is out of range"));
        };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(leader), options)?.is_none() {
            self.0.recv().await;
        }
        Ok(())
    }
}

/// A pipe of the program, of which the first bytes are kept.
struct Captured<P> {
    /// `None` once it has ended.
    pipe: Option<P>,
    kept: Vec<u8>,
    limit: usize,
    is_truncated: bool,
}

/// The pipes of a program.
trait Pipe: AsyncRead + Unpin {
    /// Reads what is in the pipe; `Ok(None)` if there is nothing now.
    #[cfg(unix)]
    fn read_now(&self, buffer: &mut [u8]) -> io::Result<Option<usize>>;
}

macro_rules! pipes {
    ($($pipe:ty),*) => { $(
        impl Pipe for $pipe {
            #[cfg(unix)]
            fn read_now(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
                use rustix::io::Errno;

                loop {
                    match rustix::io::read(self, &mut *buffer) {
                        Ok(count) => return Ok(Some(count)),
                        Err(Errno::INTR) => {}
                        Err(Errno::AGAIN) => return Ok(None),
                        Err(error) => return Err(error.into()),
                    }
                }
            }
        }
    )* };
}

pipes!(ChildStdout, ChildStderr);

impl<P: Pipe> Captured<P> {
    fn new(pipe: Option<P>, limit: usize) -> Self {
        Self {
            pipe,
            kept: Vec::new(),
            limit,
            is_truncated: false,
        }
    }

    /// Reads all that is there, and registers for more.
    fn poll(&mut self, cx: &mut Context<'_>) {
        let mut space = [0; 8192];
        while let Some(pipe) = &mut self.pipe {
            let mut buffer = ReadBuf::new(&mut space);
            match Pin::new(pipe).poll_read(cx, &mut buffer) {
                Poll::Pending => return,
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => self.keep(buffer.filled()),
                Poll::Ready(_) => self.pipe = None,
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.limit - self.kept.len();
        self.is_truncated |= bytes.len() > room;
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Reads what is left after the program's end. A process that keeps the other end open is not
    /// waited for: what the program itself wrote is in the pipe.
    #[cfg(unix)]
    async fn finish(&mut self) {
        let mut space = [0; 8192];
        // A pipe holds no more than it did when the program ended, unless such a process writes.
        let mut left = MOST_IN_PIPE;
        while let Some(pipe) = &self.pipe {
            match pipe.read_now(&mut space) {
                Ok(Some(count @ 1..)) => {
                    self.keep(&space[..count]);
                    left = left.saturating_sub(count);
                    if left == 0 {
                        self.pipe = None;
                    }
                }
                _ => self.pipe = None,
            }
        }
    }

    #[cfg(not(unix))]
    async fn finish(&mut self) {
        let rest = poll_fn(|cx| {
            self.poll(cx);
            match self.pipe {
                Some(_) => Poll::Pending,
                None => Poll::Ready(()),
            }
        });
        let _ = tokio::time::timeout(std::time::Duration::from_millis(100), rest).await;
    }
}

/// The largest pipe that Linux gives a process without privileges.
#[cfg(unix)]
const MOST_IN_PIPE: usize = 1 << 20;
