//! The published schemas against an independent judge, a JSON Schema validator
//! that mcp-kit does not use: whatever it says of an input, decoding does, and
//! decoding takes `null` for what may be left out.
#![allow(clippy::unwrap_used, clippy::panic, dead_code)]

use std::collections::{BTreeMap, BTreeSet};

use garde::Validate;
use mcp_kit::__private::{CompiledArgs, Decoded};
use mcp_kit::ToolArgs;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(rename_all = "camelCase")]
struct Everything {
    #[garde(length(chars, min = 1, max = 3))]
    query: String,
    #[garde(range(min = 1, max = 10))]
    #[serde(default)]
    max_results: Option<u8>,
    #[garde(ascii, prefix("a"), suffix("z"))]
    #[serde(default)]
    code: Option<String>,
    #[garde(ip)]
    #[serde(default)]
    address: Option<String>,
    #[garde(length(max = 2), inner(length(chars, max = 2)))]
    #[serde(default)]
    tags: Vec<String>,
    #[garde(length(min = 2))]
    #[serde(default)]
    set: Option<BTreeSet<String>>,
    #[garde(dive)]
    #[serde(default)]
    filters: Vec<Filter>,
    #[garde(skip)]
    #[serde(default)]
    mode: Option<Mode>,
    #[garde(length(max = 1))]
    #[serde(default)]
    headers: BTreeMap<String, bool>,
    #[garde(dive)]
    #[serde(default)]
    shape: Option<Shape>,
    #[serde(flatten)]
    #[garde(dive)]
    paging: Paging,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Filter {
    #[garde(range(min = -1.5, max = 2.5))]
    age: f64,
    #[garde(skip)]
    #[serde(default)]
    letter: Option<char>,
    #[garde(dive)]
    #[serde(default)]
    not: Option<Box<Filter>>,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Fast,
    /// Takes its time.
    Slow,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(tag = "kind")]
enum Shape {
    Circle {
        #[garde(range(max = 3))]
        radius: u8,
    },
    Point,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Paging {
    #[garde(range(max = 5))]
    #[serde(default)]
    page: u32,
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn scalar(&mut self) -> Value {
        let all = [
            json!(null),
            json!(true),
            json!(0),
            json!(1),
            json!(2.5),
            json!(3),
            json!(5),
            json!(11),
            json!(-1),
            json!(-2),
            json!(300),
            json!(""),
            json!("a"),
            json!("az"),
            json!("aéz"),
            json!("éé"),
            json!("😀😀😀"),
            json!("😀😀😀😀"),
            json!("192.0.2.1"),
            json!("::1"),
            json!("fast"),
            json!("slow"),
            json!("Circle"),
            json!("Point"),
        ];
        all[self.below(all.len())].clone()
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth > 3 { 4 } else { 7 }) {
            0..=3 => self.scalar(),
            4 => (0..self.below(4)).map(|_| self.value(depth + 1)).collect(),
            _ => self.object(&["age", "letter", "not", "kind", "radius", "x"], depth),
        }
    }

    fn object(&mut self, names: &[&str], depth: usize) -> Value {
        let mut object = Map::new();
        for _ in 0..self.below(4) {
            object.insert(names[self.below(names.len())].into(), self.value(depth + 1));
        }
        object.into()
    }

    /// A value that often suits the member of that name.
    fn suited(&mut self, name: &str) -> Value {
        match name {
            "query" | "code" | "address" => self.scalar(),
            "filters" => {
                let names = ["age", "age", "letter", "not"];
                (0..self.below(3)).map(|_| self.object(&names, 2)).collect()
            }
            "tags" | "set" => (0..self.below(4)).map(|_| self.scalar()).collect(),
            "headers" => self.object(&["a", "b"], 4),
            "shape" => self.object(&["kind", "kind", "radius"], 4),
            _ => self.value(2),
        }
    }
}

#[test]
fn an_independent_validator_says_the_same() {
    let args = CompiledArgs::of(&Everything::__spec()).unwrap_or_else(|p| panic!("{p:#?}"));
    let judge = jsonschema::options()
        .should_validate_formats(true)
        .build(args.schema())
        .unwrap();
    let names = [
        "query",
        "maxResults",
        "code",
        "address",
        "tags",
        "filters",
        "mode",
        "headers",
        "shape",
        "page",
        "set",
        "other",
    ];
    let mut random = Random(0x5EED_1234_5678);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..30_000 {
        let mut input = json!({ "query": "ab" });
        for _ in 0..random.below(4) {
            let name = names[random.below(names.len())];
            input[name] = random.suited(name);
        }
        let decoded = args.decode_strictly(Some(&input.to_string()));
        let sparse = without_null(&input);
        let valid = judge.is_valid(&input) || judge.is_valid(&sparse) && takes_null(&input);
        match &decoded {
            Ok(_) => good += 1,
            Err(_) => bad += 1,
        }
        assert_eq!(
            decoded.is_ok(),
            valid,
            "{input}\n{:?}",
            decoded.err().map(|v| v.to_string())
        );
    }
    assert!(good > 3_000 && bad > 3_000, "{good} good, {bad} bad");
}

/// The input without the members that are `null`.
fn without_null(input: &Value) -> Value {
    match input {
        Value::Object(members) => members
            .iter()
            .filter(|(_, member)| !member.is_null())
            .map(|(name, member)| (name.clone(), without_null(member)))
            .collect(),
        Value::Array(items) => items.iter().map(without_null).collect(),
        other => other.clone(),
    }
}

/// Whether `null` is only given to what is an `Option`.
fn takes_null(input: &Value) -> bool {
    const OPTIONS: &[&str] = &[
        "maxResults",
        "code",
        "address",
        "set",
        "mode",
        "shape",
        "letter",
        "not",
    ];
    match input {
        Value::Object(members) => members.iter().all(|(name, member)| {
            takes_null(member) && (!member.is_null() || OPTIONS.contains(&name.as_str()))
        }),
        Value::Array(items) => items.iter().all(|item| !item.is_null() && takes_null(item)),
        _ => true,
    }
}

#[test]
fn the_published_schema_is_a_schema() {
    let args = CompiledArgs::of(&Everything::__spec()).unwrap();
    assert!(jsonschema::meta::is_valid(args.schema()));
    assert!(!args.schema().to_string().contains("mcp-kit"));
}

#[test]
fn the_schema_and_decoding_agree() {
    mcp_kit::testing::assert_schema_agrees::<Everything>();
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(tag = "do", rename_all = "lowercase")]
enum Command {
    Find {
        #[garde(length(chars, min = 1))]
        text: String,
        #[garde(range(min = 1))]
        #[serde(default = "one")]
        page: u32,
    },
    Delete {
        #[garde(skip)]
        id: u32,
        #[garde(skip)]
        force: Option<bool>,
    },
    List,
}

fn one() -> u32 {
    1
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Request {
    #[garde(skip)]
    tenant: Option<String>,
    #[garde(dive)]
    #[serde(flatten)]
    command: Command,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
enum Target {
    File(#[garde(skip)] String),
    Page {
        #[garde(skip)]
        number: u8,
    },
    Lines(#[garde(skip)] Vec<u32>),
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(untagged)]
enum Lookup {
    ById {
        #[garde(skip)]
        id: u32,
    },
    ByName {
        #[garde(skip)]
        first: String,
        #[garde(skip)]
        last: Option<String>,
    },
}

/// What is decoded, shown, where a host gives every published name.
fn with_nulls(args: &CompiledArgs, given: &Value, show: fn(Decoded) -> String) {
    let mut filled = given.clone();
    let names = args.schema()["properties"].as_object().unwrap().keys();
    for name in names {
        let members = filled.as_object_mut().unwrap();
        members.entry(name.clone()).or_insert(Value::Null);
    }
    let decode = |input: &Value| args.decode(Some(&input.to_string()));
    let plain = decode(given).unwrap_or_else(|violations| panic!("{given}: {violations}"));
    let filled = decode(&filled).unwrap_or_else(|violations| panic!("{filled}: {violations}"));
    assert_eq!(show(plain), show(filled), "{given}");
}

fn show<T: std::fmt::Debug + 'static>(decoded: Decoded) -> String {
    match decoded {
        Decoded::Typed(value) => format!("{:?}", value.downcast::<T>().unwrap()),
        Decoded::Json(map) => format!("{map:?}"),
    }
}

#[test]
fn a_host_may_fill_every_published_argument_of_an_enum_with_null() {
    let commands = [
        json!({ "do": "find", "text": "a" }),
        json!({ "do": "find", "text": "a", "page": 2 }),
        json!({ "do": "delete", "id": 1 }),
        json!({ "do": "list" }),
    ];
    let command = CompiledArgs::of(&Command::__spec()).unwrap();
    let request = CompiledArgs::of(&Request::__spec()).unwrap();
    for given in &commands {
        with_nulls(&command, given, show::<Command>);
        with_nulls(&request, given, show::<Request>);
    }
    let target = CompiledArgs::of(&Target::__spec()).unwrap();
    for given in [
        json!({ "File": "a" }),
        json!({ "Page": { "number": 1 } }),
        json!({ "Lines": [1] }),
    ] {
        with_nulls(&target, &given, show::<Target>);
    }
    let lookup = CompiledArgs::of(&Lookup::__spec()).unwrap();
    for given in [json!({ "id": 1 }), json!({ "first": "a", "last": "b" })] {
        with_nulls(&lookup, &given, show::<Lookup>);
    }
}
