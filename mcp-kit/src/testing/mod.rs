//! Helpers for the tests of users' own servers.

mod agreement;
mod client;

pub use agreement::assert_schema_agrees;
pub use client::{Call, CallResult, Client, ClientBuilder, Request, RequestError};
