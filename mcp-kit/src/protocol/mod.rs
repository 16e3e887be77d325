//! The protocol without IO: JSON-RPC messages, both eras' versions, request
//! metadata and error codes. Nothing here knows of tokio or of a transport.

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
pub use error::{ErrorCode, RpcError};
pub use id::RequestId;
pub(crate) use id::{LONGEST_ID, json_string};
pub use version::{Era, ProtocolVersion};
