//! What callers notice of OAuth: which tokens are taken, and what becomes of
//! them while their issuer changes keys, is slow, or is down. The issuer is a
//! real one, on this machine.
#![cfg(feature = "oauth")]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod building;
mod issuer;
mod keys;
mod signer;
mod tls;
mod tls_site;
mod tokens;
