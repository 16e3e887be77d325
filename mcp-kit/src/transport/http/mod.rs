//! The server over HTTP.

pub(crate) mod peer;
