use mcp_kit::prelude::*;

/// The table of contents.
#[resource(uri = "docs://index")]
async fn index() -> std::time::Duration {
    std::time::Duration::from_secs(1)
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").resource::<index>().build();
}
