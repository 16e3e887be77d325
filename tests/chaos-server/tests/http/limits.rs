//! Rates: of a caller on a tool, and of an address.

use std::time::Instant;

use serde_json::json;

use crate::client::HttpClient;
use crate::request::Request;
use crate::rpc;
use crate::server::setup;

/// Calls this often; how many were served. The others must have been refused
/// in words that a model can act on.
#[track_caller]
fn served(client: &mut HttpClient, tool: &str, calls: usize) -> usize {
    let mut served = 0;
    for _ in 0..calls {
        let request = client.calling(1, tool, json!({}));
        let response = client.exchange(&request);
        if response.status() == 429 {
            let seconds = response.head.header("retry-after").expect("Retry-After");
            assert!(seconds.parse::<u32>().is_ok_and(|s| s > 0), "{seconds}");
            continue;
        }
        assert_eq!(response.status(), 200, "{}", response.text());
        let answer = crate::client::answer(&response, &json!(1));
        let result = rpc::result(&answer);
        if rpc::is_error(result) {
            let text = rpc::text(result);
            assert!(text.contains("second"), "{text}");
            assert!(text.bytes().any(|byte| byte.is_ascii_digit()), "{text}");
        } else {
            served += 1;
        }
    }
    served
}

#[test]
fn a_caller_meets_the_rate_of_a_tool() {
    let server = setup().keys().env("CHAOS_RATE", "5/s").start();
    for mut client in [server.modern_as("alice-key"), server.legacy_as("bob-key")] {
        let begin = Instant::now();
        let passed = served(&mut client, "whoami", 60);
        let seconds = begin.elapsed().as_secs() as usize + 1;
        assert!(passed >= 5, "{passed}");
        assert!(passed <= 15 + 5 * seconds, "{passed} in {seconds} s");
    }
}

#[test]
fn a_caller_has_one_rate_however_it_comes() {
    let server = setup().keys().env("CHAOS_RATE", "5/m").start();
    let mut passed = 0;
    for mut client in [
        server.modern_as("alice-key"),
        server.legacy_as("alice-key"),
        server.legacy_as("alice-key"),
        server.modern_as("alice-key"),
    ] {
        passed += served(&mut client, "whoami", 10);
    }
    assert!((5..=15).contains(&passed), "{passed}");
}

#[test]
fn callers_and_tools_have_rates_of_their_own() {
    let server = setup().keys().env("CHAOS_RATE", "5/m").start();
    let mut alice = server.modern_as("alice-key");
    let mut bob = server.modern_as("bob-key");
    assert!(served(&mut alice, "whoami", 40) <= 15);
    assert!(served(&mut alice, "whoami", 1) == 0);
    alice.assert_alive();
    bob.assert_alive();
    assert!(served(&mut bob, "whoami", 1) == 1);
}

/// A refusal costs no tool anything, and is told before the arguments are
/// looked at.
#[test]
fn the_rate_holds_for_calls_that_fail_too() {
    let server = setup().env("CHAOS_RATE", "5/m").start();
    let mut client = server.modern();
    let texts: Vec<String> = (0..30)
        .map(|_| rpc::text(&client.call("fail", json!({}))))
        .collect();
    let failed = texts
        .iter()
        .filter(|text| text.starts_with("Search rate limit reached."))
        .count();
    assert!((5..=15).contains(&failed), "{failed}");
}

#[test]
fn an_address_meets_its_rate_before_it_is_asked_for_a_key() {
    let server = setup().keys().env("CHAOS_ADDRESS_RATE", "20/m").start();
    let request = server.modern().calling(1, "whoami", json!({}));
    let mut conn = server.connect();
    let mut statuses = Vec::new();
    for number in 0..80 {
        // Guessing keys is what it is against; names of others change nothing.
        let guess = request
            .clone()
            .header("X-API-Key", format!("guess-{number}"))
            .header("X-Forwarded-For", format!("10.0.0.{number}"))
            .header("Forwarded", format!("for=10.0.0.{number}"))
            .header("X-Real-IP", format!("10.0.0.{number}"));
        let response = conn.exchange(&guess);
        statuses.push(response.status());
        if response.status() == 429 {
            let seconds = response.head.header("retry-after").expect("Retry-After");
            assert!(seconds.parse::<u32>().is_ok_and(|s| s > 0), "{seconds}");
            crate::client::refusal(&response, 429);
        }
        if response.head.header("connection") == Some("close") {
            conn = server.connect();
        }
    }
    let passed = statuses.iter().filter(|status| **status == 401).count();
    assert!((1..=60).contains(&passed), "{statuses:?}");
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    assert!(
        statuses.iter().all(|status| [401, 429].contains(status)),
        "{statuses:?}"
    );
    let probe = server.connect().exchange(&Request::new("GET", "/readyz"));
    assert_eq!(probe.status(), 200);
}

/// As users behind the egress address of a company, or of a host, are.
#[test]
fn callers_with_keys_do_not_use_up_the_rate_of_their_address() {
    let keys: Vec<String> = (0..40)
        .map(|user| format!("user-{user}:key-{user}"))
        .collect();
    let server = setup()
        .env("MCP_API_KEYS", keys.join(","))
        .env("CHAOS_ADDRESS_RATE", "10/m")
        .start();
    let discover = server.modern().request(1, "server/discover", json!({}));
    let ask = |key: String| {
        let request = discover.clone().header("X-API-Key", key);
        server.connect().exchange(&request).status()
    };
    for _ in 0..3 {
        for user in 0..40 {
            assert_eq!(ask(format!("key-{user}")), 200);
        }
    }
    // Those without a key, or with a wrong one, do.
    let bare = server.connect().exchange(&discover).status();
    assert_eq!(bare, 401);
    let guesses: Vec<u16> = (0..40).map(|guess| ask(format!("guess-{guess}"))).collect();
    assert!(
        guesses.iter().filter(|status| **status == 401).count() <= 20,
        "{guesses:?}"
    );
    assert_eq!(guesses.last(), Some(&429), "{guesses:?}");
}

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

/// Unset, no load test meets a limit.
#[test]
fn without_a_rate_nobody_is_refused() {
    let server = setup().keys().start();
    for mut client in [server.modern_as("alice-key"), server.legacy_as("alice-key")] {
        assert_eq!(served(&mut client, "whoami", 1_500), 1_500);
    }
}
