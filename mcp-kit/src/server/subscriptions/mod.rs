//! What clients are notified of: changes of lists, in both eras and on every
//! transport.
//!
//! ```text
//!   registry ── lists_changed ──► Feed of a client ── changed ──► its transport
//!                                  (flags, no queue) ◄── take ───  when it can write
//! ```
//!
//! A [`Feed`] holds state, not events: that a list has changed. Its transport
//! is woken, and takes the notifications when its client can receive them. A
//! client that reads slowly receives one notification for many changes, and
//! what is kept for it does not grow.
//!
//! A client of the modern era opens subscriptions (`subscriptions/listen`). A
//! legacy client follows every list from `notifications/initialized` on.

mod feed;

use serde::Deserialize;

use super::ServerInner;
use super::dispatch::Ask;
use crate::protocol::{RequestId, RpcError, encode};
use crate::registry::{List, Lists};
pub(crate) use feed::{Feed, Listener};

/// A subscription that a client requests, reduced to what the server offers
/// this client.
pub(crate) struct Subscription {
    /// The id of the request, which identifies it for the client.
    pub(crate) id: RequestId,
    lists: Lists,
}

/// The parameter `notifications`: what a client requests. Other members belong
/// to other versions, and are not honoured.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(default)]
    tools_list_changed: Option<bool>,
    #[serde(default)]
    prompts_list_changed: Option<bool>,
    #[serde(default)]
    resources_list_changed: Option<bool>,
}

impl Filter {
    fn lists(&self) -> Lists {
        let asked = |list: &List| match list {
            List::Tools => self.tools_list_changed,
            List::Prompts => self.prompts_list_changed,
            List::Resources => self.resources_list_changed,
        };
        let all = List::ALL.into_iter();
        all.filter(|list| asked(list) == Some(true)).collect()
    }
}

impl Subscription {
    /// # Errors
    ///
    /// -32602 if `notifications` is missing or not an object, or has a member
    /// of a wrong type.
    pub(super) fn of(server: &ServerInner, ask: &Ask<'_, '_>) -> Result<Self, RpcError> {
        let filter = match ask.request.params.notifications {
            Some(filter) if filter.get().starts_with('{') => filter,
            _ => {
                return Err(RpcError::invalid_params(
                    r#"Invalid params: "notifications" must be given, as an object that lists the notifications to send"#,
                ));
            }
        };
        let filter: Filter = serde_json::from_str(filter.get()).map_err(|_| {
            RpcError::invalid_params(
                r#"Invalid params: in "notifications", "toolsListChanged", "promptsListChanged" and "resourcesListChanged" must be booleans, each given once"#,
            )
        })?;
        Ok(Self {
            id: ask.request.id.clone(),
            lists: filter.lists().and(server.lists()),
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
        out.extend_from_slice(br#"},"_meta":{"io.modelcontextprotocol/subscriptionId":"#);
        self.id.write(out);
        out.extend_from_slice(b"}}}");
    }
}

impl ServerInner {
    /// Returns the lists that the server has.
    pub(super) fn lists(&self) -> Lists {
        let current = self.registry.current();
        current.capabilities().map(List::of).collect()
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
