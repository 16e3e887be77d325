//! What a handler, an observer or a test can read of the protocol: the version
//! and era that a client speaks, a request's id, and what the client reports about
//! itself.
//!
//! Messages and error codes are here too, and private. Nothing in this
//! module performs IO or knows a transport.

mod client_info;
pub(crate) mod encode;
mod error;
mod id;
pub(crate) mod message;
pub(crate) mod meta;
pub(crate) mod params;
pub(crate) mod recover;
mod version;

pub use client_info::ClientInfo;
pub(crate) use error::{ErrorCode, RpcError};
pub use id::RequestId;
pub(crate) use id::{LONGEST_ID, json_string};
pub use version::{Era, ProtocolVersion};
