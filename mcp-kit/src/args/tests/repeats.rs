//! Types that serde may decode again and again at one place.

use super::*;

/// Recursive through a member that three untagged variants have.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(untagged)]
enum Expression {
    Add {
        #[garde(dive)]
        of: Option<Box<Expression>>,
        #[garde(skip)]
        add: i32,
    },
    Times {
        #[garde(dive)]
        of: Option<Box<Expression>>,
        #[garde(skip)]
        times: i32,
    },
    Minus {
        #[garde(dive)]
        of: Option<Box<Expression>>,
        #[garde(skip)]
        minus: i32,
    },
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Calculation {
    #[garde(skip)]
    #[serde(default)]
    title: String,
    #[garde(dive)]
    expression: Expression,
}

fn nested(levels: usize, last: &str) -> String {
    let mut text = last.to_owned();
    for _ in 0..levels {
        text = format!(r#"{{"of":{text},"minus":1}}"#);
    }
    format!(r#"{{"title":"a","expression":{text}}}"#)
}

const TOO_DEEP: &str = "expression: is nested too deeply to be decoded: send fewer levels";

#[test]
fn a_recursive_untagged_enum_takes_no_more_work_than_its_text_is_worth() {
    for levels in [1, 2, 8] {
        decoded::<Calculation>(&nested(levels, r#"{"add":1}"#));
        let wrong = refused::<Calculation>(&nested(levels, r#"{"add":"x"}"#));
        assert!(!wrong.contains("too deeply"), "{wrong}");
    }
    for levels in [12, 16, 40, 120, 500] {
        for last in [r#"{"add":1}"#, r#"{"add":"x"}"#, "null"] {
            assert_eq!(refused::<Calculation>(&nested(levels, last)), TOO_DEEP);
        }
    }
    // The host sent it as text.
    let text = nested(40, "null");
    let text = text.split_once("\"expression\":").unwrap().1;
    let sent = json!({ "expression": text.strip_suffix('}').unwrap() }).to_string();
    assert_eq!(refused::<Calculation>(&sent), TOO_DEEP);
}

/// Recursive and untagged, with a member of its own for each variant.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(untagged)]
enum Condition {
    Not {
        #[garde(dive)]
        not: Box<Condition>,
    },
    All {
        #[garde(dive)]
        all: Vec<Condition>,
    },
    Has {
        #[garde(skip)]
        has: String,
    },
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Filtered {
    #[garde(dive)]
    condition: Condition,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(tag = "kind")]
enum Tagged {
    One {
        #[garde(dive)]
        next: Option<Box<Tagged>>,
    },
    Two {
        #[garde(dive)]
        next: Option<Box<Tagged>>,
    },
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Chain {
    #[garde(dive)]
    chain: Tagged,
}

#[test]
fn what_does_not_repeat_may_be_as_deep_as_json() {
    let mut text = String::from(r#"{"has":"x"}"#);
    for _ in 0..30 {
        text = format!(r#"{{"all":[{{"not":{text}}},{{"has":"y"}}]}}"#);
    }
    decoded::<Filtered>(&format!(r#"{{"condition":{text}}}"#));
    let mut text = String::from("null");
    for _ in 0..100 {
        text = format!(r#"{{"kind":"Two","next":{text}}}"#);
    }
    decoded::<Chain>(&format!(r#"{{"chain":{text}}}"#));
}

/// Any name is in both maps.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Doubling {
    #[serde(flatten)]
    #[garde(dive)]
    left: BTreeMap<String, Doubling>,
    #[serde(flatten)]
    #[garde(dive)]
    right: BTreeMap<String, Doubling>,
}

#[test]
fn two_flattened_maps_also_repeat() {
    let nested = |levels: usize| format!("{}{{}}{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    decoded::<Doubling>(&nested(6));
    for levels in [20, 40, 100] {
        assert_eq!(
            refused::<Doubling>(&nested(levels)),
            "are nested too deeply to be decoded: send fewer levels"
        );
    }
}
