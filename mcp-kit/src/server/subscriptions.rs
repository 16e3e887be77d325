//! `subscriptions/listen` (2026-07-28): the messages of a subscription, for every
//! transport.
//!
//! This server's lists never change, so it honours none of the requested
//! notifications and acknowledges an empty set.

use super::ServerInner;
use crate::protocol::params::Params;
use crate::protocol::{RequestId, RpcError, encode};

/// Checks the notifications that a client requests.
///
/// # Errors
///
/// -32602 if `notifications` is missing or not an object.
pub(crate) fn check(params: &Params<'_>) -> Result<(), RpcError> {
    match params.notifications {
        Some(filter) if filter.get().starts_with('{') => Ok(()),
        _ => Err(RpcError::invalid_params(
            r#"Invalid params: "notifications" must be given, as an object that says what to hear of"#,
        )),
    }
}

/// Writes the first message of the subscription that the request `id` opens.
pub(crate) fn acknowledge(out: &mut Vec<u8>, id: &RequestId) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{},"_meta":{"io.modelcontextprotocol/subscriptionId":"#);
    id.write(out);
    out.extend_from_slice(b"}}}");
}

impl ServerInner {
    /// Writes the result that ends a subscription of the server's own accord.
    pub(crate) fn end_subscription(&self, out: &mut Vec<u8>, id: &RequestId) {
        encode::result(out, id, |out| {
            out.extend_from_slice(
                br#"{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":"#,
            );
            id.write(out);
            self.write_server_info(out);
            out.extend_from_slice(b"}}");
        });
    }
}
