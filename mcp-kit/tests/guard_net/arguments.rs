//! `SafeUrl` as the type of an argument.

use garde::Validate;
use mcp_kit::__private::CompiledArgs;
use mcp_kit::ToolArgs;
use mcp_kit::guard::SafeUrl;
use schemars::JsonSchema;
use serde::Deserialize;

#[allow(dead_code, reason = "read through its schema")]
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Fetch {
    /// The page to read.
    #[garde(skip)]
    url: SafeUrl,
    #[garde(skip)]
    mirror: Option<SafeUrl>,
    #[garde(length(max = 2))]
    #[serde(default)]
    more: Vec<SafeUrl>,
    #[garde(dive)]
    #[serde(default)]
    checked: Option<SafeUrl>,
    #[garde(length(chars, min = 1))]
    reason: String,
}

fn compiled() -> CompiledArgs {
    CompiledArgs::of(&Fetch::__spec()).unwrap()
}

fn report(arguments: &str) -> String {
    match compiled().decode(Some(arguments)) {
        Ok(_) => "taken".to_owned(),
        Err(violations) => violations.to_string(),
    }
}

#[test]
fn a_refused_url_is_one_finding_among_the_others() {
    let text = report(
        r#"{"url": "http://root:hunter2@127.0.0.1/", "mirror": "ftp://example.com/",
            "more": ["http://0x7f.1/", "https://example.com/"], "checked": "http://a b/",
            "reason": "", "depth": 1}"#,
    );
    for finding in [
        "url: must not contain a user name or password",
        "mirror: must be an http or https URL such as https://example.com/page",
        "more[0]: must write an IPv4 address as four decimal numbers such as 192.0.2.1",
        "checked: must not contain spaces, control characters or backslashes",
        "reason: must have at least 1 character",
        "unknown argument \"depth\"",
    ] {
        assert!(text.contains(finding), "{finding} is missing: {text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn another_type_than_text_is_named_and_absent_urls_are_absent() {
    let text = report(r#"{"url": 5, "reason": "r"}"#);
    assert_eq!(
        text,
        "Invalid arguments: url: must be an http or https URL such as https://example.com/page"
    );
    assert_eq!(
        report(r#"{"url": "https://example.com/", "reason": "r"}"#),
        "taken"
    );
    assert_eq!(
        report(r#"{"url": "https://example.com/", "mirror": null, "reason": "r"}"#),
        "taken"
    );
}

#[test]
fn the_schema_is_a_uri_and_agrees_with_the_type() {
    mcp_kit::testing::assert_schema_agrees::<Fetch>();
    let compiled = compiled();
    let schema = compiled.schema();
    let url = &schema["properties"]["url"];
    assert_eq!(url["type"], "string");
    assert_eq!(url["format"], "uri");
    assert_eq!(url["description"], "The page to read.");
    assert_eq!(schema["properties"]["more"]["items"]["format"], "uri");
}
