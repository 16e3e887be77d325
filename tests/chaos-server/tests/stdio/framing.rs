//! Lines that are no messages, lines that are too long, and lines in pieces.

use serde_json::{Value, json};

use crate::process::{Chaos, setup};
use crate::rpc;

const MIB: usize = 1024 * 1024;

#[test]
fn invalid_json_is_a_parse_error_and_the_next_line_is_served() {
    let mut chaos = setup().legacy();
    for line in [
        "{",
        "nul",
        "{'jsonrpc': '2.0'}",
        "hello",
        "{\"a\":1,}",
        "\u{feff}\u{feff}",
        "[[[",
        "{}}",
        "\0\0",
    ] {
        chaos.line(line);
        let answer = chaos.next();
        assert!(rpc::is_unaddressed(&answer), "{line:?}: {answer}");
        assert_eq!(rpc::code(&answer), -32700, "{line:?}: {answer}");
    }
    chaos.assert_alive();
}

#[test]
fn invalid_json_before_the_handshake_is_answered_too() {
    let mut chaos = setup().start();
    chaos.line("{ not json");
    assert_eq!(rpc::code(&chaos.next()), -32700);
    chaos.initialize("2025-11-25");
    chaos.assert_alive();
}

#[test]
fn invalid_utf8_is_a_parse_error() {
    let mut chaos = setup().legacy();
    chaos.write(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\xfe\"}\n");
    assert_eq!(rpc::code(&chaos.next()), -32700);
    chaos.write(b"\xff\xff\xff\n");
    assert_eq!(rpc::code(&chaos.next()), -32700);
    chaos.assert_alive();
}

#[test]
fn json_that_is_no_message_is_an_invalid_request() {
    let mut chaos = setup().legacy();
    for line in [
        "1",
        "\"text\"",
        "null",
        "true",
        "{}",
        "[]",
        "{\"jsonrpc\":\"2.0\"}",
    ] {
        chaos.line(line);
        let answer = chaos.next();
        assert!(rpc::is_unaddressed(&answer), "{line}: {answer}");
        assert_eq!(rpc::code(&answer), -32600, "{line}: {answer}");
    }
    chaos.assert_alive();
}

#[test]
fn an_invalid_request_is_answered_with_its_id() {
    let mut chaos = setup().legacy();
    for (id, line) in [
        (1, r#"{"jsonrpc":"2.0","id":1}"#),
        (2, r#"{"jsonrpc":"1.0","id":2,"method":"ping"}"#),
        (3, r#"{"id":3,"method":"ping"}"#),
        (4, r#"{"jsonrpc":"2.0","id":4,"method":4}"#),
        (5, r#"{"jsonrpc":2.0,"id":5,"method":"ping"}"#),
        (6, r#"{"method":null,"id":6,"jsonrpc":"2.0"}"#),
        (
            7,
            r#"{"params":{"id":70},"jsonrpc":"2.0","method":["ping"],"id":7}"#,
        ),
    ] {
        chaos.line(line);
        let answer = chaos.next();
        assert_eq!(answer["id"], id, "{line}: {answer}");
        assert_eq!(rpc::code(&answer), -32600, "{line}: {answer}");
    }
    chaos.assert_alive();
}

#[test]
fn keys_may_come_in_any_order_and_more_keys_do_no_harm() {
    let mut chaos = setup().legacy();
    chaos.line(r#"{"params":{"arguments":{"b":2,"a":1},"name":"add"},"extra":[1,{"id":9}],"method":"tools/call","id":1,"jsonrpc":"2.0"}"#);
    assert_eq!(rpc::text(rpc::result(&chaos.answer(1))), "3");
}

#[test]
fn empty_lines_and_carriage_returns_are_no_messages() {
    let mut chaos = setup().legacy();
    chaos.write(b"\n\r\n   \n\t\n");
    chaos.write(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r\n");
    assert_eq!(chaos.next()["id"], 1);
    chaos.write(b"  {\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}  \n");
    assert_eq!(chaos.next()["id"], 2);
}

#[test]
fn a_byte_order_mark_before_a_message_is_skipped() {
    for version in ["2025-03-26", "2025-11-25"] {
        let mut chaos = setup().start();
        let initialize = rpc::initialize("open", version);
        chaos.line(&format!("\u{feff}{initialize}"));
        rpc::result(&chaos.answer("open"));
        // A mark alone says nothing.
        chaos.line("\u{feff} ");
        chaos.line("\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}");
        rpc::result(&chaos.answer(1));
        chaos.line("\u{feff}[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]");
        let batch = chaos.next();
        assert_eq!(batch.is_array(), version == "2025-03-26", "{batch}");
        chaos.expect_silence();
    }
}

/// Python's `splitlines` and some versions of Node cut lines at characters that
/// JSON does not escape.
#[test]
fn answers_hold_no_character_that_ends_a_line_elsewhere() {
    let mut chaos = setup().legacy();
    let query = "a\u{2028}b\u{2029}c\u{85}d\u{2028}\"\u{2027}";
    for (tool, arguments, expected) in [
        ("search", json!({ "query": query }), query),
        ("search", json!({ query: query }), "unknown argument"),
        (query, json!({}), "Unknown tool"),
    ] {
        for id in [json!(1), json!(query)] {
            chaos.send_call(id.clone(), tool, arguments.clone());
            let line = chaos.next_line().unwrap();
            assert!(!line.contains(['\u{85}', '\u{2028}', '\u{2029}']), "{line}");
            let answer = rpc::parse(&line);
            assert_eq!(answer["id"], id);
            let text = match answer.get("error") {
                Some(_) => rpc::message(&answer).to_owned(),
                None => rpc::text(rpc::result(&answer)),
            };
            assert!(text.contains(expected), "{text}");
        }
    }
}

/// By the schemas an error without id leaves the member out since 2025-11-25,
/// and has no `null`; before, JSON-RPC's own rule holds.
#[test]
fn an_error_without_id_has_the_form_of_the_clients_version() {
    let unaddressed = [
        "not json",
        r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
    ];
    let forms = |chaos: &mut Chaos| {
        let lines = unaddressed.map(|line| {
            chaos.line(line);
            chaos.next_line().unwrap()
        });
        let forms = lines.map(|line| rpc::parse(&line).get("id").cloned());
        assert!(forms.iter().all(|form| *form == forms[0]), "{forms:?}");
        forms[0].clone()
    };
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut chaos = setup().start();
        assert_eq!(forms(&mut chaos), None);
        chaos.initialize(version);
        let expected = (version < "2025-11-25").then_some(Value::Null);
        assert_eq!(forms(&mut chaos), expected, "{version}");
    }
    let mut chaos = setup().modern();
    chaos.assert_alive();
    assert_eq!(forms(&mut chaos), None);
}

#[test]
fn messages_may_come_in_pieces_and_several_at_once() {
    let mut chaos = setup().legacy();
    for byte in b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n" {
        chaos.write(&[*byte]);
    }
    assert_eq!(chaos.next()["id"], 1);
    let line = |id: u32| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}\n");
    let (head, tail) = (line(4), line(5));
    let (first, second) = head.split_at(9);
    chaos.write(format!("{}{}{first}", line(2), line(3)).as_bytes());
    assert_eq!(chaos.answer(2)["result"], json!({}));
    assert_eq!(chaos.answer(3)["result"], json!({}));
    chaos.write(format!("{second}{tail}").as_bytes());
    assert_eq!(chaos.answer(4)["result"], json!({}));
    assert_eq!(chaos.answer(5)["result"], json!({}));
}

#[test]
fn the_last_line_counts_without_its_newline() {
    let mut chaos = setup().legacy();
    chaos.write(br#"{"jsonrpc":"2.0","id":"last","method":"tools/call","params":{"name":"add","arguments":{"a":1,"b":2}}}"#);
    let rest = chaos.finish();
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!(rest[0]["id"], "last");
    assert_eq!(rpc::text(rpc::result(&rest[0])), "3");
}

#[test]
fn a_broken_last_line_without_newline_is_answered() {
    let mut chaos = setup().legacy();
    chaos.write(br#"{"jsonrpc":"2.0","id":"#);
    let rest = chaos.finish();
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!(rpc::code(&rest[0]), -32700);
}

#[test]
fn deep_nesting_is_refused_and_harmless() {
    let mut chaos = setup().legacy();
    let deep = "[".repeat(200_000);
    chaos.line(&deep);
    assert!(chaos.next().get("error").is_some());
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    chaos.line(&format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"search","arguments":{{"query":{nested}}}}}}}"#
    ));
    let answer = chaos.next();
    assert!(
        answer.get("error").is_some() || rpc::is_error(rpc::result(&answer)),
        "{answer}"
    );
    chaos.assert_alive();
}

fn search_of(size: usize) -> String {
    "x".repeat(size)
}

#[test]
fn a_long_line_within_the_bound_is_an_ordinary_message() {
    let mut chaos = setup().legacy();
    let text = chaos.failure("search", json!({ "query": search_of(4 * MIB - 4096) }));
    assert!(text.contains("500"), "{text}");
    assert!(text.len() < 1000, "the answer repeats the argument");
}

fn refused_with_id(chaos: &mut Chaos, id: &Value, line: &str) {
    chaos.line(line);
    let answer = chaos.next();
    assert_eq!(&answer["id"], id, "{answer}");
    let code = rpc::code(&answer);
    assert!([-32600, -32602, -32700].contains(&code), "{answer}");
    let text = rpc::message(&answer);
    assert!(
        text.contains("4 MiB") || text.contains("4194304"),
        "the bound is not named: {text}"
    );
}

#[test]
fn a_line_above_the_limit_is_refused_with_its_id() {
    let mut chaos = setup().legacy();
    let long = search_of(5 * MIB);
    let params = format!(
        r#"{{"name":"search","arguments":{{"query":"{long}","id":"not this","more":{{"id":0}}}}}}"#
    );
    refused_with_id(
        &mut chaos,
        &json!(1),
        &format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#),
    );
    refused_with_id(
        &mut chaos,
        &json!("at the \"end\" \u{e9}"),
        &format!(
            r#"{{"jsonrpc":"2.0","method":"tools/call","params":{params},"id":"at the \"end\" \u00e9"}}"#
        ),
    );
    refused_with_id(
        &mut chaos,
        &json!(18_446_744_073_709_551_615_u64),
        &format!(
            r#"{{ "params" : {params} , "id" : 18446744073709551615 , "method":"tools/call","jsonrpc":"2.0"}}"#
        ),
    );
    chaos.assert_alive();
}

#[test]
fn a_line_above_the_limit_without_an_id_is_refused_without_one() {
    let mut chaos = setup().legacy();
    chaos.line(&"x".repeat(5 * MIB));
    assert!(rpc::is_unaddressed(&chaos.next()));
    chaos.line(&format!(
        r#"{{"jsonrpc":"2.0","params":{{"id":1,"pad":"{}"}}}}"#,
        search_of(5 * MIB)
    ));
    assert!(rpc::is_unaddressed(&chaos.next()));
    // An escaped quote and a key inside a string are no id either.
    chaos.line(&format!(
        r#"{{"jsonrpc":"2.0","pad":"{}\",\"id\":5,\"x\":\""}}"#,
        search_of(5 * MIB)
    ));
    assert!(rpc::is_unaddressed(&chaos.next()));
    chaos.assert_alive();
}

/// Sends a line of 64 MiB; its answer.
#[cfg(target_os = "linux")]
fn send_64_mib(chaos: &mut Chaos) -> Value {
    chaos.write(br#"{"jsonrpc":"2.0","id":64,"method":"tools/call","params":{"name":"search","arguments":{"query":""#);
    let chunk = vec![b'x'; MIB];
    for _ in 0..64 {
        chaos.write(&chunk);
    }
    chaos.write(b"\"}}}\n");
    chaos.next()
}

#[cfg(target_os = "linux")]
#[test]
fn a_line_of_64_mib_costs_no_memory_to_speak_of() {
    let mut chaos = setup().legacy();
    chaos.assert_alive();
    let before = chaos.peak_memory();
    let answer = send_64_mib(&mut chaos);
    assert_eq!(answer["id"], 64, "{answer}");
    rpc::code(&answer);
    chaos.assert_alive();
    let grown = chaos.peak_memory().saturating_sub(before);
    assert!(grown <= 40 * MIB as u64, "{} MiB more", grown / MIB as u64);
}

/// Nothing is different for the very first line, which is read before there is
/// a runtime.
#[cfg(target_os = "linux")]
#[test]
fn the_first_line_is_bounded_as_any_other() {
    let mut chaos = setup().start();
    let answer = send_64_mib(&mut chaos);
    assert_eq!(answer["id"], 64, "{answer}");
    rpc::code(&answer);
    chaos.initialize("2025-11-25");
    chaos.assert_alive();
    assert!(
        chaos.peak_memory() <= 50 * MIB as u64,
        "{} MiB",
        chaos.peak_memory() / MIB as u64
    );
}

#[test]
fn whatever_the_first_line_is_the_next_ones_are_served() {
    for first in [
        "",
        "\r",
        "not json",
        "[]",
        "{}",
        "5",
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    ] {
        let mut chaos = setup().start();
        let hello = rpc::initialize(1, "2025-11-25");
        let call = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"whoami"}}"#;
        // All in one write, as a shell would send it.
        chaos.write(format!("{first}\n{hello}\n{call}\n").as_bytes());
        assert_eq!(
            rpc::text(rpc::result(&chaos.answer(2))),
            "local",
            "{first:?}"
        );
        assert_eq!(
            rpc::result(&chaos.answer(1))["protocolVersion"],
            "2025-11-25"
        );
    }
}

#[test]
fn the_first_line_may_come_in_pieces_and_without_a_newline() {
    let mut chaos = setup().start();
    for byte in format!("{}\n", rpc::initialize(1, "2025-11-25")).bytes() {
        chaos.write(&[byte]);
    }
    assert_eq!(
        rpc::result(&chaos.answer(1))["protocolVersion"],
        "2025-11-25"
    );
    chaos.assert_alive();

    let mut chaos = setup().start();
    chaos.write(rpc::initialize(1, "2025-11-25").to_string().as_bytes());
    let rest = chaos.finish();
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!(rpc::result(&rest[0])["protocolVersion"], "2025-11-25");
}

#[test]
fn a_line_above_the_limit_that_never_ends_is_answered_at_the_end_of_stdin() {
    let mut chaos = setup().legacy();
    chaos.write(
        format!(
            r#"{{"jsonrpc":"2.0","id":3,"method":"ping","pad":"{}"#,
            search_of(5 * MIB)
        )
        .as_bytes(),
    );
    let rest = chaos.finish();
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!(rest[0]["id"], 3);
}
