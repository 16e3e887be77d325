use mcp_kit::prelude::*;

#[resource(uri = "docs://index")]
async fn index() -> String {
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").resource::<index>().build();
}
