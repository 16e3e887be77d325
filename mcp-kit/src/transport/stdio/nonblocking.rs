//! Reads and writes pipes and sockets without a thread.
//!
//! `O_NONBLOCK` belongs to the open file description, which other processes
//! share: the parent, or, with `2>&1`, stderr. So it is never set on an
//! inherited one. A pipe is reopened; a socket, which cannot be, is read and
//! written with a flag on each call.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::net::{RecvFlags, SendFlags};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::unix::pipe;

use crate::transport::stream::{Input, Output};

/// Returns a stream to read from, if the kind of file can be polled.
pub(super) fn input(file: &OwnedFd) -> io::Result<Option<Input>> {
    Ok(match kind(file)? {
        FileType::Fifo => match reopen(file, OFlags::RDONLY) {
            Some(own) => Some(Box::new(pipe::Receiver::from_owned_fd(own)?)),
            None => None,
        },
        FileType::Socket => Some(Box::new(Socket::new(file, Interest::READABLE)?)),
        _ => None,
    })
}

/// Returns a stream to write to, if the kind of file can be polled.
pub(super) fn output(file: &OwnedFd) -> io::Result<Option<Output>> {
    Ok(match kind(file)? {
        FileType::Fifo => match reopen(file, OFlags::WRONLY) {
            Some(own) => Some(Box::new(pipe::Sender::from_owned_fd(own)?)),
            None => None,
        },
        FileType::Socket => Some(Box::new(Socket::new(file, Interest::WRITABLE)?)),
        _ => None,
    })
}

/// Waits until no process can read what is written to the file: the client is
/// gone. Never ends if the kind of file does not report it.
pub(super) async fn reader_gone(file: OwnedFd) {
    // A pipe without a reader reports an error; a socket whose peer has closed
    // is reported as readable. Writable would be reported all the time.
    let events = Interest::READABLE | Interest::ERROR;
    if let Ok(watched) = register(file, events) {
        while let Ok(mut state) = watched.ready(events).await {
            if is_hung_up(watched.get_ref()) {
                return;
            }
            // A peer that only stops sending may still read. This state does
            // not change, so there is nothing left to wait for.
            if state.ready().is_read_closed() || state.ready().is_error() {
                break;
            }
            state.clear_ready();
        }
    }
    std::future::pending().await
}

fn is_hung_up(file: &OwnedFd) -> bool {
    let mut files = [PollFd::new(file, PollFlags::empty())];
    let now = Timespec::default();
    matches!(poll(&mut files, Some(&now)), Ok(1..))
        && files[0]
            .revents()
            .intersects(PollFlags::ERR | PollFlags::HUP)
}

fn kind(file: &OwnedFd) -> io::Result<FileType> {
    Ok(FileType::from_raw_mode(rustix::fs::fstat(file)?.st_mode))
}

/// Returns a separate open file description; `None` if there is no `/proc`, or
/// access to it is forbidden.
fn reopen(file: &OwnedFd, access: OFlags) -> Option<OwnedFd> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    rustix::fs::open(
        path,
        access | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .ok()
}

fn register(file: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // Deprecated because a type may lie about its descriptor; `OwnedFd` does
    // not, and the replacement requires `unsafe`.
    #[allow(deprecated)]
    AsyncFd::with_interest(file, interest)
}

struct Socket(AsyncFd<OwnedFd>);

impl Socket {
    fn new(file: &OwnedFd, interest: Interest) -> io::Result<Self> {
        register(file.as_fd().try_clone_to_owned()?, interest).map(Self)
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            let room = buffer.initialize_unfilled();
            let size = room.len();
            let received = ready.try_io(|socket| {
                let (count, _) = rustix::net::recv(socket, &mut *room, RecvFlags::DONTWAIT)?;
                Ok(count)
            });
            match received {
                Ok(Ok(count)) => {
                    if count > 0 && count < size {
                        ready.clear_ready(); // drained: spares a call that would wait
                    }
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_would_block) => {}
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(cx))?;
            let sent = ready.try_io(|socket| {
                let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
                Ok(rustix::net::send(socket, bytes, flags)?)
            });
            match sent {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(outcome) => return Poll::Ready(outcome),
                Err(_would_block) => {}
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
