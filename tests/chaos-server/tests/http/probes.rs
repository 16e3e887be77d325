//! `/livez`, `/readyz` and `/health`: for callers by address, without keys.

use serde_json::json;

use crate::request::Request;
use crate::server::setup;

const PROBES: [&str; 3] = ["/livez", "/readyz", "/health"];

#[test]
fn probes_answer_every_client() {
    let server = setup().keys().start();
    for path in PROBES {
        for request in [
            Request::new("GET", path),
            // A kubelet calls by the address of the pod.
            Request::new("GET", path).header("Host", "10.1.2.3:8080"),
            Request::new("GET", path).header("Host", "anything.example"),
            Request::new("GET", path).without_host(),
            Request::new("GET", path).header("X-API-Key", "wrong"),
            Request::new("GET", path).header("Accept", "text/html"),
        ] {
            let response = server.connect().exchange(&request);
            assert_eq!(response.status(), 200, "{request:?}: {}", response.text());
        }
        let head = server.connect().exchange(&Request::new("HEAD", path));
        assert_eq!(head.status(), 200, "{path}");
        let post = server.connect().exchange(&Request::post("{}").target(path));
        assert_eq!(post.status(), 405, "{path}");
    }
}

#[test]
fn health_says_ok() {
    let server = setup().start();
    let response = server.connect().exchange(&Request::new("GET", "/health"));
    assert_eq!(response.json(), json!({ "status": "ok" }));
}

/// A caller without a key learns nothing of what runs here.
#[test]
fn probes_tell_no_more_than_they_must() {
    let server = setup().keys().start();
    for path in PROBES {
        let response = server.connect().exchange(&Request::new("GET", path));
        let told = format!("{:?}{}", response.head, response.text()).to_lowercase();
        for word in ["alice", "bob", "hunter2", "chaos", "hyper", "mcp-kit"] {
            assert!(!told.contains(word), "{path} tells {word}: {told}");
        }
    }
}

#[test]
fn probes_have_no_limits() {
    let server = setup().env("CHAOS_ADDRESS_RATE", "3/m").start();
    let mut conn = server.connect();
    for _ in 0..200 {
        for path in PROBES {
            let response = conn.exchange(&Request::new("GET", path));
            assert_eq!(response.status(), 200, "{path}");
        }
    }
    // And they have used up nothing of it.
    server.assert_alive();
}

/// The binary asks for itself, where a container has no other client.
#[test]
fn the_health_command_asks_the_server() {
    let mut server = setup().start();
    let ask = |address: &str| {
        std::process::Command::new(env!("CARGO_BIN_EXE_chaos-server"))
            .args(["health", "--addr", address])
            .output()
            .expect("the command runs")
    };
    let address = server.address.to_string();
    let answer = ask(&address);
    assert_eq!(answer.status.code(), Some(0), "{answer:?}");
    server.end();
    let answer = ask(&address);
    assert_eq!(answer.status.code(), Some(1), "{answer:?}");
    let told = String::from_utf8_lossy(&answer.stderr).into_owned();
    assert!(!told.contains("panicked"), "{told}");
}
