//! The tools that the official conformance suite calls, by the names that it
//! gives them: `cargo run -p chaos-server --bin conformance -- http`.

use std::process::ExitCode;
use std::time::Duration;

use mcp_kit::call::Call;
use mcp_kit::content::{Audio, Content, EmbeddedResource, Image, Text};
use mcp_kit::prelude::*;
use mcp_kit::server::BuildError;
use mcp_kit::tool::ToolDefinition;

/// A PNG of one pixel.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\x03\x01\x01\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82";
/// A WAV without samples.
const SILENCE: &[u8] =
    b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0\x80>\0\0\x02\0\x10\0data\0\0\0\0";

/// Returns a text.
#[tool]
async fn test_simple_text() -> &'static str {
    "This is a simple text response for testing."
}

/// Returns an image.
#[tool]
async fn test_image_content() -> Image {
    Image::new(PIXEL, "image/png")
}

/// Returns a sound.
#[tool]
async fn test_audio_content() -> Audio {
    Audio::new(SILENCE, "audio/wav")
}

/// Returns a resource within the result.
#[tool]
async fn test_embedded_resource() -> EmbeddedResource {
    EmbeddedResource::from_text(
        "test://embedded-resource",
        "This is an embedded resource content.",
    )
    .with_mime_type("text/plain")
}

/// Returns content of several kinds.
#[tool]
async fn test_multiple_content_types() -> ToolResult {
    ToolResult::new(vec![
        Content::Text(Text::new("Multiple content types test:")),
        Content::Image(Image::new(PIXEL, "image/png")),
        Content::EmbeddedResource(
            EmbeddedResource::from_text("test://mixed-content-resource", r#"{"test":"data"}"#)
                .with_mime_type("application/json"),
        ),
    ])
}

/// Fails.
#[tool]
async fn test_error_handling() -> Result<String, ToolError> {
    Err(ToolError::user(
        "This tool intentionally returns an error for testing",
    ))
}

/// Reports its progress three times.
#[tool]
async fn test_tool_with_progress(progress: Progress) -> &'static str {
    for done in [0.0, 50.0, 100.0] {
        progress.report(done, Some(100.0), None);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    "done"
}

/// A tool with an argument that clients repeat in a header.
fn with_header() -> ToolDefinition {
    let schema = r#"{
        "type": "object",
        "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "query": {"type": "string"}
        },
        "required": ["region"]
    }"#;
    ToolDefinition::new("test_custom_headers", "Returns its region.")
        .with_input_schema(serde_json::from_str(schema).unwrap_or_default())
}

fn build() -> Result<Server, BuildError> {
    let region = mcp_kit::tool::from_fn(with_header(), |call: Call| async move {
        Ok::<_, ToolError>(call.arguments()["region"].to_string())
    });
    Server::builder("conformance", "1.0.0")
        .tool::<test_simple_text>()
        .tool::<test_image_content>()
        .tool::<test_audio_content>()
        .tool::<test_embedded_resource>()
        .tool::<test_multiple_content_types>()
        .tool::<test_error_handling>()
        .tool::<test_tool_with_progress>()
        .add(region)
        .build()
}

fn main() -> ExitCode {
    mcp_kit::cli::run(build)
}
