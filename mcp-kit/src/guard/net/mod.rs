//! Outgoing HTTP to hosts that a client names.
//!
//! ```text
//! SafeUrl ──► Policy::check_url ──► Checked resolver ──► the address that was checked
//!    ▲         scheme, host lists,   every address of     TLS verifies the name
//!    │         an address as host    the name is checked        │
//!    └───────────── a redirect is a request like the first ◄────┘
//! ```
//!
//! There is no time between check and use: reqwest connects to what the resolver
//! returned, and has no other way to an address but a literal in the URL, which
//! `check_url` saw. Connections are not kept, so each request is checked anew.

mod address;
mod builder;
mod client;
mod error;
mod policy;
mod request;
mod resolve;
mod response;
mod url;

pub use builder::HttpClientBuilder;
pub use client::HttpClient;
pub use error::{HttpClientError, HttpError, HttpErrorKind};
pub use request::HttpRequest;
pub use resolve::Resolve;
pub use response::HttpResponse;
pub use url::{SafeUrl, SafeUrlError};
