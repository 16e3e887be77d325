//! Tools that return each kind of content, fail, or report progress.

use std::time::Duration;

use garde::Validate;
use mcp_kit::content::{Audio, EmbeddedResource, Image, Text};
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::content::{PIXEL, SILENCE};

pub(crate) fn register(server: ServerBuilder) -> ServerBuilder {
    server
        .tool::<test_simple_text>()
        .tool::<test_image_content>()
        .tool::<test_audio_content>()
        .tool::<test_embedded_resource>()
        .tool::<test_multiple_content_types>()
        .tool::<test_error_handling>()
        .tool::<test_tool_with_progress>()
        .tool::<greet>()
}

/// Returns a text.
#[tool(read_only, open_world = false)]
async fn test_simple_text() -> &'static str {
    "This is a simple text response for testing."
}

/// Returns an image.
#[tool(read_only, open_world = false)]
async fn test_image_content() -> Image {
    Image::new(PIXEL, "image/png")
}

/// Returns audio.
#[tool(read_only, open_world = false)]
async fn test_audio_content() -> Audio {
    Audio::new(SILENCE, "audio/wav")
}

/// Returns a resource within the result.
#[tool(read_only, open_world = false)]
async fn test_embedded_resource() -> EmbeddedResource {
    EmbeddedResource::from_text(
        "test://embedded-resource",
        "This is an embedded resource content.",
    )
    .with_mime_type("text/plain")
}

/// Returns a text, an image and a resource.
#[tool(read_only, open_world = false)]
async fn test_multiple_content_types() -> ToolResult {
    let resource = EmbeddedResource::from_text(
        "test://mixed-content-resource",
        r#"{"test":"data","value":123}"#,
    );
    ToolResult::new(vec![
        Content::Text(Text::new("Multiple content types test:")),
        Content::Image(Image::new(PIXEL, "image/png")),
        Content::EmbeddedResource(resource.with_mime_type("application/json")),
    ])
}

/// Fails with a message for the model.
#[tool(read_only, open_world = false)]
async fn test_error_handling() -> Result<String, ToolError> {
    Err(ToolError::user(
        "This tool intentionally returns an error for testing",
    ))
}

/// Reports its progress three times, 50 ms apart.
#[tool(read_only, open_world = false)]
async fn test_tool_with_progress(progress: Progress) -> &'static str {
    for done in [0.0, 50.0, 100.0] {
        progress.report(done, Some(100.0), None);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    "All three progress reports were sent."
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct GreetArgs {
    /// The name of the person to greet.
    #[garde(length(chars, min = 1, max = 100))]
    name: String,
}

/// Greets a person by name.
#[tool(read_only, open_world = false)]
async fn greet(args: GreetArgs) -> String {
    format!("Hello, {}!", args.name)
}
