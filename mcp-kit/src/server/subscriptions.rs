//! `subscriptions/listen` (2026-07-28): the messages of a subscription, for every
//! transport.
//!
//! Changes of the registry are not announced yet, so it honours none of the requested
//! notifications and acknowledges an empty set.

use super::ServerInner;
use crate::protocol::message::Request;
use crate::protocol::{RequestId, RpcError, encode};

/// A subscription that a client requests.
pub(crate) struct Subscription {
    /// The id of the request, which identifies it for the client.
    pub(crate) id: RequestId,
}

impl Subscription {
    /// # Errors
    ///
    /// -32602 if `notifications` is missing or not an object.
    pub(super) fn of(request: &Request<'_>) -> Result<Self, RpcError> {
        match request.params.notifications {
            Some(filter) if filter.get().starts_with('{') => Ok(Self {
                id: request.id.clone(),
            }),
            _ => Err(RpcError::invalid_params(
                r#"Invalid params: "notifications" must be given, as an object that says what to hear of"#,
            )),
        }
    }

    /// Writes its first message.
    pub(crate) fn acknowledge(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{},"_meta":{"io.modelcontextprotocol/subscriptionId":"#);
        self.id.write(out);
        out.extend_from_slice(b"}}}");
    }
}

impl ServerInner {
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
