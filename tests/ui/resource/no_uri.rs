use mcp_kit::prelude::*;

/// The table of contents.
#[resource(mime_type = "text/markdown")]
async fn index() -> String {
    String::new()
}

/// A page.
#[resource]
async fn page() -> String {
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").resource::<index>().resource::<page>().build();
}
