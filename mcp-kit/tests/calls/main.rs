//! What callers and operators notice of a call, in process through the whole
//! protocol: bounds, failures, the chain, a call's life, and `build()`.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod about;
mod arguments;
mod asking;
mod bounds;
mod building;
mod chain;
mod changes;
mod completion;
mod extensions;
mod failures;
mod from_code;
mod life;
mod log;
mod message_layers;
mod observers;
mod portable;
mod progress;
mod prompts;
mod registry;
mod resources;
mod rounds;
mod routers;
mod schema_fuzz;
mod structured;
mod task_start;
mod task_stores;
mod tasks;
#[cfg(all(
    feature = "chrono",
    feature = "rust_decimal",
    feature = "url",
    feature = "uuid"
))]
mod well_known;
mod writes;

use mcp_kit::testing::RequestError;
use serde_json::Value;

/// Returns the code, message and data of a protocol error.
#[track_caller]
fn protocol(error: RequestError) -> (i64, String, Value) {
    match error {
        RequestError::Protocol {
            code,
            message,
            data,
        } => (code, message, data.unwrap_or_default()),
        error => panic!("{error}"),
    }
}
