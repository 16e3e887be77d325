//! What a tool's author and an operator notice of `SafeUrl` and `HttpClient`. The
//! servers are on this machine; names are resolved by resolvers of the tests' own.
#![cfg(feature = "net")]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod arguments;
mod bodies;
mod names;
mod proxy;
mod redirects;
mod refusals;
mod requests;
mod site;
#[cfg(feature = "oauth")]
mod tls;
#[path = "../oauth/tls_site.rs"]
mod tls_site;
mod urls;
