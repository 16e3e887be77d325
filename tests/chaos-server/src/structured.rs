//! Tools with an output schema: one that keeps it and one that breaks it.

use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
pub(crate) struct SquareArgs {
    /// The number to square.
    #[garde(range(max = 100))]
    n: u32,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Square {
    /// The number.
    n: u32,
    /// Its square.
    square: u32,
}

/// Squares a number.
#[tool(read_only, idempotent)]
pub(crate) async fn structured(args: SquareArgs) -> Json<Square> {
    let n = args.n;
    Json(Square { n, square: n * n })
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Promise {
    /// A number, by the schema alone.
    #[serde(serialize_with = "as_text")]
    n: u32,
}

fn as_text<S: Serializer>(n: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("hunter2 has {n}"))
}

/// Returns something else than its output schema promises.
#[tool(read_only)]
pub(crate) async fn bad_structured() -> Json<Promise> {
    Json(Promise { n: 1 })
}
