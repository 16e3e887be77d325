//! Connections: a front server for hyper that knows nothing of MCP. What it
//! serves implements [`Serve`].
//!
//! A connection is a socket, a stream around it that watches its client, and a
//! record of what the connection is doing. The record decides two things: when
//! a client has taken too long, and which connection makes room for a new one
//! if all are taken.
//!
//! ```text
//! accept ── Connections ──┬─ make_room: ends the longest idle connection if all are taken
//!                         └─ GuardedStream around the socket
//!                              ├─ Activity: reading a head, reading a body, responding, idle
//!                              └─ Socket: has the client left? is the output still read?
//! ```

pub(super) mod activity;
pub(super) mod connections;
mod descriptors;
pub(super) mod guarded_stream;
mod make_room;
mod repoll;
pub(super) mod socket;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;

use self::activity::Serving;
use self::socket::Socket;
use crate::limits::ByteBudget;

/// Answers the requests of connections.
pub(crate) trait Serve: Clone + Send + Sync + 'static {
    type Body: Body<Data = Bytes, Error = Infallible> + Send + 'static;

    /// Answers a request. `serving` shows the connection how the answer
    /// progresses, and is dropped with it.
    fn answer(
        self,
        request: Request<Incoming>,
        client: Client,
        serving: Serving,
    ) -> impl Future<Output = Result<Response<Self::Body>, Infallible>> + Send + 'static;

    /// Counts a connection that was closed because all are taken.
    fn no_room(&self);

    /// The budget that unread output counts against.
    fn unread(&self) -> &Arc<ByteBudget>;
}

/// The origin of a request.
#[derive(Clone, Default)]
pub(crate) struct Client {
    /// The address of the socket's other end.
    pub(crate) address: Option<IpAddr>,
    pub(crate) socket: Option<Socket>,
    /// The connection is one of the few that are kept for probes.
    pub(crate) is_reserve: bool,
}
