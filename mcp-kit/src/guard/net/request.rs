//! [`HttpRequest`], and the redirects that follow it.
//!
//! Each redirect is a request of its own, whose URL is checked like the first.
//! What goes with it follows RFC 9110, section 15.4, and a rule of ours:
//! another origin gets nothing that the author of the request did not write for
//! everyone, and is never asked to change anything.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::client::HttpClient;
use super::error::{HttpError, HttpErrorKind};
use super::response::HttpResponse;
use super::url::SafeUrl;

/// A request that is not sent yet.
#[must_use = "nothing is sent until `send` is called"]
pub struct HttpRequest {
    client: HttpClient,
    method: Method,
    url: SafeUrl,
    headers: HeaderMap,
    body: Option<Bytes>,
    error: Option<String>,
}

/// Set by the client, or about the connection and not the request.
const RESERVED: &[HeaderName] = &[
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The headers that a redirect to another origin keeps, unless they are marked
/// as sensitive. API keys have headers of any name, so the list is of what is
/// none.
const FOR_EVERYONE: &[HeaderName] = &[
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::CACHE_CONTROL,
    header::RANGE,
    header::USER_AGENT,
];

/// About the body: they go with it.
const OF_BODY: &[HeaderName] = &[
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LOCATION,
    header::CONTENT_TYPE,
];

impl HttpRequest {
    pub(super) fn new(client: HttpClient, method: Method, url: SafeUrl) -> Self {
        let is_refused = matches!(method, Method::CONNECT | Method::TRACE);
        Self {
            error: is_refused.then(|| format!("{method} requests are not sent")),
            client,
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
        }
    }

    /// Adds a header, or replaces the one with this name.
    ///
    /// A redirect to another origin keeps `Accept`, `Accept-Language`, `Cache-Control`,
    /// `Range` and `User-Agent`, unless their values are marked as sensitive. Every
    /// other header is dropped then, whatever its name: it may be a credential.
    ///
    /// `Host`, and the headers about the connection and the body's length, are the
    /// client's: with one of them, [`send`](Self::send) fails.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if RESERVED.contains(&name) {
            self.fail(format!("the header {name} is set by the client"));
        } else {
            self.headers.insert(name, value);
        }
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sets the body to `value` as JSON, with its `Content-Type`.
    pub fn json(mut self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => {
                let json = HeaderValue::from_static("application/json");
                self.headers.insert(header::CONTENT_TYPE, json);
                self.body = Some(body.into());
            }
            Err(error) => self.fail(format!("the body is not JSON: {error}")),
        }
        self
    }

    /// Sends the request, follows its redirects, and returns when the last
    /// answer's headers are read. Every status is an answer; see
    /// [`HttpResponse::error_for_status`]. Dropping the future cancels the
    /// request.
    ///
    /// A redirect to another origin is followed if the resulting request has no
    /// body and its method is `GET`, `HEAD` or `OPTIONS`: `POST` becomes `GET`
    /// with the statuses 301, 302 and 303, other methods only with 303.
    ///
    /// # Errors
    ///
    /// Returns why there is no answer: see [`HttpErrorKind`].
    pub async fn send(self) -> Result<HttpResponse, HttpError> {
        if let Some(error) = self.error {
            return Err(HttpError::with_source(HttpErrorKind::Request, error));
        }
        let time = self.client.0.limits.time;
        let deadline = Instant::now() + time;
        let answer = timeout_at(deadline, self.send_in_time(deadline)).await;
        answer.unwrap_or_else(|_| Err(HttpError::new(HttpErrorKind::Timeout(time))))
    }

    async fn send_in_time(mut self, deadline: Instant) -> Result<HttpResponse, HttpError> {
        let client = Arc::clone(&self.client.0);
        let permit = Arc::clone(&client.permits).acquire_owned().await;
        let permit = permit.map_err(HttpError::internal)?;
        let mut followed = 0;
        loop {
            let answer = client
                .exchange(&self.method, &self.url, &self.headers, self.body.as_ref())
                .await
                .map_err(|error| error.after_redirect(followed > 0))?;
            let Some(next) = target(&self.url, &answer) else {
                return Ok(HttpResponse::new(
                    answer,
                    self.url,
                    client.limits,
                    deadline,
                    permit,
                ));
            };
            if followed == client.limits.redirects {
                let most = HttpErrorKind::TooManyRedirects(followed);
                return Err(HttpError::new(most));
            }
            followed += 1;
            let status = answer.status();
            // Its body is not read, so its connection ends here.
            drop(answer);
            next.and_then(|next| self.redirect(status, next))
                .map_err(|kind| HttpError::new(kind).after_redirect(true))?;
        }
    }

    /// Changes this into the request that a redirect requires.
    fn redirect(&mut self, status: StatusCode, next: SafeUrl) -> Result<(), HttpErrorKind> {
        let is_downgrade = self.url.is_encrypted() && !next.is_encrypted();
        if is_downgrade && !self.client.0.limits.insecure_redirects {
            return Err(HttpErrorKind::NotEncrypted);
        }
        let becomes_get = match status {
            StatusCode::SEE_OTHER => self.method != Method::HEAD,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => self.method == Method::POST,
            _ => false,
        };
        if becomes_get {
            self.method = Method::GET;
            self.body = None;
            OF_BODY
                .iter()
                .for_each(|name| drop(self.headers.remove(name)));
        }
        if self.url.as_url().origin() != next.as_url().origin() {
            if self.body.is_some() || !self.method.is_safe() {
                return Err(HttpErrorKind::UnsafeRedirect);
            }
            let is_kept = |(name, value): &(&HeaderName, &HeaderValue)| {
                FOR_EVERYONE.contains(name) && !value.is_sensitive()
            };
            let kept = self.headers.iter().filter(is_kept);
            let kept = kept.map(|(name, value)| (name.clone(), value.clone()));
            self.headers = kept.collect();
        }
        self.url = next;
        Ok(())
    }

    fn fail(&mut self, error: String) {
        self.error.get_or_insert(error);
    }
}

/// Returns the target of a redirect; `None` if the answer is not a redirect.
fn target(from: &SafeUrl, answer: &reqwest::Response) -> Option<Result<SafeUrl, HttpErrorKind>> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = answer.headers().get(header::LOCATION)?;
    let next = std::str::from_utf8(location.as_bytes())
        .ok()
        .and_then(|location| from.as_url().join(location).ok());
    let Some(next) = next else {
        return Some(Err(HttpErrorKind::BadAnswer));
    };
    Some(SafeUrl::try_from(next).map_err(HttpErrorKind::Url))
}

/// Omits the values of headers and the body, which may hold secrets.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
