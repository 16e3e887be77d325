use mcp_kit::prelude::*;

/// Has no scheme.
#[resource(uri = "index")]
async fn index() -> String {
    String::new()
}

/// Has a space.
#[resource(uri = "docs://table of contents")]
async fn contents() -> String {
    String::new()
}

/// Has a brace too few.
#[resource(uri = "docs://{page")]
async fn page() -> String {
    String::new()
}

/// Has a form that is not supported.
#[resource(uri = "docs://{page*}")]
async fn pages() -> String {
    String::new()
}

/// Has nothing between its variables.
#[resource(uri = "docs://{chapter}{page}")]
async fn chapter() -> String {
    String::new()
}

/// Has its query in the middle.
#[resource(uri = "docs://{?page}/notes")]
async fn notes() -> String {
    String::new()
}

/// Has a variable twice.
#[resource(uri = "docs://{page}/{page}")]
async fn twice() -> String {
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0")
        .resource::<index>()
        .resource::<contents>()
        .resource::<page>()
        .resource::<pages>()
        .resource::<chapter>()
        .resource::<notes>()
        .resource::<twice>()
        .build();
}
