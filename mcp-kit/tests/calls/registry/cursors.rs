//! The pages of lists, and their cursors.

use super::*;

#[tokio::test]
async fn list_pages_stay_right_when_tools_come_and_go() {
    let mut builder = Server::builder("test", "1").limits(|limits| limits.page_items = 2);
    for name in ["a", "b", "c", "d", "e"] {
        builder = builder.add(says(name, name));
    }
    let server = builder.build().unwrap();
    let client = TestClient::new(&server).await;
    let page = async |cursor: Option<&str>| {
        let list = match cursor {
            None => client.request("tools/list", json!({})).await.unwrap(),
            Some(cursor) => {
                let params = json!({"cursor": cursor});
                client.request("tools/list", params).await.unwrap()
            }
        };
        let tools = list["tools"].as_array().unwrap();
        let names: Vec<_> = tools
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect();
        (names, list["nextCursor"].as_str().map(str::to_owned))
    };
    let (first, cursor) = page(None).await;
    assert_eq!(first, ["a", "b"]);
    // The tool that the cursor points to goes, one before it comes back at the end,
    // and one after it is hidden.
    let update = server.registry().update(|changes| {
        changes.remove(Kind::Tool, "b");
        changes.remove(Kind::Tool, "a");
        changes.add(says("a", "a"));
        changes.hide(Kind::Tool, "c");
        changes.replace(says("d", "d"));
    });
    update.unwrap();
    let (second, cursor) = page(cursor.as_deref()).await;
    assert_eq!(second, ["d", "e"]);
    let (third, cursor) = page(cursor.as_deref()).await;
    assert_eq!((third, cursor), (vec!["a".to_owned()], None));

    // "x", "0", "007", "+7"
    for unreadable in ["", "x", "eA", "MA", "MDA3", "Kzc"] {
        let params = json!({"cursor": unreadable});
        let refused = client.request("tools/list", params).await.unwrap_err();
        assert!(refused.to_string().contains("unknown cursor"), "{refused}");
    }
}

/// A server of which a client sees two tools and `hidden` others stay hidden.
fn hiding(key: &[u8], hidden: usize) -> Server {
    let builder = Server::builder("test", "1").limits(|limits| limits.page_items = 1);
    let server = builder.state_key(key).build().unwrap();
    let update = server.registry().update(|changes| {
        for at in 0..hidden {
            let name: &str = format!("hidden-{at}").leak();
            changes.add(says(name, name));
            changes.hide(Kind::Tool, name);
        }
        changes.add(says("a", "a"));
        changes.add(says("b", "b"));
    });
    update.unwrap();
    server
}

async fn first_cursor(client: &TestClient) -> String {
    let list = client.request("tools/list", json!({})).await.unwrap();
    assert_eq!(list["tools"][0]["name"], "a");
    list["nextCursor"].as_str().unwrap().to_owned()
}

/// A number in it would reveal how much was registered, hidden tools included.
#[tokio::test]
async fn cursor_reveals_no_number_of_registrations() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut lengths = Vec::new();
    for hidden in [0, 9, 123] {
        let client = TestClient::new(&hiding(&[1; 32], hidden)).await;
        let cursor = first_cursor(&client).await;
        let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        let number = (hidden + 1).to_string();
        let shows = |what: &[u8]| bytes.windows(what.len()).any(|part| part == what);
        assert!(!shows(b"tools"), "{bytes:?}");
        assert!(hidden < 100 || !shows(number.as_bytes()), "{bytes:?}");
        lengths.push(bytes.len());
        // What was formerly a cursor is not accepted as one.
        for forged in ["tools1", "tools2", "1", "17"] {
            let params = json!({"cursor": URL_SAFE_NO_PAD.encode(forged)});
            let refused = client.request("tools/list", params).await.unwrap_err();
            assert_eq!(refused.code(), Some(-32602), "{forged}");
        }
    }
    assert!(
        lengths.iter().all(|length| *length == lengths[0]),
        "{lengths:?}"
    );
}

#[tokio::test]
async fn cursor_is_shared_by_replicas_with_one_key() {
    let replicas = [hiding(&[1; 32], 3), hiding(&[1; 32], 3)];
    let [one, other] = [
        TestClient::new(&replicas[0]).await,
        TestClient::new(&replicas[1]).await,
    ];
    let cursor = first_cursor(&one).await;
    assert_eq!(first_cursor(&other).await, cursor);
    let params = json!({"cursor": cursor});
    let page = other.request("tools/list", params.clone()).await.unwrap();
    assert_eq!(page["tools"][0]["name"], "b");
    let stranger = TestClient::new(&hiding(&[2; 32], 3)).await;
    let refused = stranger.request("tools/list", params).await.unwrap_err();
    assert_eq!(refused.code(), Some(-32602));
}

#[tokio::test]
async fn a_cursor_belongs_to_its_list() {
    let names = ["one", "two", "three"];
    let mut builder = Server::builder("test", "1").limits(|limits| limits.page_items = 1);
    for name in names {
        let tool = mcp_kit::tool::ToolDefinition::new(name, "Answers.");
        builder = builder.add(mcp_kit::tool::from_fn(tool, async |_| "done"));
        let prompt = mcp_kit::prompt::PromptDefinition::new(name, "Answers.");
        builder = builder.add(mcp_kit::prompt::from_fn(prompt, async |_| "done"));
        let uri = format!("docs://{name}");
        let resource = mcp_kit::resource::ResourceDefinition::new(uri, name);
        builder = builder.add(mcp_kit::resource::from_fn(resource, async |_| "done"));
    }
    let client = TestClient::new(&builder.build().unwrap()).await;
    let lists = ["tools/list", "prompts/list", "resources/list"];
    for list in lists {
        let first = client.request(list, json!({})).await.unwrap();
        let next = json!({"cursor": first["nextCursor"]});
        for other in lists {
            let page = client.request(other, next.clone()).await;
            assert_eq!(page.is_ok(), other == list, "{list}, {other}");
        }
    }
    // Base64 of "2".
    let guessed = json!({"cursor": "Mg"});
    let error = client.request("tools/list", guessed).await.unwrap_err();
    assert_eq!(error.code(), Some(-32602));
}
