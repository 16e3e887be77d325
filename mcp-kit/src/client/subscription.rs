//! What a client follows: changes of lists, as they are announced.

use std::fmt;
use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::inbox::Inbox;
use super::{Request, RequestError, TestClient};
use crate::protocol::Era;
use crate::support::json::Members as _;

/// The notifications that a client requests with [`TestClient::subscribe`]; none by
/// default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "it is passed to `TestClient::subscribe`"]
pub struct SubscriptionFilter {
    tools: bool,
    prompts: bool,
    resources: bool,
    uris: Vec<String>,
    tasks: Vec<String>,
}

impl SubscriptionFilter {
    /// Creates a filter that requests nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests `notifications/tools/list_changed`.
    pub fn tools(mut self) -> Self {
        self.tools = true;
        self
    }

    /// Requests `notifications/prompts/list_changed`.
    pub fn prompts(mut self) -> Self {
        self.prompts = true;
        self
    }

    /// Requests `notifications/resources/list_changed`.
    pub fn resources(mut self) -> Self {
        self.resources = true;
        self
    }

    /// Requests `notifications/resources/updated` for a resource. Several calls
    /// add up.
    pub fn resource(mut self, uri: impl Into<String>) -> Self {
        self.uris.push(uri.into());
        self
    }

    /// Requests `notifications/tasks` for the task with this id. Several calls add
    /// up. The client must have declared the extension
    /// ([`TestClientBuilder::tasks`](super::TestClientBuilder::tasks)); a legacy
    /// client receives none.
    pub fn task(mut self, id: impl Into<String>) -> Self {
        self.tasks.push(id.into());
        self
    }

    fn to_json(&self) -> Value {
        let mut filter = json!({});
        let lists = [
            ("toolsListChanged", self.tools),
            ("promptsListChanged", self.prompts),
            ("resourcesListChanged", self.resources),
        ];
        for (name, _) in lists.into_iter().filter(|(_, is_asked)| *is_asked) {
            filter[name] = true.into();
        }
        if !self.uris.is_empty() {
            filter["resourceSubscriptions"] = json!(self.uris);
        }
        if !self.tasks.is_empty() {
            filter["taskIds"] = json!(self.tasks);
        }
        filter
    }

    /// Whether a notification of a legacy server was requested.
    pub(super) fn has(&self, message: &Value) -> bool {
        match message.at("method").as_str() {
            Some("notifications/tools/list_changed") => self.tools,
            Some("notifications/prompts/list_changed") => self.prompts,
            Some("notifications/resources/list_changed") => self.resources,
            Some("notifications/resources/updated") => {
                let uri = message.at("params").at("uri").as_str();
                uri.is_some_and(|uri| self.uris.iter().any(|one| one == uri))
            }
            _ => false,
        }
    }
}

/// Notifications of changes; made by [`TestClient::subscribe`]. Dropping it cancels
/// the subscription.
pub struct Subscription {
    notifications: mpsc::UnboundedReceiver<Value>,
    acknowledged: Value,
    /// `None` in the legacy era, which has no such request.
    request: Option<Request>,
}

impl TestClient {
    /// Follows changes, and returns once the server has acknowledged that.
    ///
    /// In the modern era this is the request `subscriptions/listen`. A legacy
    /// client sends `resources/subscribe` for each resource, and receives
    /// changes of lists without a request: over HTTP on the stream of its
    /// session.
    ///
    /// ```
    /// use mcp_kit::call::Call;
    /// use mcp_kit::testing::{TestClient, SubscriptionFilter};
    /// use mcp_kit::tool::{ToolDefinition, from_fn};
    /// use mcp_kit::Server;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("greeter", "1.0.0").build()?;
    /// let client = TestClient::modern(&server).await;
    /// let mut changes = client.subscribe(SubscriptionFilter::new().tools()).await?;
    ///
    /// let definition = ToolDefinition::new("goodbye", "Says goodbye.");
    /// server.registry().add(from_fn(definition, async |_: Call| "Goodbye!"))?;
    /// let change = changes.next().await.expect("the list has changed");
    /// assert_eq!(change["method"], "notifications/tools/list_changed");
    ///
    /// server.drain_handle().begin();
    /// assert_eq!(changes.ended().await?["resultType"], "complete");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the server's refusal, for example because too many subscriptions
    /// are open, or because a legacy client may not read a resource. In the
    /// modern era such a resource is missing in
    /// [`acknowledged`](Subscription::acknowledged).
    ///
    /// # Panics
    ///
    /// Panics if the server sends another message of the subscription before
    /// the acknowledgement.
    pub async fn subscribe(
        &self,
        filter: SubscriptionFilter,
    ) -> Result<Subscription, RequestError> {
        match self.era {
            Era::Legacy => {
                // The server may not have read the end of the handshake yet.
                self.request("ping", json!({})).await?;
                for uri in &filter.uris {
                    let params = json!({ "uri": uri });
                    self.request("resources/subscribe", params).await?;
                }
                Ok(Subscription::legacy(&self.inbox, filter))
            }
            Era::Modern => self.listen(&filter).await,
        }
    }

    #[allow(clippy::panic)]
    async fn listen(&self, filter: &SubscriptionFilter) -> Result<Subscription, RequestError> {
        let id = self.next_id();
        let mut notifications = self.inbox.follow(id);
        let params = json!({ "notifications": filter.to_json() });
        let mut request = self.send(id, "subscriptions/listen", params);
        let first = poll_fn(|cx| {
            if let Poll::Ready(first) = notifications.poll_recv(cx) {
                return Poll::Ready(Ok(first));
            }
            let answer = ready!(Pin::new(&mut request).poll(cx));
            Poll::Ready(Err(answer.err().unwrap_or(RequestError::NoAnswer)))
        })
        .await?;
        let Some(mut first) = first else {
            return Err(request.await.err().unwrap_or(RequestError::NoAnswer));
        };
        if first.at("method") != "notifications/subscriptions/acknowledged" {
            panic!("the first message of a subscription is not its acknowledgement: {first}");
        }
        Ok(Subscription {
            notifications,
            acknowledged: first["params"].take_at("notifications"),
            request: Some(request),
        })
    }
}

impl Subscription {
    fn legacy(inbox: &Arc<Inbox>, filter: SubscriptionFilter) -> Self {
        Self {
            acknowledged: filter.to_json(),
            notifications: inbox.follow_legacy(filter),
            request: None,
        }
    }

    /// Returns what the server has agreed to announce: the `notifications` of
    /// the acknowledgement. In the legacy era it is what was requested.
    #[must_use]
    pub fn acknowledged(&self) -> &Value {
        &self.acknowledged
    }

    /// Returns the next notification, as a whole message; `None` once the
    /// subscription has ended.
    pub async fn next(&mut self) -> Option<Value> {
        self.notifications.recv().await
    }

    /// Returns the notification that has arrived and was not read; `None` if
    /// there is none at the moment.
    pub fn try_next(&mut self) -> Option<Value> {
        self.notifications.try_recv().ok()
    }

    /// Waits until the server ends the subscription, and returns the result by
    /// which it does. Further notifications are discarded.
    ///
    /// # Errors
    ///
    /// Returns [`RequestError::NoAnswer`] if the connection ended without a
    /// result. A legacy server sends none.
    pub async fn ended(mut self) -> Result<Value, RequestError> {
        match self.request.take() {
            Some(request) => request.await,
            None => {
                while self.next().await.is_some() {}
                Err(RequestError::NoAnswer)
            }
        }
    }

    /// Cancels the subscription, and waits until the server has handled that.
    pub async fn cancel(mut self) {
        if let Some(request) = self.request.take() {
            request.cancel();
            let _ = request.await; // it is cancelled, or has ended before
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(request) = &self.request {
            request.cancel();
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("acknowledged", &self.acknowledged)
            .finish_non_exhaustive()
    }
}
