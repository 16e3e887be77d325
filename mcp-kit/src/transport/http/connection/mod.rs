//! Connections: a front server for hyper that knows nothing of MCP.
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
