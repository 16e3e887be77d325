//! `subscriptions/listen` (2026-07-28): a stream on which a client hears what
//! changes.
//!
//! This server's lists never change, so it honours none of what is asked for
//! and says so. The stream lasts until the client leaves or the server drains.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::exchange::Exchange;
use crate::protocol::params::Params;
use crate::protocol::{RequestId, RpcError, encode};
use crate::server::ServerInner;

/// A subscription that is open until this is dropped.
pub(super) struct Subscription(JoinHandle<()>);

impl Drop for Subscription {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Checks what a client wants to hear of.
pub(super) fn check(params: &Params<'_>) -> Result<(), RpcError> {
    match params.notifications {
        Some(filter) if filter.get().starts_with('{') => Ok(()),
        _ => Err(RpcError::invalid_params(
            r#"Invalid params: "notifications" must be given, as an object that says what to hear of"#,
        )),
    }
}

/// Opens the stream.
pub(super) fn open(
    server: &Arc<ServerInner>,
    id: RequestId,
    exchange: Arc<Exchange>,
) -> Subscription {
    let mut json = br#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{},"_meta":{"io.modelcontextprotocol/subscriptionId":"#.to_vec();
    id.write(&mut json);
    json.extend_from_slice(b"}}}");
    exchange.event(&json);
    let server = Arc::clone(server);
    Subscription(tokio::spawn(async move {
        server.drain.started().await;
        let mut json = Vec::new();
        encode::result(&mut json, &id, |out| {
            out.extend_from_slice(
                br#"{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":"#,
            );
            id.write(out);
            server.write_server_info(out);
            out.extend_from_slice(b"}}");
        });
        exchange.answer(json, None);
    }))
}
