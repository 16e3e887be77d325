//! Generated items pass the lints that a crate forbids.
#![forbid(missing_docs, unsafe_code, dead_code, unused_variables, unused_mut)]

/// Tools.
pub mod tools {
    /// Says hello.
    #[mcp_kit::tool]
    pub async fn hello() -> String {
        String::new()
    }

    /// Says no more than the description.
    #[mcp_kit::tool(description = "Says goodbye.")]
    pub async fn goodbye() -> String {
        String::new()
    }
}

/// Is old, and still offered.
#[mcp_kit::tool(blocking)]
#[deprecated = "use `hello`"]
fn greet() -> String {
    String::new()
}

fn main() {
    let _ = mcp_kit::Server::builder("ui", "1.0.0").tool::<tools::hello>().tool::<greet>().build();
}
