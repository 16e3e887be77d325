//! Templates, routers and mistakes: what a server with resources is built of.

use super::*;

#[tokio::test]
async fn the_most_specific_template_is_read() {
    let server = Server::builder("test", "1")
        .add(fixed("a://{+all}"))
        .add(fixed("a://{one}/{two}"))
        .add(fixed("a://x/{two}"))
        .add(fixed("a://x/y"))
        .add(fixed("a://{one}.md"))
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    for (uri, from) in [
        ("a://x/y", "a://x/y"),
        ("a://x/z", "a://x/{two}"),
        ("a://w/z", "a://{one}/{two}"),
        ("a://w.md", "a://{one}.md"),
        ("a://w/z/y", "a://{+all}"),
        ("A://%78/%79", "a://x/y"),
    ] {
        assert_eq!(client.read_resource(uri).await.text(), from, "{uri}");
    }
}

#[test]
fn what_cannot_work_is_an_error_of_build() {
    #[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
    #[allow(dead_code, reason = "only its shape matters")]
    struct Args {
        #[garde(skip)]
        page: String,
        #[garde(skip)]
        needed: u8,
        #[garde(skip)]
        list: Vec<String>,
        #[garde(skip)]
        extra: Option<String>,
    }
    /// Disagrees with its template.
    #[resource(uri = "docs://{pge}/{list}{?needed}")]
    async fn page(_: Args) -> &'static str {
        ""
    }
    /// Has arguments without variables.
    #[resource(uri = "docs://all")]
    async fn all(_: Args) -> &'static str {
        ""
    }
    /// Has variables without arguments.
    #[resource(uri = "docs://one/{a}/{b}")]
    async fn none() -> &'static str {
        ""
    }
    let error = Server::builder("test", "1")
        .resource::<page>()
        .resource::<all>()
        .resource::<none>()
        .add(fixed("a://{x}/b"))
        .add(fixed("a://a/{y}"))
        .add(fixed("a://{broken"))
        .add(fixed("A://upper"))
        .add(fixed("b://one"))
        .add(fixed("b://one"))
        .build()
        .unwrap_err()
        .to_string();
    for expected in [
        "resource template \"docs://{pge}/{list}{?needed}\": its variable {pge} has no field",
        "its argument \"page\" is not in the template, so no URI can give it a value; write {page} or {?page}",
        "its argument \"needed\" is required, but a URI may omit {?needed}",
        "its argument \"list\" is a list, but the parts of a URI are texts",
        "resource \"docs://all\": its function takes arguments, but its URI has no variable",
        "its template has variables (a, b), but its function takes no argument struct",
        "the templates \"a://{x}/b\" and \"a://a/{y}\" are ambiguous",
        "\"a://{broken\": its template: \"{broken\" has no closing brace",
        "its URI must be written in its normal form: a://upper",
        "two resources have the URI \"b://one\"; change one",
    ] {
        assert!(error.contains(expected), "{expected}\n{error}");
    }
}

#[tokio::test]
async fn a_run_time_change_keeps_templates_apart() {
    let server = Server::builder("test", "1")
        .add(fixed("a://{x}"))
        .build()
        .unwrap();
    let registry = server.registry();
    let error = registry.add(fixed("a://{y}")).unwrap_err();
    assert!(error.to_string().contains("are ambiguous"), "{error}");
    registry.add(fixed("a://b-{y}")).unwrap();
    let client = TestClient::new(&server).await;
    assert_eq!(client.read_resource("a://b-1").await.text(), "a://b-{y}");
    registry.hide(Kind::ResourceTemplate, "a://b-{y}").unwrap();
    assert_eq!(failure(&client, "a://b-1").await.0, -32002);
    registry
        .remove(Kind::ResourceTemplate, "a://b-{y}")
        .unwrap();
    assert_eq!(client.read_resource("a://b-1").await.text(), "a://{x}");
    registry
        .update(|changes| {
            changes.remove(Kind::ResourceTemplate, "a://{x}");
            changes.add(fixed("a://{y}"));
        })
        .unwrap();
    assert_eq!(client.read_resource("a://b-1").await.text(), "a://{y}");
}

/// A prefix is for names: the URI of a resource stays.
#[tokio::test]
async fn routers_prefix_names_and_not_uris() {
    let router = Router::new().resource::<index>().scope("docs");
    let server = Server::builder("test", "1")
        .nest("manual_", router)
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let listed = client.list_resources().await;
    assert_eq!(listed[0]["name"], "manual_index");
    assert_eq!(listed[0]["uri"], "docs://index");
}

#[tokio::test]
async fn a_server_without_resources_has_no_such_methods() {
    let server = Server::builder("test", "1").tool::<ping>().build().unwrap();
    for client in both(&server).await {
        for method in [
            "resources/list",
            "resources/templates/list",
            "resources/read",
        ] {
            let error = client
                .request(method, json!({"uri": "a://b"}))
                .await
                .unwrap_err();
            assert_eq!(error.code(), Some(-32601), "{method}");
        }
    }
    let only_template = Server::builder("test", "1")
        .resource::<note>()
        .build()
        .unwrap();
    let client = TestClient::modern(&only_template).await;
    assert_eq!(client.list_resources().await, [] as [Value; 0]);
    let discovered = client.request("server/discover", json!({})).await.unwrap();
    assert!(
        discovered["capabilities"]["resources"].is_object(),
        "{discovered}"
    );
}
