//! [`HttpResponse`]: an answer whose body is read within limits.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::builder::Limits;
use super::error::{HttpError, HttpErrorKind};
use super::url::SafeUrl;

/// An answer whose body is not read yet. Dropping it ends the request.
///
/// The body is read within the client's limits for bytes and time, whichever method
/// reads it. A body that is compressed with gzip arrives decompressed, and its limit is
/// that of the decompressed bytes; it is never in memory as a whole before it is
/// counted.
pub struct HttpResponse {
    answer: reqwest::Response,
    url: SafeUrl,
    limits: Limits,
    deadline: Instant,
    read: usize,
    _permit: OwnedSemaphorePermit,
}

impl HttpResponse {
    pub(super) fn new(
        answer: reqwest::Response,
        url: SafeUrl,
        limits: Limits,
        deadline: Instant,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            answer,
            url,
            limits,
            deadline,
            read: 0,
            _permit: permit,
        }
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.answer.status()
    }

    /// Returns the headers, at most 100.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.answer.headers()
    }

    /// Returns the URL that was answered: the last one if there were redirects.
    #[must_use]
    pub fn url(&self) -> &SafeUrl {
        &self.url
    }

    /// Returns the answer itself if its status is a success (2xx).
    ///
    /// # Errors
    ///
    /// Returns [`HttpErrorKind::Status`] for every other status.
    pub fn error_for_status(self) -> Result<Self, HttpError> {
        match self.status() {
            status if status.is_success() => Ok(self),
            status => Err(HttpError::new(HttpErrorKind::Status(status))),
        }
    }

    /// Returns the body's next piece, `None` at its end.
    ///
    /// # Errors
    ///
    /// Returns [`HttpErrorKind::TooLarge`], [`HttpErrorKind::Timeout`], or
    /// [`HttpErrorKind::BadAnswer`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        // A body that reqwest decompresses has lost this header.
        if let Some(encoding) = self.headers().get(header::CONTENT_ENCODING)
            && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
        {
            return Err(HttpError::with_source(
                HttpErrorKind::BadAnswer,
                "its content encoding is not gzip",
            ));
        }
        let most = self.limits.body_bytes;
        let announced = self.answer.content_length().unwrap_or_default();
        if usize::try_from(announced).is_ok_and(|bytes| bytes <= most) {
            let chunk = timeout_at(self.deadline, self.answer.chunk()).await;
            let chunk = chunk
                .map_err(|_| HttpError::new(HttpErrorKind::Timeout(self.limits.time)))?
                .map_err(|error| HttpError::of_reqwest(error, self.limits.connect_time))?;
            self.read += chunk.as_ref().map_or(0, Bytes::len);
            if self.read <= most {
                return Ok(chunk);
            }
        }
        Err(HttpError::new(HttpErrorKind::TooLarge(most)))
    }

    /// Returns the whole body.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`chunk`](Self::chunk).
    pub async fn bytes(self) -> Result<Bytes, HttpError> {
        Ok(self.read().await?.into())
    }

    /// Returns the whole body as text, without a byte order mark.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`chunk`](Self::chunk), and
    /// [`HttpErrorKind::NotText`] if the body is not UTF-8, whatever charset
    /// its headers name: text in other encodings is never guessed.
    /// `String::from_utf8_lossy` reads the [`bytes`](Self::bytes) if damaged
    /// text is better than none.
    pub async fn text(self) -> Result<String, HttpError> {
        let text = String::from_utf8(self.read().await?);
        let mut text = text.map_err(|_| HttpError::new(HttpErrorKind::NotText))?;
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        Ok(text)
    }

    /// Parses the whole body as JSON.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`chunk`](Self::chunk), and
    /// [`HttpErrorKind::NotJson`]. Its source has the place in the body, and
    /// nothing of the body.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, HttpError> {
        let body = self.read().await?;
        serde_json::from_slice(&body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let place = format!(
                "{:?} error at line {line}, column {column}",
                error.classify()
            );
            HttpError::with_source(HttpErrorKind::NotJson, place)
        })
    }

    async fn read(mut self) -> Result<Vec<u8>, HttpError> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Without the values of headers and the body, which may hold secrets.
impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status())
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
