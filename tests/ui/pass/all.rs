//! Everything that the macros take. No message is expected.
#![deny(warnings)]
#![allow(dead_code, unreachable_pub)]

use std::collections::{BTreeMap, HashMap};

use garde::Validate;
use mcp_kit::{Json, Server, State, ToolArgs, ToolError, tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const MOST: u8 = 10;
const LONGEST: usize = 500;

mod limits {
    pub const NEAR: f32 = 0.5;
    pub const FAR: u64 = u64::MAX;
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(rename_all = "camelCase")]
#[tool_args(rule = "from must not be after to")]
#[garde(custom(in_order))]
struct SearchArgs {
    /// What to search for.
    #[garde(length(chars, min = 1, max = LONGEST), custom(no_operators))]
    #[tool_args(rule = "must not contain search operators")]
    query: String,
    #[serde(default = "five")]
    #[garde(range(min = 1, max = MOST))]
    max_results: u8,
    #[garde(range(max = limits::NEAR))]
    near: f32,
    #[garde(range(min = 60 * 60, max = limits::FAR))]
    far: u64,
    #[garde(range(min = -1.5, max = 2.0 * 4.0))]
    between: Option<f64>,
    #[garde(range(max = 18_446_744_073_709_551_615_u64))]
    all: u64,
    #[garde(skip)]
    host: Option<std::net::IpAddr>,
    #[garde(length(min = 1, max = 3), inner(length(chars, max = 20), ascii))]
    tags: Vec<String>,
    #[garde(length(max = 80))]
    #[tool_args(rule = "must have at most 80 bytes")]
    note: Option<String>,
    #[serde(alias = "sort", alias = "by")]
    #[garde(dive)]
    order: Order,
    #[serde(flatten)]
    #[garde(dive)]
    paging: Page<Filter>,
    #[garde(skip)]
    #[tool_args(opaque)]
    #[serde(with = "seconds")]
    #[schemars(with = "u64")]
    since: std::time::Duration,
    #[serde(skip)]
    #[garde(skip)]
    cache: Option<std::sync::Arc<Unseen>>,
    #[garde(skip)]
    labels: BTreeMap<String, u8>,
    #[garde(skip)]
    more: HashMap<String, (u8, String)>,
    #[garde(skip)]
    r#type: Option<Kind>,
    #[garde(dive)]
    from: Day,
    #[garde(dive)]
    to: Day,
}

#[derive(Debug)]
struct Unseen;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Page<T: Validate<Context = ()>> {
    #[garde(dive)]
    filter: Option<T>,
    #[garde(range(min = 1))]
    page: u32,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Filter {
    #[garde(dive)]
    children: Vec<Filter>,
    #[garde(prefix("a"), suffix("b"), contains("c"), alphanumeric)]
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Day(#[garde(range(min = 1, max = 31))] u8);

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[garde(transparent)]
#[serde(transparent)]
struct Word {
    #[garde(length(chars, min = 1))]
    word: String,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Pair(#[garde(dive)] Word, #[garde(skip)] bool);

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(rename_all = "snake_case", rename_all_fields = "camelCase")]
enum Order {
    Newest,
    #[serde(rename = "near", alias = "close")]
    NearTo {
        #[garde(range(min = -90.0, max = 90.0))]
        lat_deg: f64,
        #[garde(skip)]
        r#in: String,
    },
    Words(#[garde(dive)] Pair),
    Two(#[garde(skip)] u8, #[garde(ip)] String),
    #[serde(skip)]
    Internal(#[garde(skip)] Hidden),
}

#[derive(Debug)]
struct Hidden;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(tag = "kind", content = "value")]
enum Kind {
    A(#[garde(skip)] u8),
    B {
        #[garde(required)]
        b: Option<u8>,
    },
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(untagged)]
enum Either {
    Number(#[garde(range(min = 1))] i64),
    Text(#[garde(length(chars, min = 1))] String),
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(try_from = "String")]
#[tool_args(opaque)]
struct Code {
    #[garde(skip)]
    code: String,
}

impl From<String> for Code {
    fn from(code: String) -> Self {
        Code { code }
    }
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(allow_unknown)]
#[garde(allow_unvalidated)]
struct Loose {
    either: Either,
    code: Code,
    any: serde_json_like::Any,
}

mod serde_json_like {
    pub type Any = std::collections::BTreeMap<String, f64>;
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Nothing {}

mod seconds {
    use serde::Deserialize as _;

    pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(
        from: D,
    ) -> Result<std::time::Duration, D::Error> {
        u64::deserialize(from).map(std::time::Duration::from_secs)
    }
}

fn five() -> u8 {
    5
}

fn no_operators(query: &str, _: &()) -> garde::Result {
    match query.contains('*') {
        true => Err(garde::Error::new("must not contain search operators")),
        false => Ok(()),
    }
}

fn in_order(args: &SearchArgs, _: &()) -> garde::Result {
    match args.from <= args.to {
        true => Ok(()),
        false => Err(garde::Error::new("from must not be after to")),
    }
}

#[derive(Serialize, JsonSchema)]
struct Found {
    count: usize,
}

type Alias = SearchArgs;
type Base = State<String>;
type Reply = Result<Json<Found>, ToolError>;

/// Searches the *web*.
///
/// - quickly
#[tool(
    name = "web.search-2",
    title = "Web search",
    read_only,
    destructive = false,
    idempotent = true,
    open_world,
    timeout = "1500ms",
    scope = "web:search",
)]
#[allow(clippy::unused_async)]
pub(crate) async fn search(State(base): Base, args: Alias, _: State<u8>) -> Reply {
    let n: usize = args.query.parse()?;
    let kept = (&args.max_results, &args.near, &args.far, &args.between, &args.all, &args.cache);
    let shown = format!("{base}{kept:?}{:?}", (&args.tags, &args.note, &args.order, &args.paging));
    let more = format!("{:?}", (&args.since, &args.labels, &args.host, &args.more, &args.r#type));
    Ok(Json(Found { count: n + shown.len() + more.len() }))
}

#[tool(description = "Takes nothing and says nothing.")]
async fn nothing() {}

/// Takes the loose.
#[tool(blocking)]
fn r#loop(Loose { either, code, any }: Loose) -> Option<String> {
    Some(format!("{either:?} {} {any:?}", code.code))
}

#[doc = concat!("Takes ", "no arguments.")]
#[doc = "And says so."]
#[tool]
async fn empty(_: Nothing) -> &'static str {
    "nothing"
}

#[cfg(any())]
/// Is not there.
#[tool]
async fn absent(_: Nothing, _: NotThere) -> String {}

/// Says hello by itself.
#[tool]
#[cfg(not(any()))]
async fn present() -> Result<(), ToolError> {
    Ok(())
}

mod inside {
    /// Is seen from outside.
    #[mcp_kit::tool]
    pub(super) async fn deep() -> String {
        String::new()
    }
}

const TITLE: &str = "Constants";

mod texts {
    pub const NAME: &str = "by.constants";
}

#[allow(non_upper_case_globals)]
const count: u32 = 3;

/// A limit that is named like what a macro might have.
#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Counted {
    #[garde(length(chars, max = count as usize))]
    text: String,
}

#[tool(
    name = texts::NAME,
    title = TITLE,
    description = concat!("Takes ", "constants."),
    scope = "constants",
    timeout = std::time::Duration::from_secs(5),
    rate = mcp_kit::limits::Rate::per_second(5),
    concurrency = MOST as usize,
    result_bytes = 64 * 1024
)]
async fn by_constants(args: Counted) -> String {
    args.text
}

#[tool(
    rate = "60/min",
    concurrency = 4,
    result_bytes = 65_536,
    allow(missing_effect_hint, missing_open_world_hint)
)]
pub async fn documented_inside() {
    //! Has its documentation inside.
}

fn main() {
    let _ = Server::builder("ui", "1.0.0")
        .state(String::new())
        .state(5_u8)
        .tool::<search>()
        .tool::<nothing>()
        .tool::<r#loop>()
        .tool::<empty>()
        .tool::<present>()
        .tool::<inside::deep>()
        .build();
    // The functions stay functions.
    drop(nothing());
    let _ = r#loop;
}
