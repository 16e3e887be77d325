// The compiler warns of a tool that no server offers; here its warning is an error.
#![deny(dead_code)]

use mcp_kit::{Server, tool};

/// Searches.
#[tool]
async fn search() -> String {
    String::new()
}

/// Finds.
#[tool]
async fn find() -> String {
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
