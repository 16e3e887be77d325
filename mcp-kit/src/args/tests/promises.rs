//! What looks as if it were checked and is not, and legal rules that need no
//! words or whose words are further out.
#![allow(unreachable_patterns)]

use super::*;
use crate::testing::assert_schema_agrees as agrees;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Inner {
    #[garde(range(max = 3))]
    x: u8,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Short(#[garde(length(chars, max = 3))] String);

/// It has no rules, so nothing has to reach it.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Free {
    #[garde(skip)]
    x: u8,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Skips {
    #[garde(skip)]
    one: Inner,
    #[garde(skip)]
    optional: Option<Box<Inner>>,
    #[garde(length(max = 3))]
    list: Vec<Inner>,
    #[garde(inner(inner(length(max = 3))))]
    #[tool_args(rule = "must each have at most 3 bytes")]
    rows: Vec<Vec<String>>,
    #[garde(skip)]
    by_name: BTreeMap<String, (u8, Short)>,
    #[garde(skip)]
    #[tool_args(opaque)]
    opaque: Option<Inner>,
    #[garde(skip)]
    free: Vec<Free>,
    #[garde(dive)]
    reached: Vec<Vec<Inner>>,
}

#[test]
fn rules_that_garde_does_not_reach_are_build_errors() {
    let or = "or mark the field `#[tool_args(opaque)]` if they must not apply";
    assert_eq!(
        problems::<Skips>(),
        [
            format!(
                "`Skips.one`: `#[garde(skip)]` turns off the rules of `Inner`: write `#[garde(dive)]`, {or}"
            ),
            format!(
                "`Skips.optional`: `#[garde(skip)]` turns off the rules of `Inner`: write `#[garde(dive)]`, {or}"
            ),
            format!(
                "`Skips.list`: nothing checks the rules of `Inner` here: add `dive` to its `#[garde(…)]`, {or}"
            ),
            format!(
                "`Skips.by_name`: `#[garde(skip)]` turns off the rules of its type: write `#[garde(dive)]`, {or}"
            ),
        ]
    );
}

#[derive(Debug, Deserialize, JsonSchema, Hash, PartialEq, Eq, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(rename_all = "lowercase")]
enum Order {
    Newest,
    #[serde(alias = "close")]
    Nearest,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Ordered {
    #[garde(skip)]
    order: Order,
    #[garde(length(min = 1))]
    orders: Vec<Order>,
}

#[test]
fn an_enum_of_names_needs_no_validate() {
    let args: Ordered = decoded(r#"{"order":"close","orders":["newest"]}"#);
    assert_eq!(args.order, Order::Nearest);
    assert_eq!(
        refused::<Ordered>(r#"{"order":"x","orders":[]}"#),
        "order: must be \"newest\" or \"nearest\"; orders: must have at least 1 item"
    );
    agrees::<Ordered>();
    assert_eq!(
        problems::<Order>(),
        [
            "`Order`: a tool's arguments are an object: derive `ToolArgs` for a struct with named fields"
        ]
    );
}

const ONE: usize = 1;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Present {
    #[garde(length(min = 1))]
    plain: String,
    #[garde(length(min = ONE))]
    constant: Option<String>,
    #[garde(length(bytes, min = 1))]
    bytes: String,
    #[garde(inner(length(utf16, min = 1)))]
    list: Vec<String>,
    #[garde(inner(range(max = 3)))]
    small: Option<u8>,
    #[garde(required, inner(range(min = 2)))]
    needed: Option<u8>,
    #[garde(inner(inner(range(max = 3))))]
    smalls: Option<Vec<i64>>,
}

#[test]
fn rules_on_which_schema_and_garde_agree_need_no_words() {
    let published = schema::<Present>();
    let properties = &published["properties"];
    assert_eq!(properties["plain"], json!({"type":"string","minLength":1}));
    assert_eq!(properties["small"]["maximum"], 3);
    assert_eq!(
        refused::<Present>(
            r#"{"plain":"","constant":"","bytes":"","list":[""],"small":4,"needed":1,"smalls":[4]}"#
        ),
        "plain: must have at least 1 character; constant: must have at least 1 character; \
         bytes: must have at least 1 character; list[0]: must have at least 1 character; \
         small: must be at most 3; needed: must be at least 2; smalls[0]: must be at most 3"
    );
    agrees::<Present>();
}

fn even(value: &u8, _: &()) -> garde::Result {
    match value % 2 {
        0 => Ok(()),
        _ => Err(garde::Error::new("odd")),
    }
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Each {
    /// Numbers.
    #[garde(length(max = 2), inner(custom(even)))]
    #[tool_args(rule = "must each be even")]
    list: Vec<u8>,
    #[garde(inner(length(max = 3)))]
    #[tool_args(rule = "must each have at most 3 bytes")]
    texts: Vec<String>,
}

#[test]
fn words_at_a_field_speak_of_its_items() {
    let published = schema::<Each>();
    assert_eq!(
        published["properties"]["list"]["description"],
        "Numbers. Must each be even."
    );
    assert_eq!(
        refused::<Each>(r#"{"list":[2,3],"texts":["éé"]}"#),
        "texts[0]: must have at most 3 bytes of UTF-8; list[1]: must each be even"
    );
    agrees::<Each>();
}

const FAR: i64 = 300;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Impossible {
    #[garde(range(min = 10, max = 1))]
    inverted: u8,
    #[garde(range(min = FAR, max = -FAR))]
    constants: Option<i64>,
    #[garde(range(max = f64::INFINITY))]
    infinite: f64,
    #[garde(range(min = f32::NAN))]
    no_number: f32,
}

#[test]
fn limits_that_nothing_can_keep_are_build_errors() {
    let finite =
        "`range` has a limit that is not a finite number: give a finite one, or leave it out";
    assert_eq!(
        problems::<Impossible>(),
        [
            "`Impossible.inverted`: no number is at least 10 and at most 1: change the `range`",
            "`Impossible.constants`: no number is at least 300 and at most -300: change the `range`",
            &format!("`Impossible.infinite`: {finite}"),
            &format!("`Impossible.no_number`: {finite}"),
        ]
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Flattened {
    #[garde(skip)]
    x: u8,
    #[garde(skip)]
    #[serde(alias = "old")]
    y: u8,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct SameNames {
    #[garde(skip)]
    #[serde(rename = "a")]
    one: u8,
    #[garde(skip)]
    #[serde(rename = "a")]
    two: u8,
    #[garde(skip)]
    #[serde(alias = "old")]
    three: u8,
    #[garde(skip)]
    x: String,
    #[garde(skip)]
    #[serde(flatten)]
    rest: Flattened,
}

#[derive(Debug, Deserialize, JsonSchema, ToolArgs)]
#[tool_args(crate = crate)]
enum SameVariants {
    First,
    #[serde(alias = "First")]
    Second,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct OfSameVariants {
    #[garde(skip)]
    order: SameVariants,
}

#[test]
fn a_name_that_leads_to_two_fields_is_a_build_error() {
    let also = |at: &str, name: &str, other: &str| {
        format!("`{at}`: {name:?} is also a name of `{other}`: rename one of the two")
    };
    assert_eq!(
        problems::<SameNames>(),
        [
            also("SameNames.two", "a", "SameNames.one"),
            also("SameNames.rest.x", "x", "SameNames.x"),
            also("SameNames.rest.y", "old", "SameNames.three"),
        ]
    );
    assert_eq!(
        problems::<OfSameVariants>(),
        [also("OfSameVariants.order.Second", "First", "First")]
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Singles {
    #[garde(range(min = 0.1, max = 0.3))]
    #[serde(default)]
    near: Option<f32>,
    #[garde(skip)]
    #[serde(default)]
    any: Vec<f32>,
}

/// serde rounds to an `f32` before garde looks; the schema does not round.
#[test]
fn limits_of_f32_are_for_what_is_written() {
    decoded::<Singles>(r#"{"near":0.3,"any":[3.4e38,-1,0.1]}"#);
    assert_eq!(
        refused::<Singles>(r#"{"near":0.30000001192092896,"any":[1e39]}"#),
        "near: must be at most 0.3; any[0]: is too large a number"
    );
    assert_eq!(
        refused::<Singles>(r#"{"near":0.30000001}"#),
        "near: must be at most 0.3"
    );
    agrees::<Singles>();
}

/// Its schema is written by hand.
#[derive(Debug, Deserialize, ToolArgs)]
#[tool_args(crate = crate)]
enum Handmade {
    One,
}

impl JsonSchema for Handmade {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Handmade".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"enum": ["One"], "minLength": 5, "not": {"const": "One"}})
    }
}

/// As is this one.
#[derive(Debug, Deserialize, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct HandmadeArgs {
    #[garde(skip)]
    text: String,
    #[garde(skip)]
    count: Vec<u8>,
    #[garde(skip)]
    one: Handmade,
}

impl JsonSchema for HandmadeArgs {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HandmadeArgs".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "minProperties": 3,
            "required": ["text", "count", "one"],
            "properties": {
                "text": {"type": "integer", "format": "email", "enum": ["a"], "examples": ["a"]},
                "count": {"type": "array", "maxItems": 3, "items": {"type": "integer", "format": "uint8", "minimum": 0, "maximum": 255, "multipleOf": 2}},
                "one": generator.subschema_for::<Handmade>(),
            }
        })
    }
}

#[test]
fn what_a_handmade_schema_promises_and_the_type_does_not_keep_is_a_build_error() {
    let wrong = |at: &str, keyword: &str, value: &str| {
        format!(
            "`HandmadeArgs{at}`: the schema says `{keyword}` {value}, and nothing checks it: \
             write the rule in `#[garde(…)]`, or take it out of the schema"
        )
    };
    assert_eq!(
        problems::<HandmadeArgs>(),
        [
            wrong("", "minProperties", "3"),
            wrong(".text", "enum", "[\"a\"]"),
            wrong(".text", "format", "\"email\""),
            wrong(".text", "type", "\"integer\""),
            wrong(".count", "maxItems", "3"),
            wrong(".count[]", "multipleOf", "2"),
            wrong(".one", "minLength", "5"),
            wrong(".one", "not", "{\"const\":\"One\"}"),
        ]
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(untagged)]
enum OneForm {
    Small {
        #[garde(range(max = 3))]
        v: u8,
    },
    Large {
        #[garde(skip)]
        v: u32,
        #[garde(skip)]
        w: Option<u8>,
    },
    Short(#[garde(length(chars, max = 3))] String),
    Number(#[garde(range(max = 3))] i64),
    Long(#[garde(skip)] String),
    Fraction(#[garde(skip)] f64),
}

/// Each of these can be distinguished from those before it, or has the same rules.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(untagged)]
enum Forms {
    ById {
        #[garde(range(min = 1))]
        id: u32,
    },
    ByName {
        #[garde(length(chars, min = 1))]
        name: String,
    },
    Same {
        /// The name.
        #[garde(length(chars, min = 1))]
        name: String,
        #[garde(skip)]
        fuzzy: bool,
    },
    Text(#[garde(length(chars, min = 1))] String),
    List(#[garde(length(min = 1))] Vec<u8>),
    Any(#[garde(skip)] bool),
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct OfForms {
    #[garde(dive)]
    forms: Option<Forms>,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct OfOneForm {
    #[garde(dive)]
    x: OneForm,
}

#[test]
fn untagged_variants_of_one_form_with_other_rules_are_build_errors() {
    let hides = |variant: &str, other: &str| {
        format!(
            "`OfOneForm.x.{variant}`: serde reads values of `{other}` as this variant, whose \
             rules then refuse them: tell the two apart with `#[serde(tag = \"…\")]`, or give \
             them the same rules"
        )
    };
    assert_eq!(
        problems::<OfOneForm>(),
        [
            hides("Small", "Large"),
            hides("Short", "Long"),
            hides("Number", "Fraction"),
        ]
    );
    agrees::<OfForms>();
}
