//! The keys of maps: what is published is what serde reads.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroI8, NonZeroU8};

use super::*;
use crate::testing::assert_schema_agrees as agrees;

/// A documented enum, of which schemars says nothing as a key.
#[derive(Debug, Deserialize, JsonSchema, Hash, PartialEq, Eq, PartialOrd, Ord, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(rename_all = "snake_case")]
enum Level {
    /// Of no interest.
    Low,
    /// Wakes someone up.
    #[serde(alias = "urgent")]
    VeryHigh,
}

#[derive(Debug, Deserialize, JsonSchema, Hash, PartialEq, Eq, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(transparent)]
struct Id(#[garde(skip)] u16);

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[garde(allow_unvalidated)]
#[serde(default)]
#[derive(Default)]
struct Keyed {
    level: BTreeMap<Level, u8>,
    bytes: BTreeMap<u8, Option<u8>>,
    signed: BTreeMap<i8, u8>,
    ids: HashMap<Id, u8>,
    wide: BTreeMap<i64, u8>,
    widest: BTreeMap<u128, u8>,
    counts: BTreeMap<NonZeroU8, u8>,
    offsets: BTreeMap<NonZeroI8, u8>,
    /// By flag.
    flags: BTreeMap<bool, u8>,
    letters: BTreeMap<char, u8>,
    addresses: BTreeMap<IpAddr, u8>,
    v4: BTreeMap<Ipv4Addr, u8>,
    sockets: BTreeMap<SocketAddr, u8>,
    texts: BTreeMap<Box<str>, u8>,
}

#[test]
fn keys_are_published_as_names_patterns_or_words() {
    let published = schema::<Keyed>();
    let properties = &published["properties"];
    let value = json!({"type":"integer","minimum":0,"maximum":255});
    assert_eq!(
        properties["level"]["properties"],
        json!({"low": value, "very_high": value})
    );
    assert_eq!(properties["level"]["additionalProperties"], false);
    assert_eq!(
        properties["flags"]["properties"],
        json!({"true": value, "false": value})
    );
    assert_eq!(
        properties["ids"]["patternProperties"]
            .as_object()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        properties["bytes"]["description"],
        "Each key must be a whole number from 0 to 255."
    );
    assert_eq!(properties["texts"]["additionalProperties"], value);
    agrees::<Keyed>();
}

/// Every key is read by serde exactly if the report does not refuse it.
#[test]
fn every_key_is_judged_as_serde_does() {
    let compiled = compiled::<Keyed>();
    let fields = schema::<Keyed>()["properties"].as_object().unwrap().clone();
    let keys = [
        "",
        "0",
        "-0",
        "00",
        "01",
        "+1",
        "1",
        "-1",
        " 1",
        "1.0",
        "1e0",
        "127",
        "128",
        "-128",
        "-129",
        "255",
        "256",
        "300",
        "65535",
        "65536",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "340282366920938463463374607431768211455",
        "340282366920938463463374607431768211456",
        "true",
        "false",
        "True",
        "a",
        "é",
        "ab",
        "\n",
        "low",
        "very_high",
        "urgent",
        "VeryHigh",
        "::1",
        "192.0.2.1",
        "192.0.2.1:80",
        "[::1]:80",
    ];
    for field in fields.keys() {
        for key in keys {
            let raw = json!({ field.as_str(): { key: 1 } }).to_string();
            // serde_json itself panics here, which is why the text is walked first.
            let unsound = field == "flags" && !key.is_ascii();
            let serde = !unsound && serde_json::from_str::<Keyed>(&raw).is_ok();
            match compiled.decode(Some(&raw)) {
                Ok(_) => assert!(serde, "{raw}"),
                Err(violations) => {
                    assert!(!serde, "{raw}: {violations}");
                    let said = violations.to_string();
                    assert!(!said.contains("an invalid value"), "{raw}: {said}");
                }
            }
        }
    }
}

#[test]
fn reports_name_the_rule_and_show_keys_safely() {
    assert_eq!(
        refused::<Keyed>(
            r#"{"bytes":{"300":1,"a\n":256},"flags":{"yes":1},"level":{"hi":1},"addresses":{"x":1}}"#
        ),
        "bytes: the key \"300\" must be a whole number from 0 to 255; \
         bytes: the key \"a\\u{a}\" must be a whole number from 0 to 255; \
         bytes[\"a\\u{a}\"]: must be at most 255; \
         flags: the key \"yes\" must be true or false; \
         level: the key \"hi\" must be \"low\" or \"very_high\"; \
         addresses: the key \"x\" must be an IP address"
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Unreadable {
    #[garde(skip)]
    pairs: BTreeMap<(u8, u8), u8>,
    #[garde(skip)]
    lists: BTreeMap<Vec<u8>, u8>,
}

#[test]
fn keys_that_cannot_be_read_are_build_errors() {
    let text = "the keys of a JSON object are text, and no text is read as this map's keys: use a \
                list of structs";
    assert_eq!(
        problems::<Unreadable>(),
        [
            format!("`Unreadable.pairs`: {text}"),
            format!("`Unreadable.lists`: {text}"),
        ]
    );
}
