//! Resources over HTTP: which callers a resource exists for.

use serde_json::{Value, json};

use crate::rpc;
use crate::server::{Server, setup};

fn read(server: &Server, key: &str, uri: &str) -> Value {
    let client = server.modern();
    let request = client.request(1, "resources/read", json!({ "uri": uri }));
    let response = server.connect().exchange(&request.header("X-API-Key", key));
    assert_eq!(response.status(), 200, "{uri}: {}", response.text());
    response.json()
}

#[test]
fn a_resource_of_another_caller_does_not_exist() {
    let server = setup().keys().start();
    for (key, uri) in [("alice-key", "note://bob/7"), ("bob-key", "secret://admin")] {
        let hidden = read(&server, key, uri);
        assert_eq!(rpc::code(&hidden), -32602, "{hidden}");
        let unknown = read(&server, key, "note://nobody");
        assert_eq!(rpc::message(&hidden), rpc::message(&unknown));
        assert_eq!(hidden["error"]["data"], json!({ "uri": uri }));
    }
    for (key, uri) in [("bob-key", "note://bob/7"), ("bob-key", "note://alice/7")] {
        let note = read(&server, key, uri);
        let text = rpc::result(&note)["contents"][0]["text"].as_str();
        assert!(
            text.is_some_and(|text| text.starts_with("note 7 of ")),
            "{note}"
        );
    }
}
