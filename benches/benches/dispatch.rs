//! What mcp-kit's own work costs, without pipes: a server and its client in one
//! thread, whole messages in and out, the client's work next to nothing.
//!
//! A middleware's cost is what its row in `layer` has more than `layer/none`.
//! The log level is `warn` unless `RUST_LOG` says otherwise; at `info` every
//! call writes a line to stderr, so send that to /dev/null.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has failed"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use garde::Validate as _;
use mcp_kit::call::Call;
use mcp_kit::limits::Rate;
use mcp_kit::middleware::{ConcurrencyLimit, Next, RateLimit, Timeout, from_fn};
use mcp_kit::observe::metrics::Metrics;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use support::{ADD, Terms, Wire, adds, server};

/// Does nothing, and takes nothing.
#[tool]
async fn nothing() {}

/// Adds two integers, for callers with a scope.
#[tool(scope = "sums")]
async fn guarded(terms: Terms) -> i64 {
    terms.a + terms.b
}

const ADD_WRONGLY: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"a":"40","c":2}}}
"#;
const ADD_MODERN: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"a":40,"b":2},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}
"#;
const PING: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}
"#;
const LIST: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}
"#;
const TERMS: &str = r#"{"a":40,"b":2}"#;

/// A rate that is never reached.
const OFTEN: Rate = Rate::per_second(u32::MAX);

fn call_of(tool: &str, arguments: &str) -> Vec<u8> {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}{}"#,
        '\n'
    )
    .into_bytes()
}

/// Messages against a server with everything that is on by default.
fn messages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("message");
    let mut wire = Wire::open(&server(|server| server.tool::<nothing>()));
    let nothing = call_of("nothing", "{}");
    for (name, line) in [
        ("ping", PING),
        ("call without arguments", &nothing),
        ("call", ADD),
        ("call, 2026-07-28", ADD_MODERN),
        ("call that fails validation", ADD_WRONGLY),
        ("list of two tools", LIST),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| wire.exchange(line, 1).len());
        });
    }
    let lines = adds(64);
    group.throughput(Throughput::Elements(64));
    group.bench_function("64 calls at once", |bencher| {
        bencher.iter(|| wire.exchange(&lines, 64).len());
    });
}

/// One call, with one more middleware each time. The chain of `none` is
/// `Timeout` and `Validate`, which are always there.
fn layers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("layer");
    let mut bench = |name: &str, tool: &str, build: fn(ServerBuilder) -> ServerBuilder| {
        let mut wire = Wire::open(&server(build));
        let line = call_of(tool, TERMS);
        group.bench_function(name, |bencher| {
            bencher.iter(|| wire.exchange(&line, 1).len());
        });
    };
    bench("none", "add", ServerBuilder::without_call_log);
    bench("log", "add", |server| server);
    bench("measure", "add", |server| {
        server.without_call_log().metrics(&Metrics::new())
    });
    bench("authorize", "guarded", |server| {
        server.without_call_log().tool::<guarded>()
    });
    bench("rate limit", "add", |server| {
        server.without_call_log().layer(RateLimit::new(OFTEN))
    });
    bench("timeout, one more", "add", |server| {
        server
            .without_call_log()
            .layer(Timeout::new(Duration::from_secs(60)))
    });
    bench("concurrency limit", "add", |server| {
        server.without_call_log().layer(ConcurrencyLimit::new(8))
    });
    bench("a middleware of the user", "add", |server| {
        server
            .without_call_log()
            .layer(from_fn(|call: Call, next: Next<'_>| {
                Box::pin(next.run(call))
            }))
    });
}

/// The part of `Validate` that cannot be taken out of the chain: serde and
/// garde alone, as the least that it could cost.
fn decode(criterion: &mut Criterion) {
    criterion.bench_function("decode/serde and garde", |bencher| {
        bencher.iter(|| {
            let terms: Terms = serde_json::from_str(black_box(TERMS)).expect("two numbers");
            terms.validate().expect("no rule is broken");
            terms.a + terms.b
        });
    });
}

fn log(_: &mut Criterion) {
    // Kept by leaking it: the process ends without its lines.
    std::mem::forget(mcp_kit::logging::init_with("warn"));
}

criterion_group! {
    name = benches;
    config = Criterion::default();
    targets = log, messages, layers, decode
}
criterion_main!(benches);
