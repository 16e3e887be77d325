//! Random run-time schemas, the same in every run: whatever JSON a schema is,
//! `build()` succeeds or reports, and the calls of a tool that was built end
//! without a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mcp_kit::Server;
use mcp_kit::call::Call;
use mcp_kit::caller::Principal;
use mcp_kit::server::CallError;
use mcp_kit::tool::{ErrorKind, ToolDefinition, ToolError, ToolResult, from_fn};
use serde_json::{Map, Value, json};

const SCHEMAS: usize = 1_000;

const KEYWORDS: &[&str] = &[
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$ref",
    "$schema",
    "$vocabulary",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "contentEncoding",
    "contentSchema",
    "default",
    "definitions",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "deprecated",
    "description",
    "else",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "id",
    "if",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "nullable",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "readOnly",
    "required",
    "then",
    "title",
    "type",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
    "x-mcp-header",
    "x-taplo",
];

const TEXTS: &[&str] = &[
    "",
    "#",
    "#/",
    "#/$defs/a",
    "#/$defs/b",
    "#/properties/a",
    "#/properties/%25/~0~1",
    "#a",
    "a",
    "b",
    "é\u{202e}\0",
    "array",
    "boolean",
    "date",
    "email",
    "http://127.0.0.1:1/schema",
    "https://json-schema.org/draft/2020-12/schema",
    "http://json-schema.org/draft-04/schema#",
    "integer",
    "ipv4",
    "null",
    "number",
    "object",
    "string",
    "urn:x#y",
    "uuid",
];

const PATTERNS: &[&str] = &[
    "",
    "^a+$",
    "(a*)*$",
    "(?=a)b",
    "(?<n>a)\\k<n>",
    "[",
    "\\p{L}{1000}{1000}",
    "\\u{110000}",
    "a{99999999999999999999}",
    "^(?:(?:a?){50}){50}$",
    "\\d+\\c",
];

const NUMBERS: &[&str] = &[
    "0",
    "-0.0",
    "1",
    "-1",
    "0.1",
    "1.0",
    "1e308",
    "-1e308",
    "5e-324",
    "9007199254740993",
    "18446744073709551615",
    "-9223372036854775808",
    "1e20",
];

/// xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    fn number(&mut self) -> Value {
        serde_json::from_str(self.of(NUMBERS)).unwrap()
    }

    /// Any JSON.
    fn any(&mut self, depth: usize) -> Value {
        match self.below(if depth > 4 { 5 } else { 8 }) {
            0 => Value::Null,
            1 => (self.below(2) == 0).into(),
            2 | 3 => self.number(),
            4 => self.of(TEXTS).into(),
            5 => (0..self.below(4)).map(|_| self.any(depth + 1)).collect(),
            6 => self.schema(depth + 1),
            _ => self.map(|random| random.any(depth + 1)),
        }
    }

    fn map(&mut self, mut value: impl FnMut(&mut Self) -> Value) -> Value {
        let members = self.below(4);
        let members = (0..members).map(|_| {
            let name = self.of(&["a", "b", "%/~", "é", "$ref", "type", ""]);
            (name.to_owned(), value(self))
        });
        members.collect::<Map<_, _>>().into()
    }

    fn schemas(&mut self, depth: usize) -> Value {
        (0..self.below(4)).map(|_| self.schema(depth)).collect()
    }

    /// JSON that is shaped like a schema, with a mistake now and then.
    fn schema(&mut self, depth: usize) -> Value {
        if self.below(12) == 0 {
            return self.any(depth + 1);
        }
        if depth > 6 || self.below(10) == 0 {
            return (self.below(2) == 0).into();
        }
        let mut schema = Map::new();
        for _ in 0..=self.below(5) {
            let keyword = self.of(KEYWORDS);
            let value = match self.below(15) {
                0 => self.any(depth + 1),
                _ => self.value_of(keyword, depth + 1),
            };
            schema.insert(keyword.to_owned(), value);
        }
        schema.into()
    }

    fn value_of(&mut self, keyword: &str, depth: usize) -> Value {
        match keyword {
            "type" => match self.below(4) {
                0 => json!([self.of(TEXTS), self.of(TEXTS)]),
                _ => self
                    .of(&["object", "array", "string", "integer", "number", "null"])
                    .into(),
            },
            "$defs" | "definitions" | "properties" | "dependentSchemas" => {
                self.map(|random| random.schema(depth))
            }
            "patternProperties" => {
                let pattern = self.of(PATTERNS).to_owned();
                json!({ pattern: self.schema(depth) })
            }
            "dependentRequired" => self.map(|random| json!([random.of(TEXTS)])),
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => self.schemas(depth),
            "required" | "enum" | "examples" => {
                (0..self.below(4)).map(|_| self.any(depth)).collect()
            }
            "pattern" => self.of(PATTERNS).into(),
            "const" | "default" => self.any(depth),
            "uniqueItems" | "nullable" | "readOnly" | "deprecated" => (self.below(2) == 0).into(),
            _ if keyword.starts_with("max") || keyword.starts_with("min") => self.number(),
            "exclusiveMaximum" | "exclusiveMinimum" | "multipleOf" => self.number(),
            _ if keyword.starts_with('$') => self.of(TEXTS).into(),
            "format" | "id" | "title" | "description" | "contentEncoding" => self.of(TEXTS).into(),
            _ => self.schema(depth),
        }
    }
}

fn definition(random: &mut Random) -> (ToolDefinition, String) {
    let mut schema = random.schema(0);
    // Most roots must be objects to get any further.
    if let Value::Object(members) = &mut schema
        && random.below(4) > 0
    {
        members.insert("type".to_owned(), "object".into());
    }
    let mut shown = schema.to_string();
    let mut definition = ToolDefinition::new("fuzzed", "Takes what its schema admits.");
    if random.below(4) == 0 {
        let output = random.schema(0);
        shown.push_str(&format!(" => {output}"));
        definition = definition.with_output_schema(output);
    }
    (definition.with_input_schema(schema), shown)
}

fn build(random: &mut Random) -> (Option<Server>, String) {
    let before = random.0;
    let (_, shown) = definition(&mut Random(before));
    let built = catch_unwind(AssertUnwindSafe(|| {
        let (definition, _) = definition(random);
        let tool = from_fn(definition, |_: Call| async {
            Ok::<_, ToolError>(ToolResult::text("done"))
        });
        Server::builder("test", "1").add(tool).build()
    }));
    match built {
        Ok(Ok(server)) => (Some(server), shown),
        Ok(Err(problems)) => {
            assert!(!problems.to_string().is_empty(), "{shown}");
            (None, shown)
        }
        Err(_) => panic!("build() panicked: {shown}"),
    }
}

#[tokio::test]
async fn a_run_time_schema_never_panics_in_build_or_in_calls() {
    let mut random = Random(0x5EED_2026);
    let principal = Principal::new("fuzz", [""; 0]);
    let mut built = 0;
    for _ in 0..SCHEMAS {
        let (server, shown) = build(&mut random);
        let Some(server) = server else { continue };
        built += 1;
        let _ = server.warnings();
        for _ in 0..3 {
            let arguments = random.map(|random| random.any(2));
            let called = server.call(&principal, "fuzzed", &arguments).await;
            if let Err(CallError::Failed { kind, .. }) = called {
                assert_ne!(kind, ErrorKind::Panic, "{shown}: {arguments}");
            }
        }
    }
    // Neither does it all go wrong in one place.
    assert!((50..SCHEMAS).contains(&built), "{built}");
}
