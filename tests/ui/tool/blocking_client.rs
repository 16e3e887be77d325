use mcp_kit::extract::Client;
use mcp_kit::{Server, State, tool};

/// Asks.
#[tool(blocking)]
fn ask(State(base): State<String>, client: Client) -> String {
    format!("{base} {}", client.can_elicit())
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<ask>().build();
}
