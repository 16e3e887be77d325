//! From single requests to a [`TestClient`]: the handshake, and the streams that it
//! opens.

use std::sync::Arc;

#[cfg(feature = "sse")]
use bytes::Bytes;
#[cfg(feature = "sse")]
use http::{HeaderValue, Request, Uri, header::ACCEPT};
use serde_json::{Value, json};

use super::link::HttpLink;
use super::{HttpRefusal, HttpResponse, SESSION_ID, TestHttpClient};
use crate::client::{Inbox, RequestError, TestClient, handshake};
use crate::protocol::{Era, ProtocolVersion};

impl TestHttpClient {
    /// Connects a client that speaks the whole protocol: with a session and its
    /// stream (`GET`) in the versions that have them. [`TestClient::close`] ends
    /// the session.
    ///
    /// Dropping the client disconnects it: this cancels the calls of the modern
    /// era; those of a session continue.
    ///
    /// # Errors
    ///
    /// Returns [`RequestError::Refused`] if the server refuses the handshake,
    /// for example because a key is missing, and [`RequestError::Protocol`] if
    /// it answers with an error. The modern era has no handshake: a wrong key
    /// fails at the first request.
    pub async fn connect(self) -> Result<TestClient, RequestError> {
        let era = self.version.era();
        let http = match era {
            Era::Legacy => self.open_session().await?,
            Era::Modern => self,
        };
        let stream = match http.session {
            Some(_) => Some(http.get().await),
            None => None,
        };
        let inbox = Arc::<Inbox>::default();
        let script = http.script.clone();
        let link = HttpLink::new(http, Arc::clone(&inbox), None);
        if let Some(stream) = stream.filter(HttpResponse::is_stream) {
            link.listen(stream);
        }
        Ok(TestClient::over(Arc::new(link), inbox, era, script))
    }

    /// Connects with the transport of 2024-11-05, which
    /// [`HttpOptions::sse`](crate::transport::http::HttpOptions::sse) turns on:
    /// answers arrive on one stream, and the session ends with it.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`connect`](Self::connect).
    #[cfg(feature = "sse")]
    pub async fn connect_sse(mut self) -> Result<TestClient, RequestError> {
        self.session = None;
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = Uri::from_static("/sse");
        let events = HeaderValue::from_static("text/event-stream");
        request.headers_mut().insert(ACCEPT, events);
        let mut stream = self.send(request).await;
        if !stream.status().is_success() {
            return Err(RequestError::Refused(HttpRefusal::read(stream).await));
        }
        let endpoint = stream.next_event().await.unwrap_or_default().data;
        // It is beside `/sse`; a public URL adds the path that a proxy in front takes away.
        let endpoint = endpoint.rsplit('/').next().unwrap_or_default();
        let Ok(endpoint) = Uri::try_from(format!("/{endpoint}")) else {
            return Err(RequestError::NoAnswer);
        };
        let inbox = Arc::<Inbox>::default();
        let link = HttpLink::new(self.clone(), Arc::clone(&inbox), Some(endpoint.clone()));
        link.listen(stream);
        let script = self.script.clone();
        let client = TestClient::over(Arc::new(link), inbox, Era::Legacy, script);
        client
            .request("initialize", handshake(self.version, &self.script))
            .await?;
        let initialized = initialized();
        self.post_bytes(initialized.to_string(), Some(&initialized), Some(&endpoint))
            .await;
        Ok(client)
    }

    /// Opens a session: `initialize` and `notifications/initialized`. The
    /// returned client sends the session's id, if the server gave one.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`connect`](Self::connect).
    pub async fn open_session(mut self) -> Result<Self, RequestError> {
        self.session = None;
        let mut response = self
            .post(&json!({
                "jsonrpc": "2.0",
                "id": 0,
                "method": "initialize",
                "params": handshake(self.version, &self.script),
            }))
            .await;
        if !response.status().is_success() {
            return Err(RequestError::Refused(HttpRefusal::read(response).await));
        }
        let mut answer = match response.is_stream() {
            true => loop {
                match response.next_event().await {
                    Some(event) if event.data.is_empty() => {} // the stream's first id
                    Some(event) => break event.json(),
                    None => return Err(RequestError::NoAnswer),
                }
            },
            false => response.json().await,
        };
        if let Some(error) = answer.get_mut("error") {
            return Err(RequestError::of_json(error));
        }
        let agreed = answer["result"]["protocolVersion"].as_str();
        if let Some(version) = agreed.and_then(ProtocolVersion::from_name) {
            self.version = version;
        }
        self.session = response.headers().get(SESSION_ID).cloned();
        self.post(&initialized()).await;
        Ok(self)
    }
}

fn initialized() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
}
