//! A connection's socket, and the operations on it other than reading and
//! writing.

use std::io;
use std::net::Shutdown;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

/// The write half of a socket, shared with code that checks the client. The
/// read half belongs to the connection alone: its reader knows when the socket
/// is empty and does not read it a second time.
pub(crate) type Socket = Arc<OwnedWriteHalf>;

/// Tells the client that nothing more will come.
pub(crate) fn end_writing(stream: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(stream).shutdown(Shutdown::Write)
}

/// Whether the client has closed its end. hyper does not check while requests
/// that it has read wait behind the one that is being answered.
#[cfg(target_os = "linux")]
pub(crate) fn has_left(stream: &TcpStream) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let gone = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
    let mut looked = [PollFd::new(stream, gone)];
    let now = Timespec::default();
    poll(&mut looked, Some(&now)).is_ok_and(|found| found > 0)
        && looked[0].revents().intersects(gone)
}

/// Only Linux reports it while there is something left to read.
#[cfg(not(target_os = "linux"))]
pub(crate) fn has_left(_: &TcpStream) -> bool {
    false
}
