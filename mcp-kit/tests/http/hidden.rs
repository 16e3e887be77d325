//! Hidden is uncallable: the matrix of methods, eras and transports. Without its
//! scope a primitive is in no list, and each method answers as for a name that
//! does not exist.

use std::time::Duration;

use garde::Validate;
use mcp_kit::auth::ApiKeys;
use mcp_kit::extension::ProtocolExtension;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::{SubscriptionFilter, TestClient, tick_on_timers};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::gate::{gate, gated};

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
#[expect(dead_code, reason = "its schema matters")]
struct Named {
    /// Whether it is loud.
    #[garde(skip)]
    loud: Option<bool>,
    /// The name.
    #[garde(skip)]
    name: Option<String>,
}

/// A tool for administrators.
#[tool(scope = "admin")]
async fn secret(_args: Named) -> &'static str {
    "secret"
}

/// A prompt for administrators.
#[prompt(name = "secret", scope = "admin")]
async fn secret_prompt(_args: Named) -> &'static str {
    "secret"
}

/// A resource for administrators.
#[resource(uri = "secret://one", scope = "admin")]
async fn secret_resource() -> &'static str {
    "secret"
}

/// A template for administrators.
#[resource(uri = "vault://secret/{name}{?loud}", scope = "admin")]
async fn secret_template(_args: Named) -> &'static str {
    "secret"
}

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
#[expect(dead_code, reason = "its schema matters")]
struct Of {
    /// What a header repeats.
    #[garde(skip)]
    of: Option<String>,
}

/// A method for administrators.
async fn secret_method(_args: Of) -> Map<String, Value> {
    Map::from_iter([("secret".to_owned(), true.into())])
}

fn extension() -> ProtocolExtension {
    ProtocolExtension::new("com.example/secret")
        .legacy()
        .method_with("secret/method", secret_method, |method| {
            method
                .scope("admin")
                .name_parameter("of")
                .for_every_client()
        })
}

fn server(scopes: &[&str]) -> Server {
    builder(scopes).build().unwrap()
}

fn builder(scopes: &[&str]) -> ServerBuilder {
    let keys = "alice:key-of-alice-0001:admin,bob:key-of-bob-000002";
    Server::builder("test", "1")
        .tool::<secret>()
        .prompt::<secret_prompt>()
        .resource::<secret_resource>()
        .resource::<secret_template>()
        .extension(extension())
        .local_scopes(scopes.iter().copied())
        .http(|http| http.authenticate(ApiKeys::from_list(keys).unwrap()))
        .without_call_log()
}

/// A client of each era, in process and over HTTP.
async fn clients(scopes: &[&str], key: &str) -> [(&'static str, TestClient); 4] {
    clients_of(&server(scopes), key).await
}

async fn clients_of(server: &Server, key: &str) -> [(&'static str, TestClient); 4] {
    let http = TestClient::http(server).key(key);
    let modern = http.clone().modern().connect().await.unwrap();
    [
        ("legacy", TestClient::new(server).await),
        ("modern", TestClient::modern(server).await),
        ("legacy over HTTP", http.connect().await.unwrap()),
        ("modern over HTTP", modern),
    ]
}

/// Every method that names a primitive, for a name of these four letters more or
/// less: `secret` exists, `sesame` does not.
fn requests(word: &str) -> Vec<(&'static str, Value)> {
    let completing =
        |reference: Value| json!({"ref": reference, "argument": {"name": "loud", "value": "t"}});
    let template = format!("vault://{word}/{{name}}{{?loud}}");
    let of_extension = match word {
        "secret" => "secret/method",
        _ => "sesame/method",
    };
    vec![
        (of_extension, json!({"of": "one"})),
        ("tools/call", json!({"name": word, "arguments": {}})),
        ("prompts/get", json!({"name": word})),
        ("resources/read", json!({"uri": format!("{word}://one")})),
        (
            "resources/read",
            json!({"uri": format!("vault://{word}/key")}),
        ),
        (
            "completion/complete",
            completing(json!({"type": "ref/prompt", "name": word})),
        ),
        (
            "completion/complete",
            completing(json!({"type": "ref/resource", "uri": template})),
        ),
    ]
}

const LISTS: [(&str, &str); 4] = [
    ("tools/list", "tools"),
    ("prompts/list", "prompts"),
    ("resources/list", "resources"),
    ("resources/templates/list", "resourceTemplates"),
];

#[tokio::test]
async fn without_its_scope_a_primitive_does_not_exist_for_any_method() {
    for (who, client) in clients(&[], "key-of-bob-000002").await {
        for (method, member) in LISTS {
            let list = client.request(method, json!({})).await.unwrap();
            assert_eq!(list[member], json!([]), "{who}, {method}");
        }
        // What is wrong with the request gives nothing away either.
        let malformed = |word: &str| {
            [
                ("tools/call", json!({"name": word, "arguments": []})),
                ("prompts/get", json!({"name": word, "arguments": 1})),
            ]
        };
        let of = |word: &str| requests(word).into_iter().chain(malformed(word));
        let pairs = of("secret").zip(of("sesame"));
        for ((method, hidden), (other, unknown)) in pairs {
            let hidden = client.request(method, hidden).await.unwrap_err();
            let unknown = client.request(other, unknown).await.unwrap_err();
            assert_eq!(hidden.code(), unknown.code(), "{who}, {method}");
            let hidden = hidden.to_string().replace("secret", "sesame");
            assert_eq!(hidden, unknown.to_string(), "{who}, {method}");
        }
    }
}

/// Neither does it wait for a turn, nor is it refused for lack of room or because the
/// server drains, unless an unknown name is.
#[tokio::test(start_paused = true)]
async fn full_or_draining_server_answers_a_hidden_name_like_an_unknown_one() {
    for (at, is_draining) in [0, 1, 2, 3]
        .into_iter()
        .flat_map(|at| [(at, false), (at, true)])
    {
        let (gate, mut entered) = gate();
        let server = builder(&[])
            .state(gate.clone())
            .tool::<gated>()
            .limits(|limits| {
                limits.calls_per_connection = 1;
                limits.calls_per_principal = 1;
                limits.pending_calls = 1;
            })
            .build()
            .unwrap();
        tick_on_timers(&server);
        let (who, client) = &clients_of(&server, "key-of-bob-000002").await[at];
        let mut calls = vec![client.call("gated", json!({}))];
        entered.recv().await.unwrap();
        calls.push(client.call("gated", json!({})));
        if is_draining {
            server.drain_handle().begin();
        }
        for ((method, hidden), (other, unknown)) in
            requests("secret").into_iter().zip(requests("sesame"))
        {
            let ask = async |method: &str, params| {
                let answer = timeout(Duration::from_secs(3), client.request(method, params)).await;
                answer
                    .unwrap_or_else(|_| panic!("{who}, {method}: no answer"))
                    .unwrap_err()
            };
            let (hidden, unknown) = (ask(method, hidden).await, ask(other, unknown).await);
            assert_eq!(hidden.code(), unknown.code(), "{who}, {method}, {hidden}");
            let hidden = hidden.to_string().replace("secret", "sesame");
            assert_eq!(hidden, unknown.to_string(), "{who}, {method}");
        }
    }
}

#[tokio::test]
async fn with_its_scope_a_primitive_is_listed_and_works() {
    for (who, client) in clients(&["admin"], "key-of-alice-0001").await {
        for (method, member) in LISTS {
            let list = client.request(method, json!({})).await.unwrap();
            assert_eq!(list[member].as_array().unwrap().len(), 1, "{who}, {method}");
        }
        for (method, mut params) in requests("secret") {
            if method == "secret/method" {
                params = json!({}); // this client sends no header for it
            }
            let result = client.request(method, params).await;
            let result = result.unwrap_or_else(|error| panic!("{who}, {method}: {error}"));
            let text = result.to_string();
            assert!(
                text.contains("secret") || text.contains("true"),
                "{who}: {text}"
            );
        }
    }
}

/// Legacy clients get an error; later ones an acknowledgement without the URI.
#[tokio::test]
async fn hidden_resource_cannot_be_watched() {
    for (who, client) in clients(&[], "key-of-bob-000002").await {
        let watch = async |uri: &str| {
            let filter = SubscriptionFilter::new().resource(uri);
            match client.subscribe(filter).await {
                Ok(subscription) => {
                    let honoured = subscription.acknowledged().to_string();
                    assert!(!honoured.contains("://"), "{who}: {honoured}");
                    honoured
                }
                Err(error) => error.to_string().replace(uri, "…"),
            }
        };
        let (hidden, unknown) = (watch("secret://one").await, watch("sesame://one").await);
        assert_eq!(hidden, unknown, "{who}");
    }
}
