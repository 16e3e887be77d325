//! Arguments as hosts send them: what has one reading is taken, nothing else is.

use super::types::Catching;
use super::*;
use crate::args::compiled::Acceptance;

/// The rewritten text and the number of places.
fn rewritten(args: &CompiledArgs, raw: &str) -> (String, usize) {
    match args.accept(Some(raw), &Acceptance::default()) {
        Ok(accepted) => (
            accepted.rewritten.map_or_else(String::new, Into::into),
            accepted.normalised,
        ),
        Err(violations) => panic!("{raw}: {violations}"),
    }
}

#[derive(Debug, Default, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(default)]
pub(super) struct Wide {
    #[garde(skip)]
    a: u8,
    #[garde(skip)]
    b: i64,
    #[garde(skip)]
    c: u128,
    #[garde(skip)]
    d: i128,
    #[garde(skip)]
    list: Vec<u32>,
    #[garde(skip)]
    map: BTreeMap<String, i16>,
    #[garde(skip)]
    pair: Option<(u8, f64)>,
    #[garde(skip)]
    nonzero: Option<std::num::NonZeroU16>,
    #[garde(dive)]
    either: Option<Either>,
    #[garde(skip)]
    text: String,
    #[garde(skip)]
    float: f64,
    #[garde(skip)]
    any: Value,
}

#[test]
fn a_whole_number_may_have_a_point_or_an_exponent() {
    let args = compiled::<Wide>();
    for (sent, taken) in [
        (r#"{"a":5.0}"#, r#"{"a":5}"#),
        (r#"{"a":1e2}"#, r#"{"a":100}"#),
        (r#"{"a":-0.0}"#, r#"{"a":0}"#),
        (r#"{"a":-0}"#, r#"{"a":0}"#),
        (r#"{"a":0e99999999999999999999}"#, r#"{"a":0}"#),
        (r#"{"a":2550.00E-1}"#, r#"{"a":255}"#),
        (r#"{"b":-1.5e1}"#, r#"{"b":-15}"#),
        (r#"{"b":9007199254740993.0}"#, r#"{"b":9007199254740993}"#),
        (
            r#"{"b":-9.223372036854775808e18}"#,
            r#"{"b":-9223372036854775808}"#,
        ),
        (
            r#"{"c":3.40282366920938463463374607431768211455e38}"#,
            r#"{"c":340282366920938463463374607431768211455}"#,
        ),
        (
            r#"{"d":-170141183460469231731687303715884105728.0}"#,
            r#"{"d":-170141183460469231731687303715884105728}"#,
        ),
        (r#"{"list":[1.0, 2, 3e0]}"#, r#"{"list":[1, 2, 3]}"#),
        (r#"{"map":{"x":1.0,"y":-2.0}}"#, r#"{"map":{"x":1,"y":-2}}"#),
        (r#"{"pair":[1.0,2.0]}"#, r#"{"pair":[1,2.0]}"#),
        (r#"{"nonzero":7.0}"#, r#"{"nonzero":7}"#),
        (
            r#"{"either":{"Number":{"value":5.0}}}"#,
            r#"{"either":{"Number":{"value":5}}}"#,
        ),
        (
            "{ \"a\" : 5.0 ,\n\"any\":5.0,\"float\":5.0,\"text\":\"5.0\"}",
            "{ \"a\" : 5 ,\n\"any\":5.0,\"float\":5.0,\"text\":\"5.0\"}",
        ),
    ] {
        assert_eq!(rewritten(&args, sent).0, taken, "{sent}");
    }
    assert_eq!(rewritten(&args, r#"{"list":[1.0,2,3.0],"a":1.0}"#).1, 3);
    assert_eq!(
        rewritten(&args, r#"{"a":5,"float":5.0}"#),
        (String::new(), 0)
    );
}

#[test]
fn what_is_no_whole_number_is_refused_as_before() {
    for (number, said) in [
        ("1.5", "must be a whole number"),
        ("1e-1", "must be a whole number"),
        ("256.0", "must be at most 255"),
        ("-1.0", "must be at least 0"),
        ("1e999", "is too large a number"),
        ("true", "must be a whole number"),
    ] {
        let raw = format!(r#"{{"a":{number}}}"#);
        assert_eq!(refused::<Wide>(&raw), format!("a: {said}"), "{number}");
    }
    let long = format!(r#"{{"b":5.{}1}}"#, "0".repeat(40));
    assert!(compiled::<Wide>().decode(Some(&long)).is_err());
    assert_eq!(
        refused::<Search>(r#"{"query":"","maxResults":11.0}"#),
        "query: must have at least 1 character; maxResults: must be at most 10"
    );
}

#[test]
fn a_run_time_tool_gets_whole_numbers_as_such() {
    let args = CompiledArgs::from_schema(json!({
        "properties": {
            "n": { "type": "integer" },
            "f": { "type": "number" },
            "either": { "anyOf": [{ "type": "integer" }, { "type": "null" }] },
            "of": { "enum": [1, 2] },
            "big": { "type": "integer" },
            "any": {},
        },
    }))
    .unwrap();
    let Ok(Decoded::Json(map)) = args.decode(Some(
        r#"{"n":42.0,"f":42.0,"either":1e1,"of":1.0,"any":[1.0]}"#,
    )) else {
        panic!("refused");
    };
    assert_eq!(
        Value::from(map).to_string(),
        r#"{"any":[1.0],"either":10,"f":42.0,"n":42,"of":1}"#
    );
    let Ok(Decoded::Json(map)) = args.decode(Some(r#"{"big":1e300}"#)) else {
        panic!("the schema admits it");
    };
    assert_eq!(map["big"], json!(1e300));
}

#[test]
fn json_in_a_text_is_read_where_there_can_be_no_text() {
    let args = compiled::<Wide>();
    for (sent, taken, places) in [
        (r#"{"a":"5"}"#, r#"{"a":5}"#, 1),
        (r#"{"a":" 5.0\n"}"#, r#"{"a":5}"#, 2),
        (r#"{"list":"[1,\"2\",3.0]"}"#, r#"{"list":[1,2,3]}"#, 3),
        (r#"{"list":["1","2"]}"#, r#"{"list":[1,2]}"#, 2),
        (r#"{"list":"\"[1]\""}"#, r#"{"list":[1]}"#, 2),
        (r#"{"map":"{\"x\":\"-1\"}"}"#, r#"{"map":{"x":-1}}"#, 2),
        (r#"{"pair":"[1,\"2.5\"]"}"#, r#"{"pair":[1,2.5]}"#, 2),
        (r#"{"pair":"null","a":1}"#, r#"{"pair":null,"a":1}"#, 1),
        (
            r#"{"either":{"Number":"{\"value\":\"5\"}"}}"#,
            r#"{"either":{"Number":{"value":5}}}"#,
            2,
        ),
        (
            r#"{"text":"5","any":"[1]","float":"1e3","b":"-7"}"#,
            r#"{"text":"5","any":"[1]","float":1e3,"b":-7}"#,
            2,
        ),
        (r#"{"\u0061":"\u0035"}"#, r#"{"\u0061":5}"#, 1),
    ] {
        assert_eq!(rewritten(&args, sent), (taken.to_owned(), places), "{sent}");
    }
    assert_eq!(
        rewritten(
            &compiled::<Search>(),
            r#"{"query":"7","filters":"[{\"maxAge\":\"3\",\"site\":\"1\"}]"}"#
        )
        .0,
        r#"{"query":"7","filters":[{"maxAge":3,"site":"1"}]}"#
    );
}

#[test]
fn text_that_is_not_just_that_json_is_refused() {
    for value in [
        r#""""#,
        r#""five""#,
        r#""5 apples""#,
        r#""05""#,
        r#""+5""#,
        r#""0x5""#,
        r#""5,""#,
        r#""5.5""#,
        r#""true""#,
        r#""[5]""#,
        r#""{}""#,
        r#""5 5""#,
        r#""\u00a05""#,
        r#""NaN""#,
        r#""'5'""#,
    ] {
        let raw = format!(r#"{{"a":{value}}}"#);
        assert_eq!(refused::<Wide>(&raw), "a: must be a whole number", "{raw}");
    }
    assert_eq!(
        refused::<Wide>(r#"{"list":"[1,2"}"#),
        "list: must be a list"
    );
    assert_eq!(refused::<Wide>(r#"{"list":"1,2"}"#), "list: must be a list");
    assert_eq!(refused::<Wide>(r#"{"text":5}"#), "text: must be a string");
    // An alternative is a text: it could be that one.
    assert_eq!(
        refused::<Wide>(r#"{"either":"{\"Number\":{\"value\":1}}"}"#),
        r#"either: must be "Nothing", or an object with one member named "Text" or "Number""#
    );
}

#[test]
fn the_report_is_of_what_was_meant_if_that_is_known() {
    assert_eq!(
        refused::<Search>(r#"{"query":"a","maxResults":"50"}"#),
        "maxResults: must be at most 10"
    );
    assert_eq!(
        refused::<Search>(r#"{"query":7,"maxResults":null,"filters":"[{\"maxAge\":\"x\"}]"}"#),
        "query: must be a string; filters[0].maxAge: must be a whole number"
    );
}

#[test]
fn a_null_is_left_out_where_the_argument_is_optional() {
    let args = compiled::<Wide>();
    for (sent, taken, places) in [
        (r#"{"a":null}"#, "{}", 1),
        (r#"{"a":null, "b":1}"#, r#"{ "b":1}"#, 1),
        (r#"{"b":1 , "a":null}"#, r#"{"b":1 }"#, 1),
        (
            r#"{ "a" : null , "b" : "null" , "c":1, "d":null }"#,
            r#"{   "c":1 }"#,
            3,
        ),
        (
            r#"{"a":null,"pair":null,"any":null}"#,
            r#"{"pair":null,"any":null}"#,
            1,
        ),
        (
            r#"{"either":{"Number":{"value":"1"}},"list":null}"#,
            r#"{"either":{"Number":{"value":1}}}"#,
            2,
        ),
    ] {
        assert_eq!(rewritten(&args, sent), (taken.to_owned(), places), "{sent}");
    }
    assert_eq!(
        refused::<Search>(r#"{"query":null}"#),
        "query: must be a string"
    );
    assert_eq!(
        refused::<Wide>(r#"{"text":"null","list":[null]}"#),
        "list[0]: must be a whole number"
    );
    assert_eq!(
        refused::<Wide>(r#"{"map":{"x":null}}"#),
        "map.x: must be a whole number"
    );
    // Which of two counts is open, also if one of them is null.
    assert_eq!(
        refused::<Wide>(r#"{"a":null,"a":5}"#),
        "a: must be a whole number; a: is given twice"
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(untagged)]
enum Loose {
    Id(#[garde(skip)] u8),
    Flag(#[garde(skip)] bool),
    Named {
        #[garde(skip)]
        name: String,
        #[garde(skip)]
        age: u8,
    },
    Aged {
        #[garde(skip)]
        age: bool,
    },
    Sized {
        #[garde(skip)]
        size: String,
    },
    Counted {
        #[garde(skip)]
        size: u8,
        #[serde(default)]
        #[garde(skip)]
        of: u8,
    },
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) struct Looser {
    #[garde(dive)]
    x: Loose,
    #[serde(default)]
    #[garde(skip)]
    n: u8,
}

#[test]
fn an_alternative_is_taken_if_it_is_the_only_one() {
    let args = compiled::<Looser>();
    for (sent, taken) in [
        (r#"{"x":"5"}"#, r#"{"x":5}"#),
        (r#"{"x":"true"}"#, r#"{"x":true}"#),
        (
            r#"{"x":{"name":"1","age":"1"}}"#,
            r#"{"x":{"name":"1","age":1}}"#,
        ),
        (r#"{"x":{"age":"true"}}"#, r#"{"x":{"age":true}}"#),
        (r#"{"x":"{\"age\":\"true\"}"}"#, r#"{"x":{"age":true}}"#),
        // It fits as it is: only the other member is rewritten.
        (
            r#"{"x":{"size":"5"},"n":"5"}"#,
            r#"{"x":{"size":"5"},"n":5}"#,
        ),
        (
            r#"{"x":{"size":"5","of":"5"}}"#,
            r#"{"x":{"size":5,"of":5}}"#,
        ),
    ] {
        assert_eq!(rewritten(&args, sent).0, taken, "{sent}");
    }
    let run_time = CompiledArgs::from_schema(json!({
        "properties": { "x": { "oneOf": [
            { "properties": { "a": { "type": "integer" }, "b": { "type": "string" } } },
            { "properties": { "b": { "type": "integer" }, "a": { "type": "string" } } },
        ] } },
    }))
    .unwrap();
    for raw in [
        r#"{"x":{"a":"1","b":"2","c":[]}}"#,
        r#"{"x":"{\"a\":\"1\",\"b\":\"2\"}"}"#,
    ] {
        // `a` or `b` is a number, and nothing tells which.
        assert!(run_time.decode(Some(raw)).is_err(), "{raw}");
    }
}

/// Reads more than its schema says.
#[derive(Debug)]
struct Lax(String);

impl<'de> Deserialize<'de> for Lax {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Value::deserialize(deserializer)?.to_string()))
    }
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Beside {
    #[serde(default = "nothing")]
    #[garde(skip)]
    #[tool_args(opaque)]
    #[schemars(with = "u8")]
    lax: Lax,
    #[garde(skip)]
    n: u8,
    #[garde(skip)]
    #[tool_args(opaque)]
    #[schemars(with = "u8")]
    own: u8,
}

fn nothing() -> Lax {
    Lax("nothing".into())
}

#[test]
fn an_opaque_place_is_rewritten_only_if_nothing_else_helps() {
    for (sent, lax) in [("\"5\"", "\"5\""), ("null", "null"), ("5.0", "5.0")] {
        let raw = format!(r#"{{"lax":{sent},"n":"5","own":1}}"#);
        assert_eq!(decoded::<Beside>(&raw).lax.0, lax);
    }
    assert_eq!(decoded::<Beside>(r#"{"lax":5.0,"n":5,"own":"5"}"#).own, 5);
}

#[test]
fn strict_arguments_are_those_that_the_schema_admits() {
    let strict = Acceptance {
        strict: true,
        ..Acceptance::default()
    };
    let args = compiled::<Wide>();
    assert!(args.accept(Some(r#"{"a":5.0}"#), &strict).is_ok());
    for (raw, said) in [
        (r#"{"a":"5"}"#, "a: must be a whole number"),
        (r#"{"a":null}"#, "a: must be a whole number"),
        (r#"{"list":"[]"}"#, "list: must be a list"),
    ] {
        let said = format!("Invalid arguments: {said}");
        assert_eq!(
            args.accept(Some(raw), &strict).unwrap_err().to_string(),
            said
        );
    }
}

#[test]
fn a_rewrite_has_its_bounds() {
    let args = compiled::<Wide>();
    // It would be ten times as long.
    let numbers = "1e9,".repeat(60_000);
    let grown = format!(r#"{{"list":[{numbers}1]}}"#);
    assert!(args.decode(Some(&grown)).is_err());
    let many = format!(r#"{{"list":[{}1]}}"#, "1.0,".repeat(90_000));
    assert_eq!(rewritten(&args, &many).1, 90_000);
    let more = format!(r#"{{"list":[{}1]}}"#, "1.0,".repeat(110_000));
    assert!(args.decode(Some(&more)).is_err());
    let mut text = String::from("[1]");
    for _ in 0..12 {
        text = serde_json::to_string(&text).unwrap();
    }
    assert_eq!(decoded::<Wide>(&format!(r#"{{"list":{text}}}"#)).list, [1]);
    let deep = serde_json::to_string(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    assert!(
        args.decode(Some(&format!(r#"{{"list":{}}}"#, deep.unwrap())))
            .is_err()
    );
}

fn ignoring(names: &[&str]) -> Acceptance {
    Acceptance {
        ignored: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Acceptance::default()
    }
}

#[test]
fn names_that_a_host_adds_are_ignored_where_the_tool_does_not_know_them() {
    let n8n = ignoring(&["toolCallId", "sessionId", "text"]);
    let none = CompiledArgs::none();
    let accepted = none.accept(Some(r#"{"toolCallId":"x","sessionId":[{}]}"#), &n8n);
    let accepted = accepted.unwrap();
    assert_eq!(accepted.rewritten.as_deref(), Some("{}"));
    // It is configured, not normalised.
    assert_eq!(accepted.normalised, 0);
    let args = compiled::<Aliased>();
    let Ok(accepted) = args.accept(Some(r#"{"toolCallId":"x","text":"a"}"#), &n8n) else {
        panic!("refused");
    };
    assert_eq!(accepted.rewritten.as_deref(), Some(r#"{"text":"a"}"#));
    for (raw, said) in [
        (
            r#"{"toolCallId":1,"toolCallId":2,"q":"a"}"#,
            r#"unknown argument "toolCallId""#,
        ),
        (
            r#"{"toolCallID":1,"q":"a"}"#,
            r#"unknown argument "toolCallID""#,
        ),
        (
            r#"{"toolCallId":1,"q":""}"#,
            "text: must have at least 1 character",
        ),
    ] {
        let violations = args.accept(Some(raw), &n8n).unwrap_err().to_string();
        assert_eq!(violations, format!("Invalid arguments: {said}"));
    }
    let args = compiled::<Nested>();
    let raw = r#"{"filter":{"maxAge":1,"toolCallId":"x"}}"#;
    assert!(args.accept(Some(raw), &n8n).is_err(), "at the top only");
    let raw = r#"{"toolCallId":"x","filter":"{\"maxAge\":1.0}"}"#;
    assert_eq!(args.accept(Some(raw), &n8n).unwrap().normalised, 2);
}

#[test]
fn an_open_tool_does_not_get_ignored_names_either() {
    let n8n = ignoring(&["toolCallId"]);
    let accepted =
        compiled::<Catching>().accept(Some(r#"{"toolCallId":1,"name":"a","x":1}"#), &n8n);
    assert_eq!(
        accepted.unwrap().rewritten.as_deref(),
        Some(r#"{"name":"a","x":1}"#)
    );
    let open = json!({ "additionalProperties": true, "properties": { "toolCallId": {} } });
    let declares = CompiledArgs::from_schema(open).unwrap();
    let accepted = declares.accept(Some(r#"{"toolCallId":1}"#), &n8n).unwrap();
    assert_eq!(accepted.rewritten, None);
}

#[test]
fn ignored_names_are_not_unknown_to_a_log() {
    let names = compiled::<Aliased>();
    let names = names.argument_names_under(
        Some(r#"{"q":"a","toolCallId":"x","evil":1}"#),
        &ignoring(&["toolCallId"]),
    );
    assert_eq!(names.to_string(), "text (+1 unknown)");
}
