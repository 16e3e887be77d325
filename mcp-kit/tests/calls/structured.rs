//! Structured results keep what their output schema promises; one that does not
//! is an internal error, and the log says where.

use mcp_kit::call::Call;
use mcp_kit::prelude::*;
use mcp_kit::testing::TestClient;
use mcp_kit::tool;
use mcp_kit::tool::{ToolDefinition, ToolResult};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::log::Log;

#[derive(Serialize, JsonSchema)]
struct Ratio {
    ratio: f64,
    note: Option<f32>,
}

/// Divides nothing by nothing.
#[tool]
async fn nothing_by_nothing() -> Json<Ratio> {
    Json(Ratio {
        ratio: f64::NAN,
        note: None,
    })
}

/// Has no end, where there may be nothing.
#[tool]
async fn no_end() -> Json<Ratio> {
    Json(Ratio {
        ratio: 1.0,
        note: Some(f32::INFINITY),
    })
}

/// Divides one by two.
#[tool]
async fn half() -> Json<Ratio> {
    Json(Ratio {
        ratio: 0.5,
        note: None,
    })
}

#[derive(Serialize, JsonSchema)]
struct Order {
    #[serde(serialize_with = "as_text")]
    amount: u32,
}

fn as_text<S: Serializer>(_: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("hunter2")
}

/// Writes something else than its schema says.
#[tool]
async fn lies() -> Json<Order> {
    Json(Order { amount: 1 })
}

/// A tool known at run time whose schema says `n`, and which answers with what
/// it is given.
fn echo() -> impl tool::Tool {
    let definition = ToolDefinition::new("echo", "Answers with what it is given.")
        .with_input_schema(json!({ "type": "object", "additionalProperties": true }))
        .with_output_schema(json!({
            "type": "object",
            "properties": { "n": { "type": "integer", "maximum": 10 } },
            "required": ["n"],
        }));
    tool::from_fn(definition, async |call: Call| {
        let arguments = call.arguments();
        Ok::<_, ToolError>(if arguments.contains_key("failure") {
            ToolResult::text("It failed.").into_failure()
        } else if arguments.is_empty() {
            ToolResult::text("no structure")
        } else {
            ToolResult::structured(arguments)?
        })
    })
}

fn server() -> Server {
    Server::builder("test", "1")
        .tool::<nothing_by_nothing>()
        .tool::<no_end>()
        .tool::<half>()
        .tool::<lies>()
        .add(echo())
        .build()
        .unwrap()
}

async fn is_masked(client: &TestClient, log: &Log, tool: &str, arguments: Value, said: &str) {
    let before = log.calls(tool).len();
    let result = client.call(tool, arguments).await;
    assert!(result.is_error(), "{tool}: {}", result.text());
    assert!(result.structured().is_none(), "{tool}");
    let text = result.text();
    assert!(text.starts_with("An internal error occurred"), "{text}");
    let lines = log.calls(tool);
    assert_eq!(lines.len(), before + 1, "{lines:?}");
    let line = lines.last().unwrap();
    assert_eq!(line.get("outcome"), "internal_error");
    assert!(text.contains(line.get("reference")), "{text}");
    assert!(line.get("error").contains(said), "{line:?}");
    assert!(!line.get("error").contains("hunter2"), "{line:?}");
}

#[tokio::test]
async fn numbers_that_json_cannot_hold_are_internal_errors() {
    let log = Log::capture();
    for client in [
        TestClient::new(&server()).await,
        TestClient::modern(&server()).await,
    ] {
        for tool in ["nothing_by_nothing", "no_end"] {
            is_masked(&client, &log, tool, json!({}), "NaN or infinite").await;
        }
        let half = client.call("half", json!({})).await;
        let expected = json!({ "ratio": 0.5, "note": null });
        assert_eq!(half.structured(), Some(&expected));
    }
}

#[tokio::test]
async fn a_result_that_breaks_its_schema_is_an_internal_error() {
    let log = Log::capture();
    let client = TestClient::new(&server()).await;
    let lies = "amount: must be a whole number";
    is_masked(&client, &log, "lies", json!({}), lies).await;
    for (arguments, said) in [
        (json!({ "n": "hunter2" }), "n: must be a whole number"),
        (json!({ "n": 11 }), "n: must be at most 10"),
        (json!({ "m": "hunter2" }), "n: is required"),
        (json!({}), "no structured content"),
    ] {
        is_masked(&client, &log, "echo", arguments, said).await;
    }
    let right = client.call("echo", json!({ "n": 10, "more": true })).await;
    let expected = json!({ "n": 10, "more": true });
    assert_eq!(right.structured(), Some(&expected), "{}", right.text());
    // A failure of the tool's own promises nothing.
    let failure = client.call("echo", json!({ "failure": 1 })).await;
    assert_eq!(failure.text(), "It failed.");
}

#[test]
fn an_output_schema_that_nothing_checks_is_an_error_of_build() {
    let definition = ToolDefinition::new("odd", "Has an odd schema.").with_output_schema(
        json!({ "type": "object", "properties": { "a": { "type": "strin" } } }),
    );
    let odd = tool::from_fn(definition, async |_| Ok::<_, ToolError>(""));
    let error = Server::builder("test", "1").add(odd).build();
    let text = error.unwrap_err().to_string();
    assert!(
        text.contains("output schema: #/properties/a: `type`"),
        "{text}"
    );
}

/// What the client's list says is what is checked: all of 2020-12.
#[cfg(feature = "json-schema")]
#[tokio::test]
async fn the_whole_standard_holds_for_results_too() {
    let log = Log::capture();
    let definition = ToolDefinition::new("order", "Orders.")
        .with_input_schema(json!({ "type": "object", "additionalProperties": true }))
        .with_output_schema(json!({
            "type": "object",
            "if": { "properties": { "state": { "const": "paid" } }, "required": ["state"] },
            "then": { "required": ["receipt"] },
        }));
    let order = tool::from_fn(definition, async |call: Call| {
        ToolResult::structured(call.arguments())
    });
    let server = Server::builder("test", "1").add(order).build();
    let client = TestClient::modern(&server.unwrap()).await;
    let right = client.call("order", json!({ "state": "open" })).await;
    assert!(!right.is_error(), "{}", right.text());
    let paid = json!({ "state": "paid" });
    is_masked(&client, &log, "order", paid, "receipt: is required").await;
}
