//! The rate of an address that comes from the socket, and from a proxy that an option names.
//! Everything else of rates is tested in process, on a clock that can be moved.

use serde_json::json;

use crate::server::setup;

/// A proxy that was named is believed, one hop at a time.
#[test]
fn behind_a_named_proxy_each_client_has_its_own_rate() {
    let server = setup()
        .arg("--trust-proxy")
        .arg("127.0.0.0/8")
        // Whom a proxy speaks for is not on this machine.
        .arg("--allow-unauthenticated")
        .env("CHAOS_ADDRESS_RATE", "10/m")
        .start();
    let request = server.modern().calling(1, "whoami", json!({}));
    let ask = |forwarded: &str| {
        server
            .connect()
            .exchange(&request.clone().header("X-Forwarded-For", forwarded))
            .status()
    };
    let first: Vec<u16> = (0..40).map(|_| ask("203.0.113.7")).collect();
    assert_eq!(first.last(), Some(&429), "{first:?}");
    assert_eq!(ask("203.0.113.8"), 200);
    // What the client itself wrote before the proxy's own entry is a claim.
    let lies: Vec<u16> = (0..3)
        .map(|number| ask(&format!("198.51.100.{number}, 203.0.113.7")))
        .collect();
    assert_eq!(lies, [429; 3]);
    // A proxy behind a proxy.
    assert_eq!(ask("203.0.113.9, 127.0.0.2"), 200);
    assert_eq!(ask("203.0.113.7, 127.0.0.2"), 429);
    for broken in ["", "unknown", "999.1.1.1", ",,,", "203.0.113.10:99999"] {
        let status = ask(broken);
        assert!([200, 400, 429].contains(&status), "{broken:?}: {status}");
    }
}
