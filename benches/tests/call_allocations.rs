//! What one small call asks of the allocator, from the bytes of its message to
//! the bytes of its answer, with everything that is on by default.
//!
//! A file of its own: the counts are the process', and tests of one file run
//! side by side.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot be set up has failed; the counts are worth seeing"
)]

mod support;

use mcp_kit_benches::allocations::{COUNTING, CountingAllocator, per_call};
use support::{ADD, Wire, adds, server};

#[global_allocator]
static ALLOCATOR: &CountingAllocator = &COUNTING;

/// The promise for one small call.
const MOST: f64 = 10.0;

#[test]
fn a_small_call_allocates_little() {
    let _logs = mcp_kit::logging::init_with("warn");
    let mut wire = Wire::open(&server(|server| server));
    let answer = wire.exchange(ADD, 1);
    let answer: serde_json::Value = serde_json::from_slice(answer).expect("an answer in JSON");
    assert_eq!(answer["result"]["content"][0]["text"], "42", "{answer}");

    let alone = per_call(200, || {
        wire.exchange(ADD, 1);
    });
    let lines = adds(64);
    let together = per_call(20, || {
        wire.exchange(&lines, 64);
    });
    let with_text = String::from_utf8_lossy(ADD).replace(r#""id":1"#, r#""id":"call-1""#);
    let text = per_call(200, || {
        wire.exchange(with_text.as_bytes(), 1);
    });
    println!(
        "1 in flight: {alone:?}\n64 in flight: {together:?}, for all of them\nid is a string: {text:?}"
    );
    assert!(alone.total() <= MOST, "1 in flight: {alone:?}");
    assert!(
        together.total() <= 64.0 * MOST,
        "64 in flight: {together:?}"
    );
}
