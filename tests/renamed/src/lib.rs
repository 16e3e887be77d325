//! mcp-kit under another name: `crate = kit` is all that both macros need. That
//! this crate compiles is the test.

use garde::Validate;
use kit::{State, ToolArgs, tool};
use schemars::JsonSchema;
use serde::Deserialize;

/// A list in pages, generic as argument structs may be.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = kit)]
pub struct Page<T: Validate<Context = ()>> {
    /// What is on the page.
    #[garde(dive)]
    pub item: T,
    /// The page's number.
    #[garde(range(min = 1, max = MOST))]
    pub number: u32,
}

/// The last page that can be asked for.
pub const MOST: u32 = 1_000;

/// What to look for.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = ::kit)]
pub struct Query {
    /// The words.
    #[garde(length(chars, min = 1))]
    pub words: String,
}

/// Looks for something.
#[tool(crate = kit, read_only, timeout = "2s")]
pub async fn look(State(prefix): State<String>, args: Page<Query>) -> String {
    format!("{prefix} {} {}", args.item.words, args.number)
}

/// Counts a text's bytes.
#[tool(crate = ::kit, blocking)]
pub fn count(args: Query) -> String {
    args.words.len().to_string()
}

mod inner {
    /// Says hello; a relative path is the user's own.
    #[kit::tool(crate = super::reexported::kit)]
    pub(super) async fn hello() -> String {
        "hello".to_owned()
    }
}

mod reexported {
    pub(crate) use ::kit;
}

/// All of them, as a server.
pub fn server() -> kit::server::ServerBuilder {
    kit::Server::builder("renamed", "1.0.0")
        .state(String::from("looked for"))
        .tool::<look>()
        .tool::<count>()
        .tool::<inner::hello>()
}
