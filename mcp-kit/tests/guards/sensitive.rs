//! A sensitive value reaches the tool and is seen nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use garde::Validate;
use mcp_kit::guard::Sensitive;
use mcp_kit::prelude::*;
use mcp_kit::testing::{TestClient, assert_portable, assert_schema_agrees};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroize;

use crate::log::Log;

const SECRET: &str = "hunter2-hunter2";

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Login {
    #[garde(length(chars, min = 1))]
    user: String,
    /// The password.
    #[garde(length(chars, min = 8, max = 20), ascii, prefix("hunter"))]
    password: Sensitive<String>,
    #[garde(length(bytes, max = 9))]
    #[tool_args(rule = "must have at most 9 bytes")]
    token: Option<Sensitive<String>>,
    #[garde(skip)]
    #[expect(dead_code, reason = "read by serde")]
    pin: Option<Sensitive<u32>>,
    #[garde(length(min = 1, max = 3))]
    #[serde(default = "keys")]
    keys: Sensitive<Vec<u8>>,
    #[garde(dive)]
    account: Option<Sensitive<Account>>,
}

fn keys() -> Sensitive<Vec<u8>> {
    vec![7].into()
}

#[derive(Debug, Clone, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Account {
    #[garde(length(chars, max = 4))]
    number: String,
}

impl Zeroize for Account {
    fn zeroize(&mut self) {
        self.number.zeroize();
    }
}

/// Logs its arguments, fails with them, or takes them.
#[tool]
async fn login(args: Login, State(pepper): State<Sensitive<String>>) -> Result<String, ToolError> {
    tracing::warn!(?args, ?pepper, "login");
    match args.user.as_str() {
        "fails" => Err(std::io::Error::other(format!("{args:?} {pepper:?}")))?,
        "panics" => panic!("{args:?} {pepper:?}"),
        _ if args.password.expose_secret() == SECRET => Ok("welcome".into()),
        _ => Err(user_error!("wrong: {:?}", args.password)),
    }
}

async fn client() -> TestClient {
    let server = Server::builder("test", "1")
        .state(Sensitive::from(SECRET))
        .tool::<login>()
        .build()
        .unwrap();
    TestClient::new(&server).await
}

#[test]
fn schema_and_checks_of_sensitive_arguments_agree() {
    assert_schema_agrees::<Login>();
    assert_portable(
        &Server::builder("test", "1")
            .state(Sensitive::from(SECRET))
            .tool::<login>()
            .build()
            .unwrap(),
    );
}

#[tokio::test]
async fn sensitive_arguments_are_write_only_and_keep_their_rules() {
    let tools = client().await.list_tools().await;
    let schema = &tools[0]["inputSchema"];
    assert_eq!(
        schema["properties"]["password"],
        json!({
            "type": "string",
            "description": "The password.",
            "writeOnly": true,
            "minLength": 8,
            "maxLength": 20,
            "pattern": r"^[\x00-\x7F]*$",
            "allOf": [{ "pattern": "^hunter" }],
        })
    );
    for (name, kind) in [
        ("token", "string"),
        ("pin", "integer"),
        ("keys", "array"),
        ("account", "object"),
    ] {
        let property = &schema["properties"][name];
        assert_eq!(property["writeOnly"], true, "{property}");
        assert_eq!(property["type"], kind, "{property}");
        assert_eq!(property.get("default"), None, "{property}");
    }
    assert_eq!(schema["properties"]["user"].get("writeOnly"), None);
    assert_eq!(schema["required"], json!(["user", "password"]));
}

#[tokio::test]
async fn sensitive_values_are_in_no_report_result_or_log_line() {
    let log = Log::capture();
    let client = client().await;
    let wrong = [
        // Each breaks rules, types, names or forms, and has the secret somewhere.
        json!({ "user": "a", "password": "hunter2-hunter2-hunter2-hunter2" }),
        json!({ "user": "a", "password": ["hunter2-hunter2"] }),
        json!({ "user": "a", "password": { "value": "hunter2-hunter2" } }),
        json!({ "user": "a", "password": "hünter2-hunter2" }),
        json!({ "user": "a", "password": "x-hunter2-hunter2" }),
        json!({ "user": "a", "password": SECRET, "token": "hunter2-hunter2" }),
        json!({ "user": "a", "password": SECRET, "pin": "hunter2-hunter2" }),
        json!({ "user": "a", "password": SECRET, "keys": ["hunter2-hunter2"] }),
        json!({ "user": "a", "password": SECRET, "account": { "number": "hunter2-hunter2" } }),
        json!({ "user": "a", "password": SECRET, "account": "hunter2-hunter2" }),
        json!({ "user": "", "password": SECRET, "more": "hunter2-hunter2" }),
        json!({ "user": "fails", "password": SECRET }),
        json!({ "user": "panics", "password": SECRET }),
        json!({ "user": "a", "password": "hunter2-hunter3" }),
    ];
    for arguments in wrong {
        let result = client.call("login", arguments.clone()).await;
        assert!(result.is_error(), "{arguments}");
        let shown = result.json().to_string();
        assert!(!shown.contains("hunter2"), "{arguments}: {shown}");
    }
    let right = json!({ "user": "a", "password": SECRET, "pin": 7, "token": "t" });
    assert_eq!(client.call("login", right).await.text(), "welcome");
    let lines = log.lines();
    assert!(lines.iter().any(|line| line.get("message") == "login"));
    for line in lines {
        assert!(!format!("{line:?}").contains("hunter2"), "{line:?}");
    }
}

#[tokio::test]
async fn report_of_a_sensitive_argument_has_the_rule() {
    let client = client().await;
    let report = |arguments: Value| {
        let call = client.call("login", arguments);
        async { call.await.text() }
    };
    assert_eq!(
        report(json!({ "user": "a", "password": 12345678 })).await,
        "Invalid arguments: password: must be a string"
    );
    assert_eq!(
        report(json!({ "user": "a", "password": "hunter" })).await,
        "Invalid arguments: password: must have at least 8 characters"
    );
    assert_eq!(
        report(json!({ "user": "a" })).await,
        "Invalid arguments: password: is required"
    );
    assert_eq!(
        report(json!({ "user": "a", "password": SECRET, "account": { "number": "12345" } })).await,
        "Invalid arguments: account.number: must have at most 4 characters"
    );
}

#[test]
fn errors_of_configuration_do_not_show_the_value() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "read by serde")]
    struct Config {
        password: Sensitive<String>,
        pin: Option<Sensitive<u32>>,
    }
    let error = |text: &str| {
        serde_json::from_str::<Config>(text)
            .unwrap_err()
            .to_string()
    };
    let hidden = "the value does not have the expected form, and is not shown because it is \
                  sensitive at line 1 column";
    for text in [
        r#"{"password": ["hunter2"]}"#,
        r#"{"password": 1234567, "pin": 1}"#,
        r#"{"password": "a", "pin": "hunter2"}"#,
        r#"{"password": "a", "pin": -1234567}"#,
    ] {
        assert!(error(text).starts_with(hidden), "{}", error(text));
    }
    assert!(error("{}").starts_with("missing field `password`"));
    let error = "hunter2".parse::<Sensitive<u32>>().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let password: Sensitive<String> = SECRET.parse().unwrap();
    assert_eq!(password.expose_secret(), SECRET);
    assert_eq!(
        format!("{password:?} {password:#?}")
            .matches("hidden")
            .count(),
        2
    );
}

#[cfg(feature = "cli")]
#[test]
fn a_refused_option_does_not_show_the_value() {
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Options {
        #[arg(long)]
        token: Sensitive<String>,
        #[arg(long)]
        pin: Option<Sensitive<u32>>,
    }
    let options = Options::try_parse_from(["x", "--token", SECRET, "--pin", "7"]).unwrap();
    assert_eq!(options.token.expose_secret(), SECRET);
    assert_eq!(options.pin.as_ref().map(Sensitive::expose_secret), Some(&7));
    assert!(!format!("{options:?}").contains("hunter2"));
    let error = Options::try_parse_from(["x", "--token", "t", "--pin", SECRET]).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("invalid value for '--pin <PIN>'"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

/// Counts how often its memory is wiped.
#[derive(Clone)]
struct Wiped(Arc<AtomicUsize>);

impl Zeroize for Wiped {
    fn zeroize(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn the_value_and_each_clone_are_wiped_when_dropped() {
    let count = Arc::new(AtomicUsize::new(0));
    let value = Sensitive::new(Wiped(count.clone()));
    let clone = value.clone();
    drop(value);
    assert_eq!(count.load(Ordering::SeqCst), 1);
    drop(clone);
    assert_eq!(count.load(Ordering::SeqCst), 2);
}
