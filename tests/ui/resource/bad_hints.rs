use mcp_kit::prelude::*;

/// The table of contents.
#[resource(
    uri = "docs://index",
    mime_type = "markdown",
    audience(everybody),
    priority = 2,
    size = -1,
    read_only,
    last_modified = "2026-11-27"
)]
async fn index() -> String {
    String::new()
}

/// The table of contents.
#[resource(uri = "docs://third", icon = "index.svg", ttl = 60, cache_scope = "shared", max_age = 5)]
async fn third() -> String {
    String::new()
}

/// The table of contents.
#[resource(uri = "docs://second", audience = "user", priority)]
async fn second() -> String {
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").resource::<index>().resource::<second>().resource::<third>().build();
}
