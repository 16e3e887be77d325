//! What clients are notified of: changes of lists and updates of resources, in
//! both eras and on every transport.
//!
//! ```text
//!   registry ──────── lists_changed ─► Feed of a client ── changed ──► its transport
//!   ResourceUpdates ─ updated ───────► (flags, no queue) ◄── take ───  when it can write
//! ```
//!
//! A [`Feed`] holds state, not events: that a list or a resource has changed. Its transport
//! is woken, and takes the notifications when its client can receive them. A
//! client that reads slowly receives one notification for many changes, and
//! what is kept for it does not grow.
//!
//! A client of the modern era opens subscriptions (`subscriptions/listen`). A
//! legacy client follows every list from `notifications/initialized` on, and
//! watches the resources that it names (`resources/subscribe`).
//!
//! A client may watch what it may read: one rule, `Snapshot::may_read`. It may follow
//! its own tasks (`tasks`).

mod completed_urls;
mod feed;
mod notifications;
mod tasks;
mod updates;

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::ServerInner;
use super::dispatch::{Ask, text};
use crate::primitive::Kind;
use crate::protocol::{ClientCapability, RequestId, RpcError, TASKS, encode};
use crate::registry::{List, Lists, MOST_URI_BYTES, too_many_uris};
use crate::support::sort::sort_by;
pub(crate) use feed::{Feed, Listener};
pub(super) use tasks::{FoundTasks, find_tasks};

/// A subscription that a client requests, reduced to what the server offers
/// this client.
pub(crate) struct Subscription {
    /// The id of the request, which identifies it for the client.
    pub(crate) id: RequestId,
    lists: Lists,
    uris: Vec<Box<str>>,
    /// The ids of tasks that were not looked up yet.
    task_ids: Vec<Box<str>>,
    /// The caller's tasks, once they were looked up.
    tasks: Option<Box<dyn FoundTasks>>,
}

/// A request of a legacy client to watch a resource, or to stop.
pub(crate) struct WatchRequest {
    id: RequestId,
    uri: Box<str>,
    begins: bool,
}

/// The parameter `notifications`: what a client requests. Other members belong
/// to other versions, and are not honoured.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter<'a> {
    #[serde(borrow, default)]
    resource_subscriptions: Option<&'a RawValue>,
    /// Of the extension for tasks.
    #[serde(borrow, default)]
    task_ids: Option<&'a RawValue>,
    #[serde(default)]
    tools_list_changed: Option<bool>,
    #[serde(default)]
    prompts_list_changed: Option<bool>,
    #[serde(default)]
    resources_list_changed: Option<bool>,
}

impl Filter<'_> {
    fn lists(&self) -> Lists {
        let asked = |list: &List| match list {
            List::Tools => self.tools_list_changed,
            List::Prompts => self.prompts_list_changed,
            List::Resources => self.resources_list_changed,
        };
        let all = List::ALL.into_iter();
        all.filter(|list| asked(list) == Some(true)).collect()
    }

    /// Returns the URIs, of which there are at most `most`.
    fn uris(&self, most: usize) -> Result<Vec<Cow<'_, str>>, RpcError> {
        let uris = strings(self.resource_subscriptions, most)?;
        let uris = uris.ok_or_else(|| too_many_uris(most))?;
        let bytes: usize = uris.iter().map(|uri| uri.len()).sum();
        match bytes > MOST_URI_BYTES {
            true => Err(too_many_uris(most)),
            false => Ok(uris),
        }
    }

    /// Returns the ids of tasks, of which there are at most `most`.
    fn task_ids(&self, most: usize) -> Result<Vec<Box<str>>, RpcError> {
        let ids = strings(self.task_ids, most)?.ok_or_else(|| {
            RpcError::invalid_params(format!(
                "Too many tasks are followed: one subscription may follow {most}"
            ))
        })?;
        let mut ids: Vec<Box<str>> = (ids.into_iter().map(Cow::into_owned))
            .map(String::into_boxed_str)
            .collect();
        sort_by(&mut ids, &Ord::cmp);
        ids.dedup();
        Ok(ids)
    }
}

/// Reads a list of at most `most` strings; `None` if it has more.
fn strings(list: Option<&RawValue>, most: usize) -> Result<Option<Vec<Cow<'_, str>>>, RpcError> {
    let text = match list.map(RawValue::get) {
        None | Some("null") => return Ok(Some(Vec::new())),
        Some(text) => text,
    };
    let strings = Strings { most };
    let read = strings.deserialize(&mut serde_json::Deserializer::from_str(text));
    read.map_err(|_| wrong_filter())
}

/// Reads a list of strings, as far as there are not too many.
struct Strings {
    most: usize,
}

impl<'de> DeserializeSeed<'de> for Strings {
    type Value = Option<Vec<Cow<'de, str>>>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Strings {
    type Value = Option<Vec<Cow<'de, str>>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut uris = Vec::new();
        while let Some(uri) = list.next_element::<&RawValue>()? {
            if uris.len() == self.most {
                while list.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                return Ok(None);
            }
            let uri = crate::protocol::json_string(uri.get());
            uris.push(uri.ok_or_else(|| A::Error::custom("not a string"))?);
        }
        Ok(Some(uris))
    }
}

fn wrong_filter() -> RpcError {
    RpcError::invalid_params(
        r#"Invalid params: in "notifications", "toolsListChanged", "promptsListChanged" and "resourcesListChanged" must be booleans, and "resourceSubscriptions" and "taskIds" lists of strings, each given once"#,
    )
}

impl Subscription {
    /// # Errors
    ///
    /// -32602 if `notifications` is missing or not an object, has a member of a
    /// wrong type, or too many URIs or tasks; -32021 if the client asks for tasks
    /// without the extension. URIs that the client may not read are omitted from
    /// the acknowledgement, like those that do not exist.
    pub(super) fn of(server: &ServerInner, ask: &Ask<'_, '_>) -> Result<Self, RpcError> {
        let filter = match ask.request.params.notifications {
            Some(filter) if filter.get().starts_with('{') => filter,
            _ => {
                return Err(RpcError::invalid_params(
                    r#"Invalid params: "notifications" must be given, as an object that lists the notifications to send"#,
                ));
            }
        };
        let filter: Filter<'_> = serde_json::from_str(filter.get()).map_err(|_| wrong_filter())?;
        let most = server.limits.uris_per_subscription;
        let uris = filter.uris(most)?;
        let task_ids = match filter.task_ids {
            Some(_) if server.registry.current().has_tasks() => {
                if !ask.declares(ClientCapability::Tasks) {
                    return Err(RpcError::missing_capability(
                        ClientCapability::Tasks.declaration(),
                        format!(
                            "\"taskIds\" needs the extension \"{TASKS}\", which the client has not declared"
                        ),
                    ));
                }
                filter.task_ids(most)?
            }
            // Like a member of another extension.
            _ => Vec::new(),
        };
        let current = server.registry.current();
        let principal = &ask.session.principal;
        let may_read = |uri: &Cow<'_, str>| current.may_read(principal, uri);
        let uris = uris.into_iter().filter(may_read);
        Ok(Self {
            id: ask.request.id.clone(),
            lists: filter.lists().and(server.lists()),
            uris: uris.map(|uri| uri.into_owned().into()).collect(),
            task_ids,
            tasks: None,
        })
    }

    /// Writes its first message: the notifications that the server will send.
    pub(crate) fn acknowledge(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{"#);
        for (at, list) in self.lists.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(list.capability().as_bytes());
            out.extend_from_slice(br#"ListChanged":true"#);
        }
        if !self.uris.is_empty() {
            if !self.lists.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(br#""resourceSubscriptions":"#);
            encode::json(out, &self.uris);
        }
        let tasks = self.tasks.as_ref().map(|tasks| tasks.ids());
        if let Some(ids) = tasks.filter(|ids| !ids.is_empty()) {
            if !self.lists.is_empty() || !self.uris.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(br#""taskIds":"#);
            encode::json(out, &ids);
        }
        out.extend_from_slice(br#"},"_meta":{"io.modelcontextprotocol/subscriptionId":"#);
        self.id.write(out);
        out.extend_from_slice(b"}}}");
    }
}

impl WatchRequest {
    /// # Errors
    ///
    /// -32601 if the server has no resources, or cannot notify the client;
    /// -32602 without a URI; -32002 if there is no such resource, or the client
    /// may not read it.
    pub(super) fn of(
        server: &ServerInner,
        ask: &Ask<'_, '_>,
        begins: bool,
    ) -> Result<Self, RpcError> {
        let current = server.registry.current();
        let code = current.resource_code().filter(|_| {
            let is_declared = current.declares(Kind::Resource);
            is_declared && ask.session.has_stream
        });
        let Some(code) = code else {
            return Err(RpcError::method_not_found(&ask.request.method));
        };
        let uri = text(ask.request.params.uri, "uri")?;
        // An answer repeats only a URI that is short enough.
        if let Some(problem) = (code.problem)(&uri) {
            let problem = format!("Invalid params: \"uri\": {problem}");
            return Err(RpcError::invalid_params(problem));
        }
        if begins && !current.may_read(&ask.session.principal, &uri) {
            return Err(RpcError::unknown_resource(ask.era, &uri));
        }
        Ok(Self {
            id: ask.request.id.clone(),
            uri: uri.into_owned().into(),
            begins,
        })
    }

    /// Does what was requested for the client of `feed`, and answers.
    pub(crate) fn answer(&self, feed: &Feed, out: &mut Vec<u8>) {
        let done = match self.begins {
            true => feed.watch(&self.uri),
            false => {
                feed.unwatch(&self.uri);
                Ok(())
            }
        };
        match done {
            Ok(()) => encode::result(out, &self.id, |out| out.extend_from_slice(b"{}")),
            Err(error) => encode::error(out, Ok(&self.id), &error),
        }
    }
}

impl ServerInner {
    /// Returns the lists that the server has.
    pub(super) fn lists(&self) -> Lists {
        let current = self.registry.current();
        current.capabilities().filter_map(List::of).collect()
    }

    /// Writes the result by which the server ends a subscription.
    pub(crate) fn end_subscription(&self, out: &mut Vec<u8>, id: &RequestId) {
        encode::result(out, id, |out| {
            out.extend_from_slice(
                br#"{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":"#,
            );
            id.write(out);
            out.push(b',');
            self.write_server_info(out, &self.identity.short);
            out.extend_from_slice(b"}}");
        });
    }
}
