//! Where bytes come from and go to.

#[cfg(feature = "http")]
pub mod http;
pub(crate) mod memory;
#[cfg(any(feature = "stdio", feature = "http"))]
pub(crate) mod signals;
#[cfg(feature = "stdio")]
mod stdio;
pub(crate) mod stream;

#[cfg(feature = "stdio")]
pub use stdio::Stdio;
