//! Arguments as hosts send them, through the whole protocol: what the tool gets,
//! what middlewares see, what the log says.

use std::sync::{Arc, Mutex};

use mcp_kit::call::{Call, Reply};
use mcp_kit::middleware::{Middleware, Next};
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::TestClient;
use mcp_kit::tool::ToolDefinition;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::log::Log;

#[derive(Deserialize, JsonSchema, garde::Validate, ToolArgs)]
#[serde(rename_all = "camelCase")]
struct Find {
    /// What to find.
    #[garde(length(chars, min = 1))]
    query: String,
    /// How many to find.
    #[serde(default = "five")]
    #[garde(range(min = 1, max = 10))]
    max_results: u8,
    /// Only those with one of these tags.
    #[garde(length(max = 3))]
    #[serde(default)]
    tags: Vec<String>,
}

fn five() -> u8 {
    5
}

/// Finds.
#[tool]
async fn find(args: Find) -> String {
    format!("{} {} {:?}", args.query, args.max_results, args.tags)
}

/// Takes nothing.
#[tool]
async fn nothing() -> &'static str {
    "nothing"
}

fn builder() -> ServerBuilder {
    let definition =
        ToolDefinition::new("echo", "Repeats its arguments.").with_input_schema(json!({
            "properties": { "n": { "type": "integer" }, "on": { "type": "boolean" } },
        }));
    let echo = mcp_kit::tool::from_fn(definition, |call: Call| async move {
        let arguments = Value::Object(call.arguments().clone());
        Ok::<_, ToolError>(format!("{arguments} {}", call.raw_arguments()))
    });
    Server::builder("test", "1")
        .tool::<find>()
        .tool::<nothing>()
        .add(echo)
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

#[mcp_kit::async_trait]
impl Middleware for Seen {
    async fn handle(&self, call: Call, next: Next<'_>) -> Result<Reply, ToolError> {
        self.0.lock().unwrap().push(call.raw_arguments().to_owned());
        next.run(call).await
    }
}

#[tokio::test]
async fn arguments_are_normalised_and_the_log_says_how_many() {
    let seen = Seen::default();
    let server = builder()
        .layer(seen.clone())
        .layer_after_validation(seen.clone())
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let log = Log::capture();
    let sent = json!({"query": "5", "maxResults": "2.0", "tags": "[\"a\"]"});
    let result = client.call("find", sent.clone()).await;
    assert_eq!(result.text(), r#"5 2 ["a"]"#);
    let line = log.call("find");
    assert_eq!(line.get("normalised"), "3");
    assert_eq!(line.get("arguments"), "maxResults,query,tags");
    assert_eq!(line.get("outcome"), "ok");
    assert_eq!(
        std::mem::take(&mut *seen.0.lock().unwrap()),
        [
            sent.to_string(),
            r#"{"maxResults":2,"query":"5","tags":["a"]}"#.to_owned()
        ]
    );

    let result = client.call(
        "find",
        json!({"query": "a", "maxResults": null, "tags": null}),
    );
    assert_eq!(result.await.text(), "a 5 []");
    let result = client.call("echo", json!({"n": 42.0, "on": "true"})).await;
    assert_eq!(result.text(), r#"{"n":42,"on":true} {"n":42,"on":true}"#);

    // Nothing was rewritten, or nothing came of it.
    for sent in [
        json!({"query": "a"}),
        json!({"query": "a", "maxResults": "11"}),
    ] {
        client.call("find", sent).await;
    }
    let counts: Vec<_> = log
        .calls("find")
        .iter()
        .map(|line| line.get("normalised").to_owned())
        .collect();
    assert_eq!(counts, ["3", "2", "", ""]);
}

#[derive(Debug, Deserialize, JsonSchema, garde::Validate, ToolArgs)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Shape {
    Circle {
        /// The radius.
        #[garde(range(min = 1))]
        r: u32,
    },
    Square {
        /// The length of a side.
        #[garde(range(min = 1))]
        side: u32,
    },
}

#[derive(Deserialize, JsonSchema, garde::Validate, ToolArgs)]
struct Draw {
    /// What to draw.
    #[garde(dive)]
    shape: Shape,
}

/// Draws a shape.
#[tool]
async fn draw(args: Draw) -> String {
    format!("{:?}", args.shape)
}

#[tokio::test]
async fn null_of_another_variant_counts_as_absent_in_a_field() {
    let server = Server::builder("test", "1").tool::<draw>();
    let client = TestClient::new(&server.build().unwrap()).await;
    let circle = json!({"shape": {"kind": "circle", "r": 1, "side": null}});
    assert_eq!(client.call("draw", circle).await.text(), "Circle { r: 1 }");
    let both = json!({"shape": {"kind": "circle", "r": 1, "side": 2}});
    assert_eq!(
        client.call("draw", both).await.text(),
        "Invalid arguments: shape: unknown argument \"side\""
    );
}

#[tokio::test]
async fn a_server_or_a_tool_may_be_strict() {
    let servers = [
        builder().strict_arguments(),
        Server::builder("test", "1").tool_with::<find>(|tool| tool.strict_arguments()),
    ];
    for server in servers {
        let server = server.build().unwrap();
        let client = TestClient::new(&server).await;
        let result = client
            .call("find", json!({"query": "a", "maxResults": "2"}))
            .await;
        assert_eq!(
            result.text(),
            "Invalid arguments: maxResults: must be a whole number"
        );
        // JSON Schema calls it an integer.
        let result = client
            .call("find", json!({"query": "a", "maxResults": 2.0}))
            .await;
        assert_eq!(result.text(), "a 2 []");
    }
}

#[tokio::test]
async fn a_hosts_own_arguments_are_ignored_by_name() {
    let server = builder()
        .ignore_arguments(["toolCallId"])
        .ignore_arguments(["wait_for_previous", "query"])
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let log = Log::capture();
    let extra = json!({"toolCallId": "call_1", "wait_for_previous": true});
    assert_eq!(client.call("nothing", extra).await.text(), "nothing");
    let line = log.call("nothing");
    assert_eq!(
        (line.get("unknown_arguments"), line.get("normalised")),
        ("", "")
    );
    let result = client
        .call("find", json!({"query": "a", "toolCallId": "call_1"}))
        .await;
    assert_eq!(result.text(), "a 5 []");
    let result = client
        .call("echo", json!({"n": 1, "toolCallId": "call_1"}))
        .await;
    assert_eq!(result.text(), r#"{"n":1} {"n":1}"#);
    let result = client
        .call("nothing", json!({"toolCallID": "call_1"}))
        .await;
    assert!(result.text().contains(r#"unknown argument "toolCallID""#));
}
