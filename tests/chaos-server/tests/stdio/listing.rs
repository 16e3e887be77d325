//! `tools/list`: stable, complete, and with the rules in the schemas.

use serde_json::{Value, json};

use crate::process::setup;
use crate::rpc;

const TOOLS: [&str; 27] = [
    "add",
    "add_tool",
    "admin",
    "ask_task",
    "bad_structured",
    "big",
    "block",
    "bump",
    "confirm",
    "count",
    "fail",
    "fetch",
    "leak",
    "log",
    "long",
    "panic",
    "print",
    "read_file",
    "remove_tool",
    "roots",
    "search",
    "sleep",
    "slow",
    "structured",
    "summarise",
    "two_questions",
    "whoami",
];

fn tools() -> Vec<Value> {
    let mut chaos = setup().legacy();
    let first = chaos.request("tools/list", json!({}));
    let second = chaos.request("tools/list", json!({ "cursor": null }));
    assert_eq!(rpc::result(&first), rpc::result(&second));
    rpc::result(&first)["tools"]
        .as_array()
        .expect("a list")
        .clone()
}

fn tool<'a>(tools: &'a [Value], name: &str) -> &'a Value {
    tools
        .iter()
        .find(|tool| tool["name"] == name)
        .expect("the tool is listed")
}

#[test]
fn every_tool_is_listed_in_the_same_order_by_every_process() {
    let (first, second) = (tools(), tools());
    assert_eq!(first, second);
    let mut names: Vec<&str> = first
        .iter()
        .filter_map(|tool| tool["name"].as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, TOOLS);
}

#[test]
fn both_eras_list_the_same_tools() {
    let mut chaos = setup().modern();
    let modern = chaos.request("tools/list", json!({}));
    let names = |tools: &[Value]| {
        tools
            .iter()
            .map(|tool| tool["name"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(rpc::result(&modern)["tools"].as_array().expect("a list")),
        names(&tools())
    );
}

#[test]
fn a_single_page_has_no_cursor_and_a_made_up_one_is_refused() {
    for mut chaos in [setup().legacy(), setup().modern()] {
        let answer = chaos.request("tools/list", json!({}));
        assert!(rpc::result(&answer).get("nextCursor").is_none());
        for cursor in [
            json!("made up"),
            json!(""),
            json!("MTAw"),
            json!(5),
            json!({}),
            json!("\u{0}é"),
        ] {
            let answer = chaos.request("tools/list", json!({ "cursor": cursor }));
            assert_eq!(rpc::code(&answer), -32602, "{cursor}: {answer}");
        }
    }
}

/// Tools are added before and behind the place where the first page ended.
#[test]
fn pages_stay_right_when_tools_are_added_between_them() {
    for mut chaos in [
        setup().env("CHAOS_TOOLS", "2500").legacy(),
        setup().env("CHAOS_TOOLS", "2500").modern(),
    ] {
        let mut names: Vec<String> = Vec::new();
        let (mut params, mut pages) = (json!({}), 0);
        loop {
            let answer = chaos.request("tools/list", params);
            let page = rpc::result(&answer);
            let tools = page["tools"].as_array().expect("a list").iter();
            names.extend(tools.map(|tool| tool["name"].as_str().unwrap().to_owned()));
            pages += 1;
            if pages == 1 {
                for name in ["aaa", "zzz"] {
                    assert_eq!(chaos.text("add_tool", json!({ "name": name })), "added");
                }
            }
            match page.get("nextCursor") {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => break,
            }
        }
        assert!(pages >= 3, "{pages} pages");
        let extra: Vec<_> = names
            .iter()
            .filter(|name| name.starts_with("extra_"))
            .collect();
        assert_eq!(extra.len(), 2_500);
        let mut unique = names.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), names.len(), "a tool is on two pages");
        for tool in TOOLS {
            assert!(names.iter().any(|name| name == tool), "{tool}");
        }
    }
}

#[test]
fn schemas_carry_the_rules() {
    let tools = tools();
    for tool in &tools {
        let schema = &tool["inputSchema"];
        assert_eq!(schema["type"], "object", "{tool}");
        assert_eq!(schema["additionalProperties"], false, "{tool}");
        assert!(
            tool["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{tool}"
        );
    }
    let search = &tool(&tools, "search")["inputSchema"];
    assert_eq!(search["required"], json!(["query"]));
    let query = &search["properties"]["query"];
    assert_eq!(
        (&query["type"], &query["minLength"], &query["maxLength"]),
        (&json!("string"), &json!(1), &json!(500))
    );
    let max = &search["properties"]["maxResults"];
    assert_eq!(max["type"], "integer");
    assert_eq!(
        (&max["minimum"], &max["maximum"], &max["default"]),
        (&json!(1), &json!(10), &json!(5))
    );
    assert!(
        max.get("format").is_none(),
        "a Rust type is not a format: {max}"
    );
}
