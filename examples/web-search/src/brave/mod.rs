//! The web, through Brave's Web Search API.
//!
//! Everything that the service sends is treated as untrusted: its size is
//! bounded, its error texts are never passed on, its markup is removed.

mod answer;
mod key;
mod wait;

use std::time::Duration;

use async_trait::async_trait;
use mcp_kit::guard::{
    HttpClient, HttpClientError, HttpError, HttpErrorKind, HttpResponse, SafeUrl,
};
use mcp_kit::http::StatusCode;
use mcp_kit::http::header::{ACCEPT, HeaderName, HeaderValue};

use crate::{SearchError, SearchHit, SearchProvider};

pub use key::ApiKey;

/// Where Brave serves its API.
pub const BRAVE_BASE_URL: &str = "https://api.search.brave.com/res/v1/";

/// Carries the key.
const KEY_HEADER: HeaderName = HeaderName::from_static("x-subscription-token");

/// The most results that Brave gives for one request.
const MAX_COUNT: usize = 20;

/// Searches the web with Brave.
#[derive(Debug, Clone)]
pub struct Brave {
    client: HttpClient,
    endpoint: SafeUrl,
    key: ApiKey,
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
    /// When the base URL cannot be used.
    pub fn new(key: ApiKey, options: BraveOptions) -> Result<Self, BraveSetupError> {
        let endpoint = endpoint(&options.base_url)?;
        let host = endpoint.as_url().host_str().unwrap_or_default();
        let client = HttpClient::builder()
            // The operator chose the host, so it may be at any address; no other host
            // gets the key, since no redirect is followed.
            .allow_hosts([host])
            .allow_private_networks(["0.0.0.0/0", "::/0"])
            .redirects(0)
            .timeout(options.timeout)
            .connect_timeout(options.timeout)
            .body_bytes(options.max_answer_bytes)
            .user_agent(concat!("mcp-kit-web-search/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            client,
            endpoint,
            key,
        })
    }

    /// What an answer other than 200 means.
    async fn refusal(response: HttpResponse) -> SearchError {
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
            StatusCode::UNPROCESSABLE_ENTITY => match response.bytes().await {
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
}

#[async_trait]
impl SearchProvider for Brave {
    fn searches(&self) -> &str {
        "the web, with Brave Search"
    }

    async fn search(&self, query: &str, limit: usize) -> Result<Vec<SearchHit>, SearchError> {
        let count = limit.clamp(1, MAX_COUNT).to_string();
        let mut url = self.endpoint.as_url().clone();
        url.query_pairs_mut()
            .append_pair("q", query.trim())
            .append_pair("count", &count)
            .append_pair("result_filter", "web")
            .append_pair("text_decorations", "false");
        let url = SafeUrl::try_from(url).map_err(|error| SearchError::Unreachable(error.into()))?;
        let response = self
            .client
            .get(&url)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(KEY_HEADER, self.key.header())
            .send()
            .await
            .map_err(failed)?;
        if response.status() != StatusCode::OK {
            return Err(Self::refusal(response).await);
        }
        let body = response.bytes().await.map_err(failed)?;
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
    #[error(transparent)]
    Client(#[from] HttpClientError),
}

/// The URL to ask.
fn endpoint(base_url: &str) -> Result<SafeUrl, BraveSetupError> {
    let url = format!("{}/web/search", base_url.trim().trim_end_matches('/'));
    let url = SafeUrl::parse(&url).map_err(|_| BraveSetupError::BaseUrl)?;
    let host = url.as_url().host_str();
    let on_this_machine = matches!(host, Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.as_url().scheme() == "http" && !on_this_machine {
        return Err(BraveSetupError::NotEncrypted);
    }
    Ok(url)
}

/// Sorts the client's errors.
fn failed(error: HttpError) -> SearchError {
    match error.kind() {
        HttpErrorKind::Timeout(_) | HttpErrorKind::ConnectTimeout(_) => SearchError::Timeout,
        HttpErrorKind::TooLarge(_) => SearchError::BadAnswer {
            reason: "it is too large",
        },
        HttpErrorKind::TooManyRedirects(_) => SearchError::BadAnswer {
            reason: "it is a redirect",
        },
        _ => SearchError::Unreachable(error.into()),
    }
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
            let url = endpoint(base).expect("a good base URL");
            assert_eq!(url.as_str(), "https://proxy.example/brave/web/search");
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
