//! The parts of the protocol that a handler, an observer or a test can read:
//! the version and era of a client, a request's id, and the client's
//! information about itself.
//!
//! Messages and error codes are also here, and private. This module performs no
//! IO and does not depend on a transport.

mod client_capabilities;
mod client_info;
pub(crate) mod encode;
mod error;
mod id;
mod log_level;
pub(crate) mod message;
pub(crate) mod meta;
pub(crate) mod params;
pub(crate) mod recover;
mod version;

pub(crate) use client_capabilities::{
    ClientCapabilities, ClientCapability, TASKS, declares_extension,
};
pub(crate) use client_info::ClientDetails;
pub use client_info::ClientInfo;
pub(crate) use error::{ErrorCode, RpcError};
pub use id::RequestId;
pub(crate) use id::{LONGEST_ID, json_string};
#[cfg(feature = "http")]
pub(crate) use log_level::SetLevel;
pub use log_level::{LogLevel, UnknownLogLevel};
pub use version::{Era, ProtocolVersion};
