//! The web, through Brave's Web Search API.
//!
//! Everything that the service sends is treated as untrusted: its size is
//! bounded, its error texts are never passed on, its markup is removed.

mod answer;
mod key;
mod wait;

use std::{error::Error, time::Duration};

use async_trait::async_trait;
use reqwest::{Client, Response, StatusCode, Url, header::ACCEPT, redirect::Policy};

use crate::{SearchError, SearchHit, SearchProvider};

pub use key::ApiKey;

/// Where Brave serves its API.
pub const BRAVE_BASE_URL: &str = "https://api.search.brave.com/res/v1/";

/// The most results that Brave gives for one request.
const MAX_COUNT: usize = 20;

/// Searches the web with Brave.
#[derive(Debug, Clone)]
pub struct Brave {
    client: Client,
    endpoint: Url,
    key: ApiKey,
    max_answer_bytes: usize,
}

/// How to reach Brave. [`BraveOptions::default`] is right for production.
#[derive(Debug, Clone)]
pub struct BraveOptions {
    /// Where the API is. `https`, except for a stand-in on this machine.
    pub base_url: String,
    /// The longest time for one search, connecting included.
    pub timeout: Duration,
    /// The largest answer that is read, in bytes.
    pub max_answer_bytes: usize,
}

impl Default for BraveOptions {
    fn default() -> Self {
        Self {
            base_url: BRAVE_BASE_URL.to_owned(),
            timeout: Duration::from_secs(10),
            max_answer_bytes: 1 << 20,
        }
    }
}

impl Brave {
    /// A client for the API, which uses `key`. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When the base URL cannot be used, or the system has no certificates.
    pub fn new(key: ApiKey, options: BraveOptions) -> Result<Self, BraveSetupError> {
        let (endpoint, on_this_machine) = endpoint(&options.base_url)?;
        // The first provider that a process installs stays; a second call is
        // refused, and that is no problem here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .timeout(options.timeout)
            // A redirect would carry the key to a place that nobody chose.
            .redirect(Policy::none())
            .https_only(!on_this_machine)
            .user_agent(concat!("mcp-kit-web-search/", env!("CARGO_PKG_VERSION")));
        if on_this_machine {
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build().map_err(BraveSetupError::Client)?,
            endpoint,
            key,
            max_answer_bytes: options.max_answer_bytes,
        })
    }

    /// What an answer other than 200 means.
    async fn refusal(&self, response: Response) -> SearchError {
        let status = response.status();
        match status {
            StatusCode::TOO_MANY_REQUESTS => SearchError::RateLimited {
                retry_after: wait::from_headers(response.headers()),
            },
            StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => SearchError::Timeout,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => SearchError::Unauthorized {
                status: status.as_u16(),
            },
            // Brave's answer to a wrong key as well as to a wrong query.
            StatusCode::UNPROCESSABLE_ENTITY => match self.body(response).await {
                Ok(body) if answer::refuses_the_key(&body) => SearchError::Unauthorized {
                    status: status.as_u16(),
                },
                _ => SearchError::BadStatus {
                    status: status.as_u16(),
                },
            },
            _ => SearchError::BadStatus {
                status: status.as_u16(),
            },
        }
    }

    /// Reads the body, but never more than the bound.
    async fn body(&self, mut response: Response) -> Result<Vec<u8>, SearchError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(transport_error)? {
            if body.len() + chunk.len() > self.max_answer_bytes {
                return Err(SearchError::BadAnswer {
                    reason: "it is too large",
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

#[async_trait]
impl SearchProvider for Brave {
    fn searches(&self) -> &str {
        "the web, with Brave Search"
    }

    async fn search(&self, query: &str, limit: usize) -> Result<Vec<SearchHit>, SearchError> {
        let count = limit.clamp(1, MAX_COUNT).to_string();
        let mut url = self.endpoint.clone();
        url.query_pairs_mut()
            .append_pair("q", query.trim())
            .append_pair("count", &count)
            .append_pair("result_filter", "web")
            .append_pair("text_decorations", "false");
        let response = self
            .client
            .get(url)
            .header(ACCEPT, "application/json")
            .header("X-Subscription-Token", self.key.header())
            .send()
            .await
            .map_err(transport_error)?;
        let status = response.status();
        if status != StatusCode::OK {
            return Err(self.refusal(response).await);
        }
        let body = self.body(response).await?;
        answer::hits(&body, limit)
    }
}

/// Why a [`Brave`] could not be made. Each message names the setting to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BraveSetupError {
    /// The key holds characters that no key has.
    #[error("BRAVE_API_KEY is not a usable key: it may hold printable ASCII characters only")]
    Key,
    /// The base URL is none.
    #[error("BRAVE_BASE_URL is not a URL; the default is {BRAVE_BASE_URL}")]
    BaseUrl,
    /// The base URL would send the key in the clear.
    #[error(
        "BRAVE_BASE_URL must start with https://, or the key would be sent unencrypted (http:// is for 127.0.0.1, [::1] and localhost)"
    )]
    NotEncrypted,
    /// The HTTP client could not be set up.
    #[error(
        "the HTTPS client cannot start; check that the system's CA certificates are installed (on Debian: the package ca-certificates)"
    )]
    Client(#[source] reqwest::Error),
}

/// The URL to ask, and whether it is on this machine.
fn endpoint(base_url: &str) -> Result<(Url, bool), BraveSetupError> {
    let base = format!("{}/", base_url.trim().trim_end_matches('/'));
    let url = Url::parse(&base)
        .and_then(|base| base.join("web/search"))
        .map_err(|_| BraveSetupError::BaseUrl)?;
    let on_this_machine = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => Ok((url, on_this_machine)),
        "http" if on_this_machine => Ok((url, true)),
        "http" => Err(BraveSetupError::NotEncrypted),
        _ => Err(BraveSetupError::BaseUrl),
    }
}

/// Sorts the client's errors. The URL is taken out: it holds the query, which
/// is the user's and not the log's.
fn transport_error(error: reqwest::Error) -> SearchError {
    if error.is_timeout() {
        return SearchError::Timeout;
    }
    let source: Box<dyn Error + Send + Sync> = Box::new(error.without_url());
    SearchError::Unreachable(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_url_may_have_a_path_and_a_slash_or_not() {
        for base in [
            "https://proxy.example/brave",
            " https://proxy.example/brave/ ",
        ] {
            let (url, local) = endpoint(base).expect("a good base URL");
            assert_eq!(url.as_str(), "https://proxy.example/brave/web/search");
            assert!(!local);
        }
    }

    #[test]
    fn the_key_is_never_sent_in_the_clear_to_another_machine() {
        assert!(matches!(
            endpoint("http://proxy.example/"),
            Err(BraveSetupError::NotEncrypted)
        ));
        assert!(endpoint("http://127.0.0.1:8080").is_ok());
        assert!(endpoint("http://[::1]:8080").is_ok());
        for base in ["", "api.example", "ftp://api.example", "file:///etc"] {
            assert!(
                matches!(endpoint(base), Err(BraveSetupError::BaseUrl)),
                "{base:?}"
            );
        }
    }
}
