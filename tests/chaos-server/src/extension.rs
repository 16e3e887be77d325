//! An extension of the protocol: a method, a notification in each direction, and a
//! middleware around every message.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use garde::Validate;
use mcp_kit::extension::{
    Message, MessageMiddleware, MessageNext, MessageReply, ProtocolExtension,
};
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use mcp_kit::{Error, async_trait};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Ticks {
    #[garde(range(min = 1, max = 100))]
    by: u64,
}

#[derive(Serialize)]
struct Total {
    total: u64,
}

#[derive(Clone, Default)]
struct Counter(Arc<AtomicU64>);

/// Adds to the counter, and notifies the client of it.
async fn count(
    ticks: Ticks,
    client: Client,
    State(counter): State<Counter>,
) -> Result<Json<Total>, Error> {
    let total = counter.0.fetch_add(ticks.by, Ordering::SeqCst) + ticks.by;
    client.notify("notifications/chaos/counted", json!({"total": total}))?;
    Ok(Json(Total { total }))
}

/// Adds to the counter; there is no answer.
async fn tick(ticks: Ticks, State(counter): State<Counter>) {
    counter.0.fetch_add(ticks.by, Ordering::SeqCst);
}

/// Counts 100 as 10, and marks every result.
struct Marks;

#[async_trait]
impl MessageMiddleware for Marks {
    async fn handle(
        &self,
        mut message: Message,
        next: MessageNext<'_>,
    ) -> Result<MessageReply, Error> {
        if message.method() == "chaos/count"
            && let Some(mut params) = message.read_params::<Value>()
            && params["by"] == 100
        {
            params["by"] = 10.into();
            message.set_params(&params)?;
        }
        let reply = next.run(message).await?;
        tokio::task::yield_now().await;
        let Some(mut result) = reply.to_value() else {
            return Ok(reply);
        };
        result["_meta"]["chaos/marked"] = true.into();
        MessageReply::from_result(result)
    }
}

pub(crate) fn register(server: ServerBuilder) -> ServerBuilder {
    let extension = ProtocolExtension::new("chaos.example/counter")
        .legacy()
        .method("chaos/count", count)
        .notification("notifications/chaos/tick", tick)
        .sends("notifications/chaos/counted")
        .message_layer(Marks);
    server.state(Counter::default()).extension(extension)
}
