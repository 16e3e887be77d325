//! The link of a [`TestClient`](crate::client::TestClient) over HTTP: each message is a
//! `POST` in a task of its own, and the messages of its response go into the
//! inbox. In the transport of 2024-11-05 the answers arrive on the one stream
//! instead, and the connection ends with it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Uri;
use serde_json::Value;
use tokio::task::{AbortHandle, JoinSet};

use super::{HttpRefusal, HttpResponse, TestHttpClient};
use crate::client::inbox::{cancellation, cancellation_check};
use crate::client::{Inbox, Link, RequestError};
use crate::protocol::Era;

pub(super) struct HttpLink {
    shared: Arc<Shared>,
    tasks: Mutex<Tasks>,
}

struct Shared {
    http: TestHttpClient,
    inbox: Arc<Inbox>,
    /// Requests that the client has cancelled.
    cancelled: Mutex<HashSet<u64>>,
    /// The address for messages whose answers arrive on the stream
    /// (2024-11-05).
    messages: Option<Uri>,
}

struct Tasks {
    /// `None` once the client sends nothing more.
    posts: Option<JoinSet<()>>,
    requests: HashMap<u64, AbortHandle>,
    /// Reads the session's own stream.
    listening: Option<AbortHandle>,
}

impl HttpLink {
    /// `messages` is the endpoint for messages in the transport of 2024-11-05.
    pub(super) fn new(http: TestHttpClient, inbox: Arc<Inbox>, messages: Option<Uri>) -> Self {
        Self {
            shared: Arc::new(Shared {
                http,
                inbox,
                cancelled: Mutex::default(),
                messages,
            }),
            tasks: Mutex::new(Tasks {
                posts: Some(JoinSet::new()),
                requests: HashMap::new(),
                listening: None,
            }),
        }
    }

    /// Reads a stream that is not the answer to a request.
    pub(super) fn listen(&self, stream: HttpResponse) {
        let shared = Arc::clone(&self.shared);
        let reading = tokio::spawn(async move {
            shared.read(stream).await;
            if shared.messages.is_some() {
                shared.inbox.end();
            }
        });
        lock(&self.tasks).listening = Some(reading.abort_handle());
    }
}

impl Link for HttpLink {
    fn send(&self, message: Vec<u8>) {
        let mut tasks = lock(&self.tasks);
        let Some(posts) = &mut tasks.posts else {
            return;
        };
        while posts.try_join_next().is_some() {}
        let parsed: Option<Value> = serde_json::from_slice(&message).ok();
        let id = parsed.as_ref().and_then(|message| message["id"].as_u64());
        let shared = Arc::clone(&self.shared);
        let ending = Ending {
            // On the one stream the answer outlives the response.
            id: id.filter(|_| shared.messages.is_none()),
            shared,
        };
        let task = posts.spawn(async move { ending.shared.exchange(message, parsed, id).await });
        if let Some(id) = id {
            tasks.requests.insert(id, task);
        }
    }

    fn cancel(&self, id: u64) {
        let mut tasks = lock(&self.tasks);
        if self.shared.messages.is_some() {
            let Some(posts) = &mut tasks.posts else {
                return;
            };
            let shared = Arc::clone(&self.shared);
            posts.spawn(async move {
                for text in [cancellation(id), cancellation_check(id)] {
                    let message = serde_json::from_str(&text).ok();
                    shared.exchange(text.into_bytes(), message, None).await;
                }
            });
            return;
        }
        lock(&self.shared.cancelled).insert(id);
        if self.shared.http.version.era() == Era::Legacy {
            drop(tasks);
            self.send(cancellation(id).into_bytes());
        } else if let Some(request) = tasks.requests.get(&id) {
            request.abort(); // the modern era cancels by disconnecting
        }
    }

    fn close(&self) {
        let mut tasks = lock(&self.tasks);
        let Some(mut posts) = tasks.posts.take() else {
            return;
        };
        let listening = tasks.listening.take();
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            while posts.join_next().await.is_some() {}
            if shared.messages.is_some() {
                shared.inbox.idle().await;
            }
            if shared.http.session.is_some() {
                shared.http.delete().await;
            }
            if let Some(listening) = listening {
                listening.abort();
            }
            shared.inbox.end();
        });
    }

    fn http(&self) -> Option<&TestHttpClient> {
        Some(&self.shared.http)
    }
}

impl Drop for HttpLink {
    fn drop(&mut self) {
        if let Some(listening) = &lock(&self.tasks).listening {
            listening.abort();
        }
    }
}

impl Shared {
    /// Sends a message and reads its response.
    async fn exchange(&self, message: Vec<u8>, parsed: Option<Value>, id: Option<u64>) {
        let target = self.messages.as_ref();
        let response = (self.http).post_bytes(message, parsed.as_ref(), target);
        let response = response.await;
        if response.status().is_success() {
            return self.read(response).await;
        }
        let refusal = HttpRefusal::read(response).await;
        match id {
            Some(id) => self.inbox.finish(id, Err(RequestError::Refused(refusal))),
            None => self.inbox.take_text(refusal.body()),
        }
    }

    /// Takes the messages of a response.
    async fn read(&self, mut response: HttpResponse) {
        if !response.is_stream() {
            let text = response.text().await;
            return self.take(&text);
        }
        while let Some(event) = response.next_event().await {
            self.take(&event.data);
        }
    }

    fn take(&self, text: &str) {
        if !text.is_empty() {
            self.inbox.take_text(text);
        }
    }
}

/// Ends a request that has no answer when its response has ended, or when it was dropped.
struct Ending {
    shared: Arc<Shared>,
    id: Option<u64>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let was_cancelled = lock(&self.shared.cancelled).remove(&id);
            let why = match was_cancelled {
                true => RequestError::Cancelled,
                false => RequestError::NoAnswer,
            };
            self.shared.inbox.finish(id, Err(why));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
