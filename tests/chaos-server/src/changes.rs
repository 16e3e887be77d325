//! What changes while the server runs: a counter that can be watched, and tools
//! that come and go.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use garde::Validate;
use mcp_kit::call::Call;
use mcp_kit::prelude::*;
use mcp_kit::primitive::Kind;
use mcp_kit::server::{ResourceUpdates, ServerBuilder};
use mcp_kit::tool::{Tool, ToolDefinition, from_fn};
use schemars::JsonSchema;
use serde::Deserialize;

/// Adds the counter, the tools that change something, and `more` tools whose
/// only use is that there are many.
pub(crate) fn register(server: ServerBuilder, more: usize) -> ServerBuilder {
    let server = server
        .state(Counter::default())
        .state(Added::default())
        .resource::<counter>()
        .tool::<bump>()
        .tool::<add_tool>()
        .tool::<remove_tool>();
    let names = (1..=more).map(|number| format!("extra_{number:04}"));
    names.fold(server, |server, name| server.add(says(name)))
}

#[derive(Clone, Default)]
struct Counter(Arc<AtomicU64>);

/// The names of the tools that `add_tool` has added.
#[derive(Clone, Default)]
struct Added(Arc<Mutex<HashSet<String>>>);

/// Counts the calls of the tool `bump`.
#[resource(uri = "watched://counter")]
async fn counter(State(counter): State<Counter>) -> String {
    counter.0.load(Ordering::SeqCst).to_string()
}

/// Adds one to the counter and announces that.
#[tool(destructive = false, open_world = false)]
async fn bump(State(counter): State<Counter>, updates: ResourceUpdates) -> String {
    let value = counter.0.fetch_add(1, Ordering::SeqCst) + 1;
    updates.notify("watched://counter");
    value.to_string()
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct NameArgs {
    /// The name of the tool.
    #[garde(length(chars, min = 1, max = 64))]
    name: String,
}

/// Adds a tool that answers its own name.
#[tool(destructive = false, open_world = false)]
async fn add_tool(
    args: NameArgs,
    server: Server,
    State(added): State<Added>,
) -> Result<&'static str, ToolError> {
    let name = args.name;
    let result = server.registry().add(says(name.clone()));
    result.or_user("The tool cannot be added: its name is taken, or is not a valid name.")?;
    added.lock().insert(name);
    Ok("added")
}

/// Removes a tool that was added.
#[tool(destructive, open_world = false)]
async fn remove_tool(
    args: NameArgs,
    server: Server,
    State(added): State<Added>,
) -> Result<&'static str, ToolError> {
    let is_removed =
        added.lock().remove(&args.name) && server.registry().remove(Kind::Tool, &args.name).is_ok();
    is_removed
        .then_some("removed")
        .or_user("The tool cannot be removed: add_tool has not added it.")
}

fn says(name: String) -> impl Tool {
    let definition = ToolDefinition::new(name.clone(), "Answers its own name.");
    from_fn(definition, move |_: Call| {
        let name = name.clone();
        async move { Ok::<_, ToolError>(name) }
    })
}

impl Added {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
