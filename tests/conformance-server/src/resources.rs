//! Resources with each kind of content, and a template.

use garde::Validate;
use mcp_kit::prelude::*;
use mcp_kit::server::{ResourceUpdates, ServerBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::content::PIXEL;

pub(crate) fn register(server: ServerBuilder) -> ServerBuilder {
    server
        .resource::<static_text>()
        .resource::<static_binary>()
        .resource::<template_data>()
        .resource::<watched_resource>()
        .tool::<test_trigger_resource_update>()
}

/// A static text.
#[resource(uri = "test://static-text", mime_type = "text/plain")]
async fn static_text() -> &'static str {
    "This is the content of the static text resource."
}

/// A static image.
#[resource(uri = "test://static-binary", mime_type = "image/png")]
async fn static_binary() -> Vec<u8> {
    PIXEL.to_vec()
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct DataArgs {
    /// The identifier of the data.
    #[garde(length(chars, min = 1, max = 100))]
    id: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Data {
    id: String,
    template_test: bool,
    data: String,
}

/// The data with an identifier.
#[resource(uri = "test://template/{id}/data")]
async fn template_data(args: DataArgs) -> Json<Data> {
    Json(Data {
        data: format!("Data for ID: {}", args.id),
        id: args.id,
        template_test: true,
    })
}

/// The state that clients can watch.
#[resource(uri = "test://watched-resource", mime_type = "text/plain")]
async fn watched_resource() -> &'static str {
    "This is the content of the watched resource."
}

/// Notifies the clients that watch the resource.
#[tool(destructive = false, open_world = false)]
async fn test_trigger_resource_update(updates: ResourceUpdates) -> &'static str {
    updates.notify("test://watched-resource");
    "The clients that watch the resource were notified."
}
