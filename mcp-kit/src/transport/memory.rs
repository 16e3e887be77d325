//! A connection within the process: the same message loop over a pair of
//! in-memory streams.

use std::sync::Arc;

use tokio::io::{DuplexStream, duplex, split};
use tokio::task::JoinHandle;

use super::stream::{self, Greeting};
use crate::caller::Principal;
use crate::server::Server;
use crate::support::task::spawn;

/// How many bytes may wait in each direction before the other side pauses.
const ROOM: usize = 64 * 1024;

/// Serves a client at the other end of the stream, in a task; it ends when the
/// stream is shut down or the server drains. Without `principal` the client is
/// the server's own `local`.
pub(crate) fn connect(
    server: &Server,
    principal: Option<Principal>,
) -> (DuplexStream, JoinHandle<()>) {
    let inner = Arc::clone(server.inner());
    let principal = principal.unwrap_or_else(|| inner.local.clone());
    let greeting = Greeting::new(&inner, principal);
    let (client, own) = duplex(ROOM);
    let (input, output) = split(own);
    let serving = spawn(async move {
        // How it ended is in what it wrote.
        let _ = stream::serve(inner, greeting, Box::new(input), Box::new(output)).await;
    });
    (client, serving)
}
