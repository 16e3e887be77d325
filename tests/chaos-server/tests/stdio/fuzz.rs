//! 20,000 mutated messages: the server lives, writes nothing but JSON-RPC, and
//! answers every request whose id can be read.

use std::collections::HashSet;
use std::io::Write as _;
use std::thread;

use serde_json::{Value, json};

use crate::process::setup;
use crate::rpc;
use crate::support::random::Random;

const MESSAGES: u64 = 20_000;
const SEED: u64 = 0x6d63_702d_6b69_7400;

/// A valid message of some kind. Every request has an id of its own.
fn message(number: u64, random: &mut Random) -> String {
    let id = if number.is_multiple_of(3) {
        json!(format!("r-{number}"))
    } else {
        json!(number)
    };
    let call = |tool: &str, arguments: Value| json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": arguments } });
    let request = |method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    let message = match random.below(14) {
        0 | 1 => call("add", json!({ "a": random.next() as i64 >> 8, "b": -7 })),
        2 | 3 => call(
            "search",
            json!({ "query": "quoted \"text\" \\ é 😀", "maxResults": 3 }),
        ),
        4 => call("fail", json!({})),
        5 => call("big", json!({ "bytes": 300 })),
        6 => call("whoami", json!({})),
        7 => call("leak", json!({})),
        8 => request("ping", json!({})),
        9 => request("tools/list", json!({ "cursor": "made up" })),
        10 => request("tools/list", json!({ "_meta": rpc::meta("2026-07-28") })),
        11 => request(
            "server/discover",
            json!({ "_meta": rpc::meta("2026-07-28") }),
        ),
        12 => rpc::initialize(id.clone(), "2025-11-25"),
        // Never the id of a request, so that no answer is called off.
        _ => {
            json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": "gone" } })
        }
    };
    message.to_string()
}

fn mutate(line: &mut Vec<u8>, random: &mut Random) {
    const SPLICES: [&[u8]; 22] = [
        b"{",
        b"}",
        b"[",
        b"]",
        b"\"",
        b"\\",
        b",",
        b":",
        b"null",
        b"true",
        b"-",
        b"1e999",
        b"0.5",
        b"18446744073709551616",
        b"\\u0000",
        b"\\ud800",
        b"\xff",
        b"\xc3\xa9",
        b"\x00",
        b"\r",
        b"\"id\":",
        b"{\"a\":{\"b\":[1,2,",
    ];
    let at = random.below(line.len());
    match random.below(9) {
        0 => line[at] = random.next() as u8,
        1 => line[at] ^= 1 << random.below(8),
        2 => drop(line.remove(at)),
        3 => line.truncate(at),
        4 => {
            let splice = *random.pick(&SPLICES);
            line.splice(at..at, splice.iter().copied());
        }
        5 => {
            let end = (at + 1 + random.below(12)).min(line.len());
            line.drain(at..end);
        }
        6 => {
            let end = (at + 1 + random.below(20)).min(line.len());
            let copy = line[at..end].to_vec();
            line.splice(at..at, copy);
        }
        7 => {
            let other = random.below(line.len());
            line.swap(at, other);
        }
        _ => {
            let end = (at + 1 + random.below(4)).min(line.len());
            let splice = *random.pick(&SPLICES);
            line.splice(at..end, splice.iter().copied());
        }
    }
}

/// The id that the answer to this line must carry, where there is no doubt.
fn owed_id(line: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(line).ok()?;
    let text = std::str::from_utf8(line).ok()?;
    let message = value.as_object()?;
    // The same key twice: either one may count.
    let clear = ["\"id\"", "\"method\"", "\"jsonrpc\"", "\"params\""]
        .iter()
        .all(|key| text.matches(key).count() <= 1);
    let id = message.get("id")?;
    let is_id = id.is_string() || id.is_i64() || id.is_u64();
    let is_request = message.get("method").is_some_and(Value::is_string)
        && !message.contains_key("result")
        && !message.contains_key("error");
    (clear && is_id && is_request).then(|| id.clone())
}

#[test]
fn twenty_thousand_mutated_messages() {
    let mut random = Random::new(SEED);
    let mut bytes = Vec::new();
    let mut owed: HashSet<String> = HashSet::new();
    for number in 0..MESSAGES {
        let mut line = message(number, &mut random).into_bytes();
        // A few stay whole, so that valid calls run among the broken ones.
        for _ in 0..random.below(4) {
            if !line.is_empty() {
                mutate(&mut line, &mut random);
            }
        }
        line.retain(|byte| *byte != b'\n');
        owed.extend(owed_id(&line).map(|id| id.to_string()));
        bytes.extend_from_slice(&line);
        bytes.push(b'\n');
    }
    assert!(
        owed.len() > 5_000,
        "the mutations leave too little: {}",
        owed.len()
    );

    let mut chaos = setup().env("RUST_LOG", "warn").legacy();
    let mut input = chaos.take_input();
    let writer = thread::spawn(move || {
        input.write_all(&bytes).expect("the server reads on");
        let ping = json!({ "jsonrpc": "2.0", "id": "the last", "method": "ping" });
        writeln!(input, "{ping}").expect("the server reads on");
        input
    });
    let mut answered: HashSet<String> = HashSet::new();
    loop {
        let message = chaos.next();
        let last = message["id"] == "the last";
        answered.insert(message["id"].to_string());
        if last {
            break;
        }
    }
    drop(writer.join().expect("the writer ends"));
    // Calls may end after the ping that was sent last.
    for message in chaos.finish() {
        answered.insert(message["id"].to_string());
    }
    let missing: Vec<&String> = owed.difference(&answered).take(10).collect();
    assert!(missing.is_empty(), "no answer to {missing:?}");
}
