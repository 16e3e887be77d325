//! Two processes of the chaos server that share one Redis, as replicas behind
//! a load balancer do.

#![cfg(unix)]
// A test fails by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../../mcp-kit/tests/replicas/redis.rs"]
mod redis;
mod replica;

use redis::{PASSWORD, Redis};
use replica::Replica;

#[test]
fn a_rate_holds_for_both_processes_together() {
    let Some(redis) = Redis::start() else { return };
    let [a, b] = [(); 2].map(|()| Replica::start(&redis, &[("CHAOS_RATE", "3/h")]));
    for replica in [&a, &b, &a] {
        assert_eq!(replica.call("alice-key", "whoami").text(), "alice");
    }
    for replica in [&a, &b] {
        let refused = replica.call("alice-key", "whoami");
        assert_eq!(refused.status, 200);
        let text = refused.text();
        assert!(
            text.starts_with("Rate limit of 3/h reached for this tool. Try again in 1"),
            "{text}"
        );
    }
    // Another caller and another tool have budgets of their own.
    assert_eq!(b.call("bob-key", "whoami").text(), "bob");
    assert_eq!(b.call("alice-key", "print").text(), "printed");
}

/// What a call reads whose rate cannot be counted.
const UNCOUNTED: &str = "The server cannot count this call";

#[test]
fn without_the_store_a_replica_serves_or_refuses_as_it_was_told() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let rate = ("CHAOS_RATE", "1/h");
    let open = Replica::start(&redis, &[rate]);
    let closed = Replica::start(&redis, &[rate, ("CHAOS_REDIS_CLOSED", "1")]);
    assert_eq!(closed.call("bob-key", "whoami").text(), "bob");
    redis.kill();

    assert_eq!(open.call("alice-key", "whoami").text(), "alice");
    // The replica's own count: no caller is without a limit.
    let text = open.call("alice-key", "whoami").text();
    assert!(text.starts_with("Rate limit of 1/h reached"), "{text}");

    let text = closed.call("alice-key", "whoami").text();
    assert!(text.starts_with(UNCOUNTED), "{text}");
    // Callers that are not known are counted by their address.
    let refused = closed.call("no-such-key", "whoami");
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(
        closed.get("/readyz").status,
        200,
        "probes are never counted"
    );

    assert!(redis.restart());
    // It is asked again within a second.
    while closed
        .call("alice-key", "add")
        .text()
        .starts_with(UNCOUNTED)
    {
        std::thread::yield_now();
    }
    for (replica, words) in [(open, "counts for itself"), (closed, "is refused")] {
        let log = replica.end();
        let told: Vec<_> = log
            .lines()
            .filter(|line| line.contains("the shared store does not answer"))
            .collect();
        assert_eq!(told.len(), 1, "{log}");
        assert!(told[0].contains(words), "{log}");
        assert!(!log.contains(PASSWORD), "{log}");
    }
}
