use mcp_kit::prelude::*;

trait Database {}

/// Search the web.
#[tool]
async fn search(State(database): State<dyn Database>) -> String {
    let _ = database;
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
