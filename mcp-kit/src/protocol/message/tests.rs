//! Decodes valid and invalid messages.

use super::*;

fn refused(text: &str) -> (Option<RequestId>, i32) {
    let malformed = decode_one(text.as_bytes()).unwrap_err();
    (malformed.id, malformed.error.code.code())
}

#[test]
fn a_request_keeps_its_parameters_as_text() {
    let text = r#" {"params":{"arguments":{"a": 1}},"method":"tools\/call","id":"x","jsonrpc":"2.0","more":[1]} "#;
    let Ok(Message::Request(request)) = decode_one(text.as_bytes()) else {
        panic!("not a request");
    };
    assert_eq!(request.id, RequestId::String("x".into()));
    assert_eq!(request.method, "tools/call");
    assert_eq!(request.params.arguments.unwrap().get(), r#"{"a": 1}"#);
}

#[test]
fn wrong_messages_keep_their_id() {
    let seven = Some(RequestId::Integer(7));
    for (text, id, code) in [
        (
            r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#,
            seven.clone(),
            -32600,
        ),
        (r#"{"id":7,"method":"ping"}"#, seven.clone(), -32600),
        (r#"{"jsonrpc":"2.0","id":7}"#, seven.clone(), -32600),
        (
            r#"{"jsonrpc":"2.0","id":7,"method":5}"#,
            seven.clone(),
            -32600,
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":[1]}"#,
            seven.clone(),
            -32602,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"ping","params":{"name":1,"name":2},"id":7}"#,
            seven.clone(),
            -32602,
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"params":{"name":1,"name":2}}"#,
            seven.clone(),
            -32600,
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":null,"params":{}}"#,
            None,
            -32600,
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"ping""#,
            seven.clone(),
            -32700,
        ),
        (
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            None,
            -32600,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
            None,
            -32600,
        ),
        (
            r#"{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}"#,
            None,
            -32600,
        ),
        ("17", None, -32600),
        (r#""text""#, None, -32600),
        ("nonsense", None, -32700),
        ("", None, -32700),
    ] {
        assert_eq!(refused(text), (id, code), "{text}");
    }
}

#[test]
fn number_out_of_range_is_valid_json() {
    let digits = |count| "7".repeat(count);
    let with_id = |id: String| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
    for (text, expected) in [
        (with_id(digits(1_025)), "longer than 1024 bytes"),
        (
            with_id(format!("-{}", digits(5_000))),
            "longer than 1024 bytes",
        ),
        (with_id(digits(1_024)), "64-bit integer"),
        (with_id(digits(20)), "64-bit integer"),
        (with_id("1e999".to_owned()), "64-bit integer"),
        (with_id("[1e999]".to_owned()), "64-bit integer"),
    ] {
        let refused = decode_one(text.as_bytes()).unwrap_err();
        assert_eq!(refused.error.code, ErrorCode::InvalidRequest);
        let message = &refused.error.message;
        assert!(message.contains(expected), "{text}: {message}");
        assert_eq!(refused.id, None);
    }
    let method = r#"{"jsonrpc":"2.0","id":7,"method":1e999}"#;
    assert_eq!(refused(method), (Some(RequestId::Integer(7)), -32600));
    assert_eq!(refused(r#"{"id":1e999"#), (None, -32700));
    let answer = format!(r#"{{"jsonrpc":"2.0","id":{},"result":1}}"#, digits(2_000));
    assert!(matches!(
        decode_one(answer.as_bytes()),
        Ok(Message::Response(Response { id: None, .. }))
    ));
}

#[test]
fn response_has_its_id_and_outcome() {
    let response = |text: &'static str| match decode_one(text.as_bytes()) {
        Ok(Message::Response(Response { id, outcome })) => {
            let outcome = outcome.unwrap();
            (id, outcome.map(RawValue::get).map_err(RawValue::get))
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(
        response(r#"{"jsonrpc":"2.0","id":1,"result":{"a":[1]}}"#),
        (Some(RequestId::Integer(1)), Ok(r#"{"a":[1]}"#))
    );
    assert_eq!(
        response(r#"{"error":{"code":-1},"id":"x","jsonrpc":"2.0","params":[]}"#),
        (Some(RequestId::String("x".into())), Err(r#"{"code":-1}"#))
    );
    assert_eq!(
        response(r#"{"jsonrpc":"2.0","id":null,"error":null}"#),
        (None, Err("null"))
    );
}

#[test]
fn unreadable_notification_is_ignored() {
    let notification = decode_one(br#"{"jsonrpc":"2.0","method":"x","params":null}"#);
    assert!(matches!(notification, Ok(Message::Notification(_))));
    let unreadable = decode_one(br#"{"jsonrpc":"2.0","method":"x","params":[]}"#);
    assert!(matches!(unreadable, Ok(Message::Ignored)));
}
