//! Where bytes come from and go to.

pub(crate) mod heartbeat;
pub(crate) mod lines;
pub(crate) mod memory;
#[cfg(feature = "stdio")]
pub(crate) mod signals;
#[cfg(feature = "stdio")]
mod stdio;

#[cfg(feature = "stdio")]
pub use stdio::Stdio;
