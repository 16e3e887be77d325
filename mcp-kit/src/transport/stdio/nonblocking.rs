//! Pipes and sockets without a thread hop.
//!
//! `O_NONBLOCK` belongs to the open file description, which others hold too:
//! the parent, or, with `2>&1`, stderr. So it is never set on what was
//! inherited. A pipe is opened anew; a socket, which cannot be, is read and
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

/// A stream to read from, if the file is of a kind that can be waited for.
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

/// A stream to write to, if the file is of a kind that can be waited for.
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

/// Waits until nobody can read any more what is written to the file: the client
/// is gone. Never ends where the kind of file does not tell.
pub(super) async fn reader_gone(file: OwnedFd) {
    // An error is what a pipe without a reader reports; a socket whose peer has
    // closed reports it as readable. Writable would be reported all the time.
    let events = Interest::READABLE | Interest::ERROR;
    if let Ok(watched) = register(file, events) {
        while let Ok(mut state) = watched.ready(events).await {
            if is_hung_up(watched.get_ref()) {
                return;
            }
            // A peer that will only send no more may still read. This state
            // stays, so there is nothing left to be told.
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

/// An open file description of our own; `None` where there is no `/proc`, or
/// where it is forbidden.
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
    // not, and what replaces it cannot be called without `unsafe`.
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
