//! Reports about enums of every representation: no form that is allowed is hidden.

use super::*;
use crate::args::compiled::Acceptance;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
enum External {
    Unit,
    New(#[garde(skip)] u8),
    Tup(#[garde(skip)] u8, #[garde(skip)] String),
    Str {
        #[garde(skip)]
        x: u8,
    },
    #[serde(alias = "Inner")]
    In(#[garde(dive)] Inner),
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Inner {
    #[garde(range(max = 3))]
    n: u8,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(untagged)]
enum Untagged {
    A {
        #[garde(range(max = 3))]
        a: u8,
    },
    Bc {
        #[garde(skip)]
        b: u8,
        #[garde(skip)]
        c: u8,
    },
    Text(#[garde(length(chars, max = 3))] String),
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) enum Keyed {
    A(#[garde(range(max = 3))] u8),
    B(#[garde(skip)] String),
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Tagged {
    Find {
        #[garde(length(chars, min = 1))]
        text: String,
        #[garde(skip)]
        limit: Option<u8>,
    },
    Drop {
        #[garde(skip)]
        id: u32,
    },
    List,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) struct FlatKeyed {
    #[garde(skip)]
    y: u8,
    #[garde(dive)]
    #[serde(flatten)]
    keyed: Keyed,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) struct FlatTagged {
    #[garde(skip)]
    y: Option<u8>,
    #[garde(dive)]
    #[serde(flatten)]
    tagged: Tagged,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(untagged)]
pub(super) enum Plain {
    A {
        #[garde(range(max = 3))]
        a: u8,
        #[garde(skip)]
        more: Option<u8>,
    },
    Bc {
        #[garde(skip)]
        b: u8,
        #[garde(skip)]
        c: u8,
    },
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) struct FlatPlain {
    #[garde(skip)]
    y: Option<u8>,
    #[garde(dive)]
    #[serde(flatten)]
    plain: Plain,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Holder {
    #[garde(dive)]
    x: Option<External>,
    #[garde(dive)]
    u: Option<Untagged>,
    #[garde(dive)]
    k: Option<Vec<Keyed>>,
    #[garde(dive)]
    t: Option<Tagged>,
}

#[test]
fn a_report_names_every_form_of_an_enum() {
    let external = "x: must be \"Unit\", or an object with one member named \"New\", \"Tup\", \
                    \"Str\" or \"In\"";
    let untagged = "u: fits none of the allowed forms: a string; an object with one member named \
                    \"a\"; an object with \"b\" and \"c\"";
    for (raw, said) in [
        (r#"{"x":"Str"}"#, external),
        (r#"{"x":{"Unit":{}}}"#, external),
        (r#"{"x":{"Unit":null}}"#, external),
        (r#"{"x":{}}"#, external),
        (r#"{"x":{"Nope":1}}"#, external),
        (r#"{"x":[1]}"#, &format!("{external}, or null")),
        (
            r#"{"x":{"New":1,"Str":{"x":1}}}"#,
            "x: must have exactly one of the members \"New\" and \"Str\"",
        ),
        (
            r#"{"x":{"Inner":{"n":1},"Str":{"x":1}}}"#,
            "x: must have exactly one of the members \"Inner\" and \"Str\"",
        ),
        (r#"{"x":{"Inner":{"n":4}}}"#, "x.In.n: must be at most 3"),
        (
            r#"{"x":{"Str":{"y":1}}}"#,
            "x.Str.x: is required; x.Str: unknown argument \"y\"",
        ),
        (r#"{"u":{}}"#, untagged),
        (
            r#"{"u":{"d":1}}"#,
            &format!("{untagged}; u: unknown argument \"d\""),
        ),
        (
            r#"{"u":{"b":"x"}}"#,
            "u.b: must be a whole number; u.c: is required",
        ),
        (r#"{"u":{"a":4}}"#, "u.a: must be at most 3"),
        (
            r#"{"u":{"a":1,"b":2,"c":3}}"#,
            "u: must have exactly one of the members \"a\" and \"b\"",
        ),
        (r#"{"u":"long"}"#, "u: must have at most 3 characters"),
        (
            r#"{"k":["A"]}"#,
            "k[0]: must be an object with one member named \"A\" or \"B\"",
        ),
        (
            r#"{"k":[{"A":1,"B":"x"},{}]}"#,
            "k[0]: must have exactly one of the members \"A\" and \"B\"; \
             k[1]: must be an object with one member named \"A\" or \"B\"",
        ),
        (
            r#"{"t":"list"}"#,
            "t: must be an object with \"kind\" as \"find\", \"drop\" or \"list\", or null",
        ),
        (
            r#"{"t":{"kind":"find","id":1}}"#,
            "t.text: is required; t: unknown argument \"id\"",
        ),
    ] {
        assert_eq!(refused::<Holder>(raw), said, "{raw}");
    }
}

#[test]
fn a_report_about_a_flattened_enum_says_what_is_missing() {
    let one_of = "must have exactly one of the members";
    for (raw, said) in [
        (r#"{"y":1}"#, format!("{one_of} \"A\" or \"B\"")),
        ("{}", format!("y: is required; {one_of} \"A\" or \"B\"")),
        (
            r#"{"y":"x","C":1}"#,
            format!("y: must be a whole number; {one_of} \"A\" or \"B\"; unknown argument \"C\""),
        ),
        (
            r#"{"y":1,"A":1,"B":"x"}"#,
            format!("{one_of} \"A\" and \"B\""),
        ),
        (r#"{"y":1,"A":4}"#, "A: must be at most 3".to_owned()),
    ] {
        assert_eq!(refused::<FlatKeyed>(raw), said, "{raw}");
    }
    assert_eq!(
        refused::<Keyed>("{}"),
        "must be an object with one member named \"A\" or \"B\""
    );
    assert_eq!(
        refused::<FlatPlain>(r#"{"y":256}"#),
        "y: must be at most 255; fits none of the allowed forms: an object with \"a\"; \
         an object with \"b\" and \"c\""
    );
    assert_eq!(refused::<FlatPlain>(r#"{"b":1}"#), "c: is required");
    assert_eq!(refused::<FlatTagged>(r#"{"y":1}"#), "kind: is required");
}

#[test]
fn a_report_about_many_forms_is_short() {
    let object = |i: usize| {
        let names: Vec<String> = (0..30).map(|n| format!("m{i}_{}", n)).collect();
        json!({ "type": "object", "properties": {}, "required": names })
    };
    let forms: Vec<Value> = (0..200).map(object).collect();
    let schema = json!({ "type": "object", "properties": { "x": { "anyOf": forms } } });
    let args = CompiledArgs::from_schema(schema).unwrap();
    let said = args.decode(Some(r#"{"x":{}}"#)).unwrap_err().to_string();
    assert!(
        said.contains("an object with \"m0_0\", ") && said.len() < 2_000,
        "{said}"
    );
}

#[test]
fn a_run_time_choice_is_reported_like_an_enum() {
    let one = |name: &str| {
        json!({ "type": "object", "additionalProperties": false, "required": [name, "y"],
                "properties": { name: { "type": "integer" }, "y": { "type": "integer" } } })
    };
    for keyword in ["oneOf", "anyOf"] {
        let schema = json!({ "properties": { "x": { keyword: [one("a"), one("b")] } } });
        let args = CompiledArgs::from_schema(schema).unwrap();
        let refused = |raw: &str| args.decode(Some(raw)).unwrap_err().to_string();
        assert!(args.decode(Some(r#"{"x":{"a":1,"y":2}}"#)).is_ok());
        assert_eq!(
            refused(r#"{"x":{"a":"x","y":2}}"#),
            "Invalid arguments: x.a: must be a whole number"
        );
        assert_eq!(
            refused(r#"{"x":{"c":1,"y":"x"}}"#),
            "Invalid arguments: x.y: must be a whole number; \
             x: must have exactly one of the members \"a\" or \"b\"; x: unknown argument \"c\""
        );
    }
}

#[test]
fn choices_agree() {
    crate::testing::assert_schema_agrees::<Holder>();
    crate::testing::assert_schema_agrees::<FlatKeyed>();
    crate::testing::assert_schema_agrees::<FlatPlain>();
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[garde(allow_unvalidated)]
struct Texts {
    text: Option<String>,
    list: Option<Vec<String>>,
    map: Option<BTreeMap<String, String>>,
    any: Option<Value>,
    #[tool_args(opaque)]
    #[schemars(with = "Option<String>")]
    odd: Option<Secret>,
    address: Option<std::net::SocketAddr>,
    other: Option<std::net::SocketAddr>,
}

#[test]
fn what_no_text_and_no_number_can_be_is_said_at_every_place() {
    let unicode = "must be valid Unicode text";
    for (raw, said) in [
        (r#"{"text":"a\ud800"}"#, format!("text: {unicode}")),
        (
            r#"{"list":["a","\udc00","\ud800x"],"map":{"k":"\ud83d"}}"#,
            format!("list[1]: {unicode}; list[2]: {unicode}; map.k: {unicode}"),
        ),
        (r#"{"any":"\ud800"}"#, format!("any: {unicode}")),
        (
            r#"{"any":{"a":[1,"\ud800"]}}"#,
            format!("any.a[1]: {unicode}"),
        ),
        (r#"{"odd":"\ud800"}"#, format!("odd: {unicode}")),
        (
            r#"{"map":{"\ud800":"x"}}"#,
            format!("map: every name {unicode}"),
        ),
        (
            r#"{"any":[1e999]}"#,
            "any[0]: is too large a number".to_owned(),
        ),
        (
            r#"{"odd":"x","text":"\ud800","address":"a","other":"b"}"#,
            format!(
                "odd: has an invalid value; text: {unicode}; \
                 address: must be an IP address with a port such as 192.0.2.1:8080 or [2001:db8::1]:8080; \
                 other: must be an IP address with a port such as 192.0.2.1:8080 or [2001:db8::1]:8080"
            ),
        ),
    ] {
        assert_eq!(refused::<Texts>(raw), said, "{raw}");
    }
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) enum Nullable {
    A(#[garde(skip)] Option<u8>),
    B(#[garde(skip)] u8),
    C(#[garde(dive)] Box<FlatTagged>),
}

/// What is decoded of arguments in which a host has filled in `null`.
fn filled<T: ToolArgs>(raw: &str) -> String {
    match compiled::<T>().accept(Some(raw), &Acceptance::default()) {
        Ok(accepted) => accepted.rewritten.map_or_else(String::new, Into::into),
        Err(violations) => panic!("{raw}: {violations}"),
    }
}

#[test]
fn a_null_for_another_variants_argument_is_left_out() {
    let find = r#"{"kind":"find","text":"a"}"#;
    for nulls in [r#","id":null}"#, r#","limit":null,"id":null}"#] {
        let sent = find.replace('}', nulls);
        let taken = find.replace('}', &nulls.replace(r#","id":null"#, ""));
        assert_eq!(filled::<Tagged>(&sent), taken);
    }
    for (taken, sent) in [
        (
            filled::<Tagged>(r#"{"text":null,"id":"5","kind":"drop","limit":null}"#),
            r#"{"id":5,"kind":"drop"}"#,
        ),
        (
            filled::<Tagged>(r#"{"text":null,"id":null,"kind":"list","limit":null}"#),
            r#"{"kind":"list"}"#,
        ),
        (
            filled::<FlatTagged>(r#"{"y":null,"text":null,"id":5.0,"kind":"drop"}"#),
            r#"{"y":null,"id":5,"kind":"drop"}"#,
        ),
        (filled::<Keyed>(r#"{"A":null,"B":"x"}"#), r#"{"B":"x"}"#),
        (filled::<Keyed>(r#"{"A":"3","B":null}"#), r#"{"A":3}"#),
        (
            filled::<FlatKeyed>(r#"{"A":null,"y":1,"B":"x"}"#),
            r#"{"y":1,"B":"x"}"#,
        ),
        (
            filled::<Plain>(r#"{"a":null,"more":null,"b":1,"c":2.0}"#),
            r#"{"b":1,"c":2}"#,
        ),
        (
            filled::<FlatPlain>(r#"{"a":1,"b":null,"c":null}"#),
            r#"{"a":1}"#,
        ),
        (
            filled::<Nullable>(r#"{"A":null,"B":null,"C":null}"#),
            r#"{"A":null}"#,
        ),
        (filled::<Nullable>(r#"{"A":null,"B":1}"#), r#"{"B":1}"#),
        (
            filled::<Nullable>(r#"{"A":2,"B":null,"C":null}"#),
            r#"{"A":2}"#,
        ),
    ] {
        assert_eq!(taken.replace(' ', ""), sent);
    }
}

#[test]
fn null_of_another_variant_is_left_out_in_a_nested_enum() {
    for (sent, taken) in [
        (
            r#"{"t":{"kind":"drop","id":5,"text":null,"limit":null}}"#,
            r#"{"t":{"kind":"drop","id":5}}"#,
        ),
        (
            r#"{"t":{"text":null,"id":"5","kind":"drop"}}"#,
            r#"{"t":{"id":5,"kind":"drop"}}"#,
        ),
        (
            r#"{"t":"{\"kind\":\"list\",\"id\":null}"}"#,
            r#"{"t":{"kind":"list"}}"#,
        ),
        (r#"{"u":{"a":1,"b":null,"c":null}}"#, r#"{"u":{"a":1}}"#),
        (
            r#"{"k":[{"A":1,"B":null},{"A":null,"B":"x"}]}"#,
            r#"{"k":[{"A":1},{"B":"x"}]}"#,
        ),
        (
            r#"{"x":{"New":null,"In":{"n":1}}}"#,
            r#"{"x":{"In":{"n":1}}}"#,
        ),
    ] {
        assert_eq!(filled::<Holder>(sent).replace(' ', ""), taken, "{sent}");
    }
    for (sent, said) in [
        // A member of the struct around it is not a member of a variant.
        (
            r#"{"t":{"kind":"list","x":null}}"#,
            "t: unknown argument \"x\"",
        ),
        (
            r#"{"t":{"kind":"drop","id":null,"text":null}}"#,
            "t.id: must be a whole number",
        ),
        (r#"{"u":{"a":4,"b":null}}"#, "u.a: must be at most 3"),
    ] {
        assert_eq!(refused::<Holder>(sent), said, "{sent}");
    }
}

#[test]
fn a_null_that_no_variant_has_is_refused_and_others_do_not_disturb_the_report() {
    for (raw, said) in [
        (
            r#"{"kind":"find","text":"","id":null,"limit":"300"}"#,
            "text: must have at least 1 character; limit: must be at most 255",
        ),
        (
            r#"{"kind":"drop","id":null,"text":null}"#,
            "id: must be a whole number",
        ),
        (
            r#"{"kind":"list","other":null}"#,
            "unknown argument \"other\"",
        ),
        (r#"{"kind":"list","id":5}"#, "unknown argument \"id\""),
    ] {
        assert_eq!(refused::<Tagged>(raw), said, "{raw}");
    }
    assert_eq!(
        refused::<Keyed>(r#"{"A":4,"B":null}"#),
        "A: must be at most 3"
    );
    assert!(
        compiled::<Keyed>()
            .decode(Some(r#"{"A":null,"B":null}"#))
            .is_err()
    );
    let strict = Acceptance {
        strict: true,
        ..Acceptance::default()
    };
    let sent = r#"{"kind":"list","id":null}"#;
    assert!(compiled::<Tagged>().accept(Some(sent), &strict).is_err());
}
