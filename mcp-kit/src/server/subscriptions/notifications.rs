//! The notifications that a feed writes, as JSON.

use crate::protocol::{RequestId, encode};
use crate::registry::List;
use crate::server::tasks::StoredTask;

/// Writes `notifications/…/list_changed`.
pub(super) fn list_changed(out: &mut Vec<u8>, list: List, subscription: Option<&RequestId>) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"notifications/"#);
    out.extend_from_slice(list.capability().as_bytes());
    out.extend_from_slice(br#"/list_changed""#);
    if let Some(id) = subscription {
        out.extend_from_slice(br#","params":{"#);
        meta(out, id);
        out.push(b'}');
    }
    out.push(b'}');
}

/// Writes `notifications/resources/updated`.
pub(super) fn updated(out: &mut Vec<u8>, uri: &str, subscription: Option<&RequestId>) {
    out.extend_from_slice(
        br#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"#,
    );
    encode::string(out, uri);
    if let Some(id) = subscription {
        out.push(b',');
        meta(out, id);
    }
    out.extend_from_slice(b"}}");
}

/// Writes `notifications/elicitation/complete`, which is part of the legacy era alone.
pub(super) fn url_completed(out: &mut Vec<u8>, id: &str) {
    let params = serde_json::json!({"elicitationId": id});
    encode::notification(out, "notifications/elicitation/complete", &params);
}

/// Writes `notifications/tasks`, with the whole state of a task.
pub(super) fn task_changed(
    out: &mut Vec<u8>,
    state: &StoredTask,
    subscription: Option<&RequestId>,
) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"notifications/tasks","params":"#);
    let document = state.document();
    // An object with members, whose last brace follows.
    out.extend_from_slice(&document.as_bytes()[..document.len() - 1]);
    if let Some(id) = subscription {
        out.push(b',');
        meta(out, id);
    }
    out.extend_from_slice(b"}}");
}

/// Writes the `_meta` of a subscription's message.
fn meta(out: &mut Vec<u8>, id: &RequestId) {
    out.extend_from_slice(br#""_meta":{"io.modelcontextprotocol/subscriptionId":"#);
    id.write(out);
    out.push(b'}');
}
