//! Helpers that know nothing of the protocol: text that is safe to repeat,
//! contained panics, threads for blocking work, stderr.

pub(crate) mod error_text;
#[cfg(any(feature = "fs", feature = "http", feature = "net", feature = "process"))]
pub(crate) mod lookup;
pub(crate) mod panics;
pub(crate) mod reference;
#[cfg(any(feature = "stdio", feature = "logging"))]
pub(crate) mod stderr;
pub(crate) mod text;
#[cfg(any(feature = "oauth", feature = "net"))]
pub(crate) mod tls;
