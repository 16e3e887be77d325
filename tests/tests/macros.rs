//! What the macros pass to the framework, seen through the framework.

#![allow(clippy::expect_used, clippy::panic)]

use std::future::Future as _;

use garde::Validate;
use mcp_kit::__private::CompiledArgs;
use mcp_kit::__private::{Bound, Repr, Rule, Shape, Shaped, VariantKind};
use mcp_kit::primitive::Kind;
use mcp_kit::{Server, ToolArgs, tool};
use schemars::JsonSchema;
use serde::Deserialize;

const MOST: u64 = u64::MAX;
const NEAR: f32 = 0.5;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(rename_all = "camelCase")]
struct Args {
    #[garde(length(chars, min = 1, max = 5))]
    search_words: String,
    #[serde(alias = "limit")]
    #[garde(range(min = 1, max = MOST))]
    max_results: u64,
    #[garde(range(min = -0.5, max = NEAR))]
    near: f32,
    #[garde(range(min = -3))]
    below: i8,
    #[garde(dive)]
    word: Word,
    #[garde(dive)]
    name: Name,
    #[garde(dive)]
    order: Order,
}

/// garde's paths do not name this type's field.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[garde(transparent)]
struct Word(#[garde(length(chars, max = 3))] String);

/// serde does not name this type's field.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(transparent)]
struct Name {
    #[garde(length(chars, max = 3))]
    text: String,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(
    tag = "by",
    rename_all = "snake_case",
    rename_all_fields = "kebab-case"
)]
enum Order {
    MostRecent,
    NearTo {
        #[garde(range(max = 90.0))]
        lat_deg: f64,
    },
}

fn fields(shape: &Shape) -> &'static [mcp_kit::__private::FieldShape] {
    match shape {
        Shape::Struct(of) => of.fields,
        other => panic!("not a struct: {other:?}"),
    }
}

#[test]
fn names_are_those_on_the_wire() {
    let fields = fields(Args::shape());
    let names: Vec<_> = fields
        .iter()
        .map(|field| (field.rust, field.wire, field.aliases))
        .collect();
    assert_eq!(names[0], ("search_words", "searchWords", &[][..]));
    assert_eq!(names[1], ("max_results", "maxResults", &["limit"][..]));
}

#[test]
fn bounds_are_exact() {
    let bounds: Vec<_> = fields(Args::shape())
        .iter()
        .filter_map(|field| match field.rules {
            [Rule::Range { min, max }] => Some((*min, *max)),
            _ => None,
        })
        .collect();
    assert_eq!(
        bounds,
        [
            (Some(Bound::Int(1)), Some(Bound::Int(i128::from(u64::MAX)))),
            (Some(Bound::Float(-0.5)), Some(Bound::Float(0.5))),
            (Some(Bound::Int(-3)), None),
        ]
    );
}

#[test]
fn the_form_of_an_enum_is_known() {
    let Shape::Enum(of) = Order::shape() else {
        panic!("not an enum");
    };
    assert!(matches!(of.repr, Repr::Internal { tag: "by" }));
    let names: Vec<_> = of.variants.iter().map(|variant| variant.wire).collect();
    assert_eq!(names, ["most_recent", "near_to"]);
    let VariantKind::Struct([field]) = of.variants[1].kind else {
        panic!("not a struct");
    };
    assert_eq!(field.wire, "lat-deg");
}

#[test]
fn reports_find_the_rules_behind_transparent_types() {
    let compiled = CompiledArgs::of(&<Args as ToolArgs>::__spec()).expect("the types agree");
    let raw = r#"{"searchWords": "", "maxResults": 0, "near": 0.0, "below": 0,
        "word": "long", "name": "long", "order": {"by": "near_to", "lat-deg": 91.0}}"#;
    let violations = compiled
        .decode(Some(raw))
        .expect_err("five rules are broken")
        .to_string();
    for part in [
        "searchWords: must have at least 1 character",
        "maxResults: must be at least 1",
        "word: must have at most 3 characters",
        "name: must have at most 3 characters",
        "order.lat-deg: must be at most 90",
    ] {
        assert!(violations.contains(part), "{part}: {violations}");
    }
}

/// Adds two numbers.
#[tool(read_only)]
async fn add(args: Sum) -> i64 {
    args.a + args.b
}

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
#[garde(allow_unvalidated)]
struct Sum {
    a: i64,
    b: i64,
}

#[test]
fn a_tool_stays_a_function() {
    let future = std::pin::pin!(add(Sum { a: 1, b: 2 }));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert_eq!(future.poll(&mut context), std::task::Poll::Ready(3));
}

const LIMITED: &str = "Is limited.";

#[tool(
    name = concat!("limited", ".const"),
    title = LIMITED,
    description = LIMITED,
    timeout = std::time::Duration::from_millis(1_500),
    rate = "5/s",
    concurrency = 2,
    result_bytes = 4 * 1024
)]
async fn limited() {}

/// First line.
///
/// - an item
#[doc = concat!("  indented ", "by the text")]
#[tool(rate = mcp_kit::limits::Rate::per_hour(7))]
async fn described_in_pieces() {}

#[tool]
async fn described_inside() {
    //! Described inside.
}

#[test]
fn limits_and_constants_in_the_attribute_hold() {
    let server = Server::builder("limits", "1.0.0")
        .tool::<limited>()
        .tool::<described_in_pieces>()
        .tool_with::<described_inside>(|tool| tool.result_bytes(512))
        .build()
        .expect("nothing is wrong");
    let policies = server.policies(Kind::Tool);
    let info = policies[0].info();
    assert_eq!(info.name(), "limited.const");
    assert_eq!(info.title(), Some("Is limited."));
    assert_eq!(info.description(), "Is limited.");
    assert_eq!(policies[0].timeout().as_millis(), 1_500);
    assert_eq!(policies[0].result_bytes(), 4_096);
    let layers: Vec<_> = policies[0].layers().collect();
    for layer in ["RateLimit(5/s)", "ConcurrencyLimit(2)"] {
        assert!(layers.iter().any(|name| name == layer), "{layers:?}");
    }
    assert_eq!(
        policies[1].info().description(),
        "First line.\n\n- an item\n  indented by the text"
    );
    assert!(policies[1].layers().any(|name| name == "RateLimit(7/h)"));
    assert_eq!(policies[2].info().description(), "Described inside.");
    assert_eq!(policies[2].result_bytes(), 512);
}

#[test]
fn the_registration_overrides_the_attribute() {
    let server = Server::builder("limits", "1.0.0")
        .tool_with::<limited>(|tool| {
            tool.rate_limit(mcp_kit::limits::Rate::per_minute(9))
                .concurrency(7)
                .result_bytes(2_048)
        })
        .build()
        .expect("nothing is wrong");
    let policy = server
        .policies(Kind::Tool)
        .pop()
        .expect("there is one tool");
    let layers: Vec<_> = policy.layers().collect();
    for layer in ["RateLimit(9/min)", "ConcurrencyLimit(7)"] {
        assert!(layers.iter().any(|name| name == layer), "{layers:?}");
    }
    assert_eq!(policy.result_bytes(), 2_048);
}

#[tool(concurrency = NONE, result_bytes = TINY, timeout = std::time::Duration::ZERO)]
async fn never() {
    //! Never ends.
}

const NONE: usize = 0;
const TINY: usize = 5;

#[test]
fn constants_with_which_no_call_could_end_are_refused() {
    let error = Server::builder("limits", "1.0.0")
        .tool::<never>()
        .build()
        .expect_err("three limits are wrong")
        .to_string();
    for part in ["timeout is zero", "concurrency is 0", "result_bytes is 5"] {
        assert!(error.contains(part), "{error}");
    }
}

/// Names that the expansion could take for patterns, and a module without a
/// prelude whose names are other things.
#[allow(dead_code, non_camel_case_types, non_upper_case_globals)]
mod names_of_the_users_own {
    #![no_implicit_prelude]

    pub(super) struct call;
    pub(super) struct Box;
    pub(super) struct Option;
    pub(super) struct Result;
    pub(super) struct Send;
    pub(super) struct Call;
    pub(super) mod core {}
    pub(super) mod std {}
    pub(super) const spec: u8 = 1;
    pub(super) const p0: u8 = 1;

    /// Adds two numbers.
    #[::mcp_kit::tool(timeout = "5s", scope = "math", idempotent)]
    pub(super) async fn add(args: super::Sum, _base: ::mcp_kit::State<u8>) -> i64 {
        super::add(args).await
    }

    /// Adds two numbers on the blocking pool.
    #[::mcp_kit::tool(blocking)]
    pub(super) fn add_slowly(args: super::Sum) {
        let _ = args;
    }
}
