//! `fetch`: what a URL of a client's may reach.

use std::env;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use garde::Validate;
use mcp_kit::guard::{HttpClient, SafeUrl};
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

/// A client for public hosts, and for the loopback port `CHAOS_ALLOW_LOOPBACK_PORT`.
pub(crate) fn client() -> Result<HttpClient, Box<dyn Error>> {
    let mut client = HttpClient::builder()
        .body_bytes(256 << 10)
        .timeout(Duration::from_secs(5));
    if let Ok(port) = env::var("CHAOS_ALLOW_LOOPBACK_PORT") {
        let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port.parse()?);
        client = client.allow_private_address(address);
    }
    Ok(client.build()?)
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
pub(crate) struct FetchArgs {
    /// The page to fetch.
    #[garde(skip)]
    url: SafeUrl,
}

/// Fetches a page of text of at most 256 KiB, within 5 seconds.
#[tool(read_only, open_world)]
pub(crate) async fn fetch(
    args: FetchArgs,
    State(client): State<HttpClient>,
) -> Result<String, ToolError> {
    let answer = client.get(&args.url).send().await?;
    Ok(answer.error_for_status()?.text().await?)
}
