//! Rules of garde: each is published and reported, or a build error.

use super::*;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) struct Texts {
    #[garde(ascii)]
    a: Option<String>,
    #[garde(alphanumeric)]
    b: Option<String>,
    #[garde(prefix("a+"), suffix(".rs"))]
    c: Option<String>,
    #[garde(contains("(x)"))]
    d: Option<String>,
    #[garde(ip)]
    e: Option<String>,
    #[garde(ipv4)]
    f: Option<String>,
    #[garde(skip)]
    g: Option<std::net::IpAddr>,
    #[garde(ascii, length(chars, min = 2, max = 3))]
    h: Option<String>,
    #[garde(length(bytes, max = 4))]
    #[tool_args(rule = "must fit into 4 bytes of UTF-8")]
    i: Option<String>,
    #[garde(skip)]
    j: Option<char>,
}

#[test]
fn rules_that_schemars_drops_are_published_and_reported() {
    let schema = schema::<Texts>();
    let of = |name: &str| schema["properties"][name].clone();
    assert_eq!(
        of("a"),
        json!({"type":"string","pattern":r"^[\x00-\x7F]*$"})
    );
    assert_eq!(
        of("b"),
        json!({"type":"string","description":"Must contain only letters and digits."})
    );
    assert_eq!(of("c")["pattern"], json!(r"^a\+"));
    assert_eq!(of("c")["allOf"], json!([{"pattern": r"\.rs$"}]));
    assert_eq!(of("d")["pattern"], json!(r"\(x\)"));
    assert_eq!(
        of("e")["anyOf"],
        json!([{"format":"ipv4"},{"format":"ipv6"}])
    );
    assert_eq!(of("f")["format"], json!("ipv4"));
    assert_eq!(of("g")["anyOf"], of("e")["anyOf"]);
    assert_eq!(
        (of("h")["minLength"].clone(), of("h")["maxLength"].clone()),
        (json!(2), json!(3))
    );
    assert_eq!(of("i")["maxLength"], json!(4));
    assert_eq!(
        of("i")["description"],
        json!("Must fit into 4 bytes of UTF-8.")
    );
    assert_eq!(
        refused::<Texts>(
            r#"{"a":"é","b":"a b","c":"x","d":"x","e":"1.2.3","f":"::1","g":"me","h":"abcd","i":"ééé","j":"ab"}"#
        ),
        "a: must contain only ASCII characters; b: must contain only letters and digits; \
         c: must start with \"a+\"; c: must end with \".rs\"; d: must contain \"(x)\"; \
         e: must be an IP address; f: must be an IPv4 address; g: must be an IP address; \
         h: must have at most 3 characters; i: must fit into 4 bytes of UTF-8; \
         j: must have exactly 1 character"
    );
    decoded::<Texts>(
        r#"{"a":"a","b":"ab1é","c":"a+.rs","d":"-(x)","e":"::1","f":"1.2.3.4","g":"::1","h":"ab","i":"éé","j":"é"}"#,
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) struct Numbers {
    #[garde(skip)]
    a: Option<u64>,
    #[garde(skip)]
    b: Option<i64>,
    #[garde(skip)]
    c: Option<u128>,
    #[garde(range(min = 0.5, max = 1.5))]
    d: Option<f64>,
    #[garde(skip)]
    e: Option<std::num::NonZeroU8>,
    #[garde(skip)]
    f: Option<std::num::NonZeroI8>,
}

#[test]
fn numbers_have_their_types_bounds() {
    let schema = schema::<Numbers>();
    let bounds = |name: &str| {
        let of = &schema["properties"][name];
        (of["minimum"].clone(), of["maximum"].clone())
    };
    // 64-bit limits are checked, and not published.
    assert_eq!(bounds("a"), (json!(0), Value::Null));
    assert_eq!(bounds("b"), (Value::Null, Value::Null));
    assert_eq!(bounds("c"), (json!(0), Value::Null));
    assert_eq!(bounds("e"), (json!(1), json!(255)));
    assert!(!schema.to_string().contains("format"));
    assert_eq!(
        refused::<Numbers>(
            r#"{"a":18446744073709551616,"b":-9223372036854775809,"c":-1,"d":2,"e":0,"f":0}"#
        ),
        "a: must be at most 18446744073709551615; b: must be at least -9223372036854775808; \
         c: must be at least 0; d: must be at most 1.5; e: must be at least 1; f: must not be 0"
    );
    decoded::<Numbers>(r#"{"a":18446744073709551615,"c":99999999999999999999999,"d":1}"#);
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) struct Opaque {
    #[garde(skip)]
    #[tool_args(opaque)]
    #[schemars(with = "String")]
    inner: Secret,
    #[garde(length(min = 1))]
    headers: BTreeMap<String, u8>,
}

#[derive(Debug)]
pub(super) struct Secret;

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Err(serde::de::Error::custom(format!("no good: {text}")))
    }
}

#[test]
fn the_place_is_named_where_only_serde_knows_why() {
    let said = refused::<Opaque>(r#"{"headers":{"a b":1}, "inner":"hunter2"}"#);
    assert_eq!(said, "inner: has an invalid value");
    let said = refused::<Opaque>("{\n\"headers\":{\"a b\":\"x\"},\n\"inner\":\"hunter2\"}");
    assert_eq!(said, r#"headers["a b"]: must be a whole number"#);
    assert_eq!(
        refused::<Opaque>(r#"{"inner":1,"headers":{}}"#),
        "inner: must be a string; headers: must have at least 1 entry"
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate, rule = "must have a start before the end")]
#[garde(custom(ordered))]
pub(super) struct Span {
    #[garde(skip)]
    start: u32,
    #[garde(skip)]
    end: u32,
}

pub(super) fn ordered(span: &Span, (): &()) -> garde::Result {
    if span.start < span.end {
        Ok(())
    } else {
        Err(garde::Error::new(format!("{}", span.end)))
    }
}

#[test]
fn a_rule_on_the_whole_struct_is_reported_in_its_words() {
    assert_eq!(
        refused::<Span>(r#"{"start":77,"end":66}"#),
        "must have a start before the end"
    );
    assert_eq!(
        schema::<Span>()["description"],
        json!("Must have a start before the end.")
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) struct BadDefault {
    #[serde(default = "five")]
    #[garde(range(min = 6))]
    count: u8,
}

pub(super) type Text = String;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) struct HiddenBytes {
    #[garde(length(max = 5))]
    text: Text,
}

#[test]
fn disagreements_are_build_errors_with_the_fix() {
    assert!(problems::<BadDefault>()[0].contains("the default of \"count\""));
    let problem = &problems::<HiddenBytes>()[0];
    assert!(problem.starts_with("`HiddenBytes.text`") && problem.contains("length(chars, …)"));
}
