//! Helpers that do not depend on the protocol: text that is safe to repeat, JSON objects,
//! contained panics, locks, threads for blocking work, stderr.

pub(crate) mod error_text;
pub(crate) mod json;
pub(crate) mod lock;
#[cfg(any(feature = "fs", feature = "http", feature = "net", feature = "process"))]
pub(crate) mod lookup;
pub(crate) mod panics;
pub(crate) mod problems;
pub(crate) mod random;
pub(crate) mod reference;
pub(crate) mod sort;
#[cfg(any(feature = "stdio", feature = "logging"))]
pub(crate) mod stderr;
pub(crate) mod task;
pub(crate) mod text;
pub(crate) mod threads;
#[cfg(any(feature = "oauth", feature = "net"))]
pub(crate) mod tls;
