//! An authorization server on this machine, as far as a resource server sees
//! one: its metadata and its keys.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mcp_kit::Principal;
use mcp_kit::auth::{AuthError, Authenticator, Credentials, OAuth, OAuthBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::signer::{Signer, in_seconds};

pub const RESOURCE: &str = "https://mcp.example.com/mcp";

pub enum Answer {
    Json(String),
    Redirect(String),
    /// Nothing at all, with the connection left open.
    Silence,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<HashMap<String, Answer>>,
    asked: Mutex<Vec<String>>,
    was_asked: Notify,
}

pub struct Issuer {
    pub url: String,
    shared: Arc<Shared>,
    listener: JoinHandle<()>,
}

impl Issuer {
    /// One that publishes nothing yet.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        let listener = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        Self {
            url,
            shared,
            listener,
        }
    }

    /// One that publishes its metadata and this signer's key under `k1`.
    pub async fn with(signer: &Signer) -> Self {
        let issuer = Self::start().await;
        let metadata = json!({"issuer": issuer.url, "jwks_uri": format!("{}/keys", issuer.url)});
        issuer.answer("/.well-known/oauth-authorization-server", metadata);
        issuer.publish([signer.jwk("k1")]);
        issuer
    }

    pub fn publish(&self, keys: impl IntoIterator<Item = Value>) {
        self.answer(
            "/keys",
            json!({"keys": keys.into_iter().collect::<Vec<_>>()}),
        );
    }

    pub fn answer(&self, path: &str, json: Value) {
        self.answer_with(path, Answer::Json(json.to_string()));
    }

    pub fn answer_with(&self, path: &str, answer: Answer) {
        self.shared
            .answers
            .lock()
            .unwrap()
            .insert(path.to_owned(), answer);
    }

    /// What it was asked for so far, in order.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// How often it was asked for its keys.
    pub fn key_fetches(&self) -> usize {
        self.asked().iter().filter(|path| *path == "/keys").count()
    }

    /// Waits until it is asked for anything.
    pub async fn was_asked(&self) {
        self.shared.was_asked.notified().await;
    }

    pub async fn stop(&mut self) {
        self.listener.abort();
        let _ = (&mut self.listener).await;
    }

    pub fn builder(&self) -> OAuthBuilder {
        OAuth::builder(&self.url, RESOURCE)
    }

    pub fn oauth(&self) -> OAuth {
        self.builder().build().unwrap()
    }

    /// Claims of a token that is taken.
    pub fn claims(&self) -> Value {
        json!({
            "iss": self.url,
            "aud": RESOURCE,
            "sub": "alice",
            "scope": "read write",
            "exp": in_seconds(300),
        })
    }

    /// The same with another value of one claim, or without it.
    pub fn claims_but(&self, claim: &str, value: Option<Value>) -> Value {
        let mut claims = self.claims();
        match value {
            Some(value) => claims[claim] = value,
            None => {
                claims.as_object_mut().unwrap().remove(claim);
            }
        }
        claims
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let service = service_fn(|request: Request<Incoming>| answer(request, &shared));
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    shared: &Shared,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let response = match shared.answers.lock().unwrap().get(&path) {
        Some(Answer::Json(text)) => Some(Response::new(Full::from(text.clone()))),
        Some(Answer::Redirect(to)) => {
            let redirect = Response::builder()
                .status(StatusCode::FOUND)
                .header("location", to);
            Some(redirect.body(Full::default()).unwrap())
        }
        Some(Answer::Silence) => None,
        None => {
            let missing = Response::builder().status(StatusCode::NOT_FOUND);
            Some(missing.body(Full::default()).unwrap())
        }
    };
    shared.asked.lock().unwrap().push(path);
    shared.was_asked.notify_one();
    match response {
        Some(response) => Ok(response),
        None => std::future::pending().await,
    }
}

/// Who the token's holder is, sent as a bearer token.
pub async fn ask(oauth: &OAuth, token: &str) -> Result<Option<Principal>, AuthError> {
    ask_with(oauth, &[("authorization", &format!("Bearer {token}"))]).await
}

pub async fn ask_with(
    oauth: &OAuth,
    headers: &[(&'static str, &str)],
) -> Result<Option<Principal>, AuthError> {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
    oauth.authenticate(&Credentials::read(&headers)?).await
}

/// Asserts that the token is taken.
#[track_caller]
pub fn known(outcome: Result<Option<Principal>, AuthError>) -> Principal {
    outcome.unwrap().unwrap()
}

/// Why the token was refused.
#[track_caller]
pub fn refused(outcome: Result<Option<Principal>, AuthError>) -> &'static str {
    outcome.unwrap_err().reason().unwrap()
}
