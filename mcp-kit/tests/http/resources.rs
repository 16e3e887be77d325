//! Resources over HTTP: the header that repeats the URI, scopes, and paths that
//! clients encode.

use mcp_kit::auth::{ApiKeys, ProtectedResource};
use mcp_kit::prelude::*;
use mcp_kit::testing::{RequestError, TestClient, TestHttpClient};
use serde_json::{Value, json};

use crate::kit::Tokens;

/// For every caller.
#[resource(uri = "docs://index")]
async fn index() -> &'static str {
    "index"
}

/// For administrators.
#[resource(uri = "secret://admin", scope = "admin")]
async fn secret() -> &'static str {
    "welcome"
}

fn with_keys() -> TestHttpClient {
    let keys = "alice:key-of-alice-0001:admin,bob:key-of-bob-000002";
    let keys = ApiKeys::from_list(keys).unwrap();
    let server = Server::builder("test", "1")
        .resource::<index>()
        .resource::<secret>()
        .without_call_log()
        .http(|http| http.authenticate(keys));
    TestClient::http(&server.build().unwrap())
}

/// A client of each era.
async fn both(http: TestHttpClient) -> [TestClient; 2] {
    let modern = http.clone().modern().connect().await.unwrap();
    [http.connect().await.unwrap(), modern]
}

#[tokio::test]
async fn a_resource_is_listed_and_read_with_its_scope_alone() {
    for client in both(with_keys().key("key-of-alice-0001")).await {
        assert_eq!(client.list_resources().await.len(), 2);
        let secret = client.read_resource("secret://admin").await;
        assert_eq!(secret.text(), "welcome");
    }
    for (client, code) in both(with_keys().key("key-of-bob-000002"))
        .await
        .iter()
        .zip([-32002, -32602])
    {
        let list = client.list_resources().await;
        assert_eq!(list.len(), 1, "{list:?}");
        let refused = client
            .read_resource("secret://admin")
            .outcome()
            .await
            .unwrap_err();
        let unknown = client
            .read_resource("secret://nobody")
            .outcome()
            .await
            .unwrap_err();
        assert_eq!((refused.code(), unknown.code()), (Some(code), Some(code)));
        let (refused, unknown) = (refused.to_string(), unknown.to_string());
        assert_eq!(refused, unknown);
        assert_eq!(client.read_resource("docs://index").await.text(), "index");
    }
}

fn read(uri: &str) -> Value {
    json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "resources/read",
        "params": {
            "uri": uri,
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    })
}

#[tokio::test]
async fn the_name_header_repeats_the_uri() {
    let http = with_keys().key("key-of-alice-0001").modern();
    let mut answer = http.post(&read("docs://index")).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.contains("\"index\""));
    for name in ["docs://other", "index", ""] {
        let mut refused = http
            .clone()
            .header("mcp-name", name)
            .post(&read("docs://index"))
            .await;
        assert_eq!(refused.status(), 400, "{name}");
        assert!(refused.text().await.contains("-32020"), "{name}");
    }
}

#[tokio::test]
async fn a_token_without_the_scope_is_refused_with_403_and_the_scope_to_ask_for() {
    let metadata = ProtectedResource::new("https://mcp.example.com/mcp").unwrap();
    let server = Server::builder("test", "1")
        .resource::<secret>()
        .without_call_log()
        .http(|http| http.authenticate(Tokens(metadata)))
        .build()
        .unwrap();
    for http in [
        TestClient::http(&server),
        TestClient::http(&server).modern(),
    ] {
        let client = http.bearer("the-token").connect().await.unwrap();
        let refusal = match client.read_resource("secret://admin").outcome().await {
            Err(RequestError::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        };
        assert_eq!(refusal.status(), 403);
        let challenge = refusal.header("www-authenticate").unwrap();
        assert!(
            challenge.contains("insufficient_scope") && challenge.contains("scope=\"admin\""),
            "{challenge}"
        );
    }
}

/// What a client encodes reaches the guard decoded, once.
#[cfg(feature = "fs")]
#[tokio::test]
async fn a_path_in_a_uri_is_decoded_once_and_guarded() {
    use garde::Validate;
    use mcp_kit::guard::{SandboxDir, SandboxPath};
    use schemars::JsonSchema;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
    struct FileArgs {
        /// The path of the file.
        #[garde(skip)]
        path: SandboxPath,
    }

    /// A file of the folder.
    #[resource(uri = "file://{+path}")]
    async fn file(args: FileArgs, State(root): State<SandboxDir>) -> Result<String, ToolError> {
        Ok(root.read_text(&args.path, 1_024).await?)
    }

    let folder = std::env::temp_dir().join(format!("mcp-kit-resources-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("in")).unwrap();
    std::fs::write(folder.join("in/a b.txt"), "inside").unwrap();
    std::fs::write(folder.join("in/%2e%2e"), "a name with percent signs").unwrap();
    std::fs::write(folder.join("secret"), "hunter2").unwrap();
    let root = SandboxDir::open(folder.join("in")).unwrap();
    let server = Server::builder("test", "1")
        .resource::<file>()
        .state(root)
        .without_call_log();
    for client in both(TestClient::http(&server.build().unwrap())).await {
        let text = async |uri: &str| {
            client
                .read_resource(uri)
                .outcome()
                .await
                .map(|read| read.text())
        };
        assert_eq!(text("file://a%20b.txt").await.as_deref(), Ok("inside"));
        let twice = text("file://%252e%252e").await;
        assert_eq!(twice.as_deref(), Ok("a name with percent signs"));
        for uri in [
            "file://../secret",
            "file://..%2Fsecret",
            "file://%2e%2e/secret",
            "file://%2E%2E%2Fsecret",
            "file:///etc/passwd",
            "file://%2Fetc%2Fpasswd",
            "file://a%00b",
        ] {
            let error = text(uri).await.unwrap_err();
            assert_eq!(error.code(), Some(-32602), "{uri}: {error}");
            let error = error.to_string();
            assert!(error.contains("path"), "{uri}: {error}");
            let folder = folder.to_string_lossy();
            assert!(
                !error.contains("hunter2") && !error.contains(&*folder),
                "{error}"
            );
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}
