use mcp_kit::prelude::*;

/// The table of contents.
#[resource(url = "docs://index", content_type = "text/markdown", layer(Audit))]
async fn index() -> String {
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").resource::<index>().build();
}
