//! Schemas as a client lists them: what is published in a form that every host
//! accepts, what is warned of, and that calls are checked as declared.

use std::collections::{BTreeMap, BTreeSet};

use garde::Validate;
use mcp_kit::call::Call;
use mcp_kit::prelude::*;
use mcp_kit::registry::{Warning, WarningCode};
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::{TestClient, assert_portable};
use mcp_kit::tool::{ToolDefinition, from_fn};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

fn builder() -> ServerBuilder {
    Server::builder("test", "1").default_hints(|hints| {
        hints.read_only = Some(true);
        hints.open_world = Some(false);
    })
}

/// A tool known only at run time, with this input schema.
fn run_time(schema: Value) -> ServerBuilder {
    let definition = ToolDefinition::new("tool", "Answers with its arguments.");
    let echo = |call: Call| async move { Json(Value::from(call.arguments().clone())) };
    builder().add(from_fn(definition.with_input_schema(schema), echo))
}

async fn listed(server: &Server) -> Value {
    let client = TestClient::modern(server).await;
    let list = client.request("tools/list", json!({})).await.unwrap();
    list["tools"][0].clone()
}

fn codes(server: &Server) -> Vec<(WarningCode, String)> {
    let of = |warning: &Warning| (warning.code(), warning.to_string());
    server.warnings().iter().map(of).collect()
}

/// What to do with a ticket.
#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(tag = "action", rename_all = "snake_case")]
enum TicketArgs {
    /// Opens a ticket.
    Open {
        /// What it is about.
        #[garde(length(chars, min = 1))]
        title: String,
        /// How urgent it is.
        #[garde(skip)]
        urgency: Option<u8>,
    },
    /// Closes a ticket.
    Close {
        /// Which ticket.
        #[garde(skip)]
        id: u64,
    },
    List,
}

/// Opens, closes and lists tickets.
#[tool]
async fn ticket(args: TicketArgs) -> String {
    match args {
        TicketArgs::Open { title, urgency } => format!("{title} {urgency:?}"),
        TicketArgs::Close { id } => format!("closed {id}"),
        TicketArgs::List => "none".to_owned(),
    }
}

#[tokio::test]
async fn an_enum_as_arguments_is_listed_as_one_object_and_checked_as_an_enum() {
    let server = builder().tool::<ticket>().build().unwrap();
    assert_eq!(
        listed(&server).await["inputSchema"],
        json!({
            "type": "object",
            "description": "What to do with a ticket.",
            "additionalProperties": false,
            "required": ["action"],
            "properties": {
                "action": {
                    "type": "string",
                    "enum": ["open", "close", "list"],
                    "description": "- \"open\": Opens a ticket. Needs title; takes urgency.\n\
                                    - \"close\": Closes a ticket. Needs id.\n\
                                    - \"list\": No further arguments."
                },
                "title": {"type": "string", "minLength": 1, "description": "What it is about."},
                "urgency": {
                    "type": "integer", "minimum": 0, "maximum": 255,
                    "description": "How urgent it is."
                },
                "id": {"type": "integer", "minimum": 0, "description": "Which ticket."}
            }
        })
    );
    assert_eq!(codes(&server), []);
    let client = TestClient::new(&server).await;
    for (arguments, text) in [
        (
            json!({"action": "open", "title": "a", "urgency": null}),
            "a None",
        ),
        (
            json!({"action": "close", "id": u64::MAX}),
            "closed 18446744073709551615",
        ),
        (json!({"action": "list"}), "none"),
        (
            json!({"action": "close"}),
            "Invalid arguments: id: is required",
        ),
        (
            json!({"action": "list", "id": 1}),
            "Invalid arguments: unknown argument \"id\"",
        ),
    ] {
        assert_eq!(client.call("ticket", arguments).await.text(), text);
    }
}

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
#[garde(allow_unvalidated)]
struct AwkwardArgs {
    /// Where, and how it is called.
    place: (f64, String),
    /// Two numbers alike.
    point: (f64, f64),
    /// Which ones.
    tags: BTreeSet<String>,
    /// From which day on.
    #[serde(rename = "from date")]
    from: Option<String>,
    /// By name.
    more: BTreeMap<String, Vec<(u8, bool)>>,
}

/// Takes what some hosts refuse.
#[tool]
async fn awkward(args: AwkwardArgs) -> String {
    format!(
        "{:?}",
        (args.place, args.point, args.tags, args.from, args.more)
    )
}

#[test]
fn what_some_hosts_refuse_is_warned_of_with_the_hosts() {
    let server = builder().tool::<awkward>().build().unwrap();
    let found = codes(&server);
    let [names, tuples, sets] = found.as_slice() else {
        panic!("{found:#?}");
    };
    assert_eq!(names.0, WarningCode::ArgumentName);
    assert!(
        names.1.contains("\"from date\"") && names.1.contains("Anthropic"),
        "{names:?}"
    );
    assert_eq!(tuples.0, WarningCode::MixedTuple);
    assert!(
        tuples.1.contains("\"more[…][]\", \"place\"") && tuples.1.contains("Gemini"),
        "{tuples:?}"
    );
    assert_eq!(sets.0, WarningCode::UniqueItems);
    assert!(
        sets.1.ends_with("(unique-items)") && sets.1.contains("OpenAI"),
        "{sets:?}"
    );
}

#[test]
fn a_choice_at_the_root_that_is_no_choice_of_objects_is_warned_of() {
    let schema = json!({
        "type": "object",
        "properties": {"a": {"type": "string", "description": "A."}},
        "allOf": [{"required": ["a"]}]
    });
    let found = codes(&run_time(schema).build().unwrap());
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].0, WarningCode::RootChoice);
    assert!(found[0].1.contains("`allOf`"), "{found:?}");
}

#[test]
#[should_panic(expected = "has a name outside ^[A-Za-z0-9_.-]{1,64}$")]
fn assert_portable_lists_what_hosts_refuse() {
    assert_portable(&builder().tool::<awkward>().build().unwrap());
}

#[test]
fn what_is_accepted_is_not_warned_of() {
    let server = builder()
        .accept_warning(WarningCode::UniqueItems)
        .accept_warning(WarningCode::LongTimeout)
        .tool_with::<awkward>(|tool| {
            tool.accept_warning(WarningCode::ArgumentName)
                .accept_warning(WarningCode::MixedTuple)
        })
        .build()
        .unwrap();
    assert_eq!(codes(&server), []);
    assert_portable(&server);
    // One tool's acceptance is not another's.
    let server = builder()
        .tool_with::<ticket>(|tool| tool.accept_warning(WarningCode::UniqueItems))
        .tool::<awkward>()
        .build()
        .unwrap();
    assert_eq!(codes(&server).len(), 3);
}

/// Rebuilds the index of the shop.
#[tool(
    open_world = false,
    destructive = false,
    timeout = "5m",
    allow(long_timeout, large_number)
)]
async fn rebuild() -> String {
    String::new()
}

/// Exports the index of the shop.
#[tool(open_world = false, destructive = false, timeout = "5m")]
async fn export() -> String {
    String::new()
}

#[test]
fn attribute_accepts_a_warning_for_its_tool_alone() {
    let server = builder().tool::<rebuild>().build().unwrap();
    assert_eq!(codes(&server), []);
    let server = builder()
        .tool::<rebuild>()
        .tool::<export>()
        .build()
        .unwrap();
    let found = codes(&server);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, WarningCode::LongTimeout);
    assert!(found[0].1.contains("\"export\""), "{found:?}");
}

/// Removes a ticket.
#[tool(destructive, idempotent)]
async fn remove() {}

/// Searches the web.
#[tool(open_world)]
async fn search() {}

#[tokio::test]
async fn default_hints_are_listed_where_a_tool_has_none_of_its_own() {
    let server = builder().tool::<remove>().tool::<search>().build().unwrap();
    let client = TestClient::modern(&server).await;
    let list = client.request("tools/list", json!({})).await.unwrap();
    assert_eq!(
        list["tools"][0]["annotations"],
        json!({"destructiveHint": true, "idempotentHint": true, "openWorldHint": false})
    );
    assert_eq!(
        list["tools"][1]["annotations"],
        json!({"readOnlyHint": true, "openWorldHint": true})
    );
    assert_eq!(codes(&server), []);
}

#[tokio::test]
async fn a_run_time_schema_is_narrowed_and_checked_as_given() {
    let server = run_time(json!({
        "type": "object",
        "properties": {
            "id": {"type": "integer", "format": "int64", "maximum": 1_u64 << 60},
            "any": true,
            "none": false,
            "note": {"type": ["string", "null"], "description": "A note."},
            "mode": {"oneOf": [
                {"const": "fast", "description": "Goes fast."},
                {"const": "slow", "description": "Takes its time."},
                {"type": "null"}
            ]},
            "list": {"type": "array"},
            "pair": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}], "items": false},
            "place": {"$ref": "#/$defs/place", "description": "Where."},
            "tree": {"$ref": "#/$defs/tree"}
        },
        "required": ["id"],
        "additionalProperties": false,
        "$defs": {
            "place": {"type": "object", "properties": {"city": {"type": "string"}}},
            "tree": {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}},
            "unused": {"type": "string"}
        }
    }))
    .build()
    .unwrap();
    let schema = &listed(&server).await["inputSchema"];
    let of = |name: &str| schema["properties"][name].clone();
    assert_eq!(
        of("id"),
        json!({"type": "integer", "description": "Must be at most 1152921504606846976."})
    );
    assert_eq!((of("any"), of("none")), (json!({}), json!({"not": {}})));
    assert_eq!(
        of("note"),
        json!({"type": "string", "description": "A note."})
    );
    assert_eq!(
        of("mode"),
        json!({
            "type": "string", "enum": ["fast", "slow"],
            "description": "- \"fast\": Goes fast.\n- \"slow\": Takes its time."
        })
    );
    assert_eq!(of("list"), json!({"type": "array", "items": {}}));
    assert_eq!(
        of("pair"),
        json!({
            "type": "array", "maxItems": 2, "items": {"type": "number"},
            "prefixItems": [{"type": "number"}, {"type": "number"}]
        })
    );
    assert_eq!(
        of("place"),
        json!({"type": "object", "description": "Where.", "properties": {"city": {"type": "string"}}})
    );
    assert_eq!(of("tree"), json!({"$ref": "#/$defs/tree"}));
    assert_eq!(schema["$defs"].as_object().unwrap().len(), 1);

    let client = TestClient::new(&server).await;
    let call = |arguments: Value| client.call("tool", arguments);
    let text = call(json!({"id": (1_u64 << 60) + 1}))
        .await
        .text()
        .to_owned();
    assert_eq!(
        text,
        "Invalid arguments: id: must be at most 1152921504606846976"
    );
    assert!(
        !call(json!({"id": 1_u64 << 60, "note": null, "mode": null}))
            .await
            .is_error()
    );
    assert!(call(json!({"id": 1, "pair": [1, 2, 3]})).await.is_error());
    assert!(
        !call(json!({"id": 1, "tree": {"kids": [{"kids": []}]}}))
            .await
            .is_error()
    );
}

#[derive(Serialize, JsonSchema)]
struct Found {
    raw: Value,
    count: u64,
    note: Option<String>,
}

/// Answers with anything.
#[tool]
async fn anything() -> Json<Found> {
    Json(Found {
        raw: json!([1]),
        count: u64::MAX,
        note: None,
    })
}

/// Lists everything there is.
#[tool]
async fn everything() -> Json<Vec<Found>> {
    Json(Vec::new())
}

#[tokio::test]
async fn output_schemas_are_portable_and_keep_their_null() {
    let server = builder().tool::<anything>().build().unwrap();
    assert_eq!(
        listed(&server).await["outputSchema"],
        json!({
            "type": "object",
            "required": ["raw", "count", "note"],
            "properties": {
                "raw": {},
                "count": {"type": "integer", "minimum": 0},
                "note": {"type": ["string", "null"]}
            }
        })
    );
    let definition = ToolDefinition::new("tool", "Answers with anything.").with_output_schema(
        json!({"type": "object", "properties": {"raw": true, "n": {"maximum": u64::MAX}}}),
    );
    let tool = from_fn(definition, |_: Call| async { Json(json!({"raw": 1})) });
    let server = builder().add(tool).build().unwrap();
    assert_eq!(
        listed(&server).await["outputSchema"],
        json!({"type": "object", "properties": {"raw": {}, "n": {}}})
    );
}

#[test]
fn a_result_without_object_is_warned_of() {
    let found = codes(&builder().tool::<everything>().build().unwrap());
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].0, WarningCode::ResultWithoutObject);
}

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct EndlessArgs {
    /// How much.
    #[garde(range(max = f64::INFINITY))]
    much: f64,
}

/// Has a limit that is none.
#[tool]
async fn endless(args: EndlessArgs) -> String {
    args.much.to_string()
}

#[test]
fn a_limit_that_is_not_finite_is_a_build_error() {
    let output = json!({"type": "object", "properties": {"n": {"maximum": f64::NAN}}});
    let definition = ToolDefinition::new("other", "Answers.").with_output_schema(output);
    let error = builder()
        .tool::<endless>()
        .add(from_fn(definition, |_: Call| async { "x" }))
        .build()
        .unwrap_err();
    let [input, output] = error.problems() else {
        panic!("{error}");
    };
    assert!(
        input.contains("`EndlessArgs.much`") && input.contains("finite"),
        "{input}"
    );
    assert!(
        output.contains("\"other\": output schema: #/properties/n: `maximum` has to be a number"),
        "{output}"
    );
}

/// What to draw.
#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(rename_all = "snake_case")]
enum DrawArgs {
    /// With this radius.
    Circle(#[garde(skip)] u8),
    Square(#[garde(skip)] u8),
}

/// Draws a shape.
#[tool]
async fn draw(args: DrawArgs) -> String {
    match args {
        DrawArgs::Circle(radius) => format!("circle {radius}"),
        DrawArgs::Square(side) => format!("square {side}"),
    }
}

#[tokio::test]
async fn a_choice_by_one_member_may_document_some_of_its_variants() {
    let server = builder().tool::<draw>().build().unwrap();
    assert_portable(&server);
    let schema = &listed(&server).await["inputSchema"];
    let words = schema["description"].as_str().unwrap();
    assert!(words.contains("\"circle\": With this radius."), "{words}");
    assert!(words.lines().any(|line| line == "- \"square\""), "{words}");
}

#[tokio::test]
async fn a_choice_without_alternatives_does_not_end_the_build_with_a_panic() {
    for keyword in ["oneOf", "anyOf", "allOf"] {
        for nested in [false, true] {
            let empty = json!({"type": "object", keyword: []});
            let schema = if nested {
                json!({"type": "object", "anyOf": [empty], "properties": {"a": empty}})
            } else {
                empty
            };
            // An error or a server, by what the standard says of the schema.
            let _ = run_time(schema).build();
        }
    }
}
