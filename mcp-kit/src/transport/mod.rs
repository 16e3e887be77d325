//! Transports: how messages reach the server and leave it.

#[cfg(feature = "cli")]
mod ending;
#[cfg(feature = "http")]
pub mod http;
#[cfg(any(feature = "cli", feature = "testing"))]
pub(crate) mod memory;
#[cfg(any(feature = "stdio", feature = "http"))]
pub(crate) mod signals;
#[cfg(feature = "stdio")]
mod stdio;
pub(crate) mod stream;

use std::time::Duration;

#[cfg(feature = "cli")]
pub(crate) use ending::Ending;
#[cfg(feature = "stdio")]
pub use stdio::Stdio;

/// How long clients may take to read the last answers once the drain time is
/// over.
pub(crate) const LAST_WRITE: Duration = Duration::from_secs(1);
