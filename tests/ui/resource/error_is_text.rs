use mcp_kit::prelude::*;

/// The table of contents.
#[resource(uri = "docs://index")]
async fn index() -> Result<String, String> {
    Err("no index".to_owned())
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").resource::<index>().build();
}
