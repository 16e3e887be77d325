//! `SandboxPath` as the type of an argument: its schema, its report, its texts.

use garde::Validate;
use mcp_kit::guard::{SandboxDir, SandboxPath};
use mcp_kit::prelude::*;
use mcp_kit::testing::{TestClient, assert_schema_agrees};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::Scratch;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Paths {
    /// Which file to read.
    #[garde(skip)]
    path: SandboxPath,
    #[garde(dive)]
    second: Option<SandboxPath>,
    #[serde(default)]
    #[garde(length(max = 3))]
    more: Vec<SandboxPath>,
    #[serde(default)]
    #[garde(skip)]
    folder: SandboxPath,
    #[serde(default)]
    #[garde(range(max = 5))]
    lines: u8,
}

/// Reads the path and repeats the others.
#[tool]
async fn paths(args: Paths, State(dir): State<SandboxDir>) -> Result<String, ToolError> {
    let text = dir.read_text(&args.path, 100).await?;
    Ok(format!(
        "{text} {:?} {:?} {} {}",
        args.second, args.more, args.folder, args.lines
    ))
}

async fn client(scratch: &Scratch) -> TestClient {
    let server = Server::builder("files", "1.0.0").state(scratch.open());
    TestClient::new(&server.tool::<paths>().build().unwrap()).await
}

#[tokio::test]
async fn a_path_is_a_text_with_a_description_and_a_plain_pattern() {
    let client = client(&Scratch::new()).await;
    let tools = client.list_tools().await;
    let properties = &tools[0]["inputSchema"]["properties"];
    assert_eq!(
        properties["path"],
        json!({
            "type": "string",
            "description": "Which file to read. Must be a path inside the folder such as docs/notes.txt.",
            "pattern": r"^[^/\\]+(/[^/\\]+)*/?$",
        })
    );
    assert_eq!(
        properties["more"]["items"]["pattern"],
        properties["path"]["pattern"]
    );
    assert_eq!(properties["folder"]["default"], ".");
    assert_schema_agrees::<Paths>();
}

#[tokio::test]
async fn a_wrong_path_is_reported_beside_everything_else() {
    let client = client(&Scratch::new()).await;
    let result = client
        .call(
            "paths",
            json!({
                "path": "../secret.txt", "second": "/etc/passwd", "more": ["a", "a//b", ""],
                "folder": 5, "lines": 9, "pth": "x",
            }),
        )
        .await;
    let words = "must be a path inside the folder such as docs/notes.txt";
    let text = result.text();
    for at in ["path", "second", "more[1]", "more[2]", "folder"] {
        assert!(text.contains(&format!("{at}: {words}")), "{text}");
    }
    assert!(text.contains("lines: must be at most 5"), "{text}");
    assert!(text.contains("unknown argument \"pth\""), "{text}");
    assert!(
        !text.contains("secret") && !text.contains("passwd"),
        "{text}"
    );
}

#[tokio::test]
async fn a_good_path_opens_and_a_refusal_is_words_for_the_model() {
    let scratch = Scratch::new();
    let client = client(&scratch).await;
    let arguments = json!({ "path": "./docs/notes.txt", "second": "a/", "more": ["..dots.txt"] });
    assert_eq!(
        client.call("paths", arguments).await.text(),
        "notes Some(SandboxPath(\"a\")) [SandboxPath(\"..dots.txt\")] . 0"
    );
    for (path, words) in [
        ("docs", "\"docs\" is a folder."),
        (".", "\".\" is a folder."),
        (
            "no\u{202e}such.txt",
            "\"no\\u{202e}such.txt\" does not exist.",
        ),
        ("docs/notes.txt/x", "\"docs/notes.txt/x\", or a part of it"),
    ] {
        let result = client.call("paths", json!({ "path": path })).await;
        assert!(result.is_error());
        assert!(result.text().starts_with(words), "{}", result.text());
    }
}

/// What the system would do with a path that was accepted: whatever is made of
/// parts like these stays below the folder, or is refused.
#[test]
fn accepted_texts_are_relative_paths_without_a_way_up() {
    let parts = [
        "",
        ".",
        "..",
        "...",
        "..x",
        "a",
        "é",
        "\0",
        "\n",
        "\\",
        "a\\..",
        "/",
        "//",
        "~",
        "C:",
        "%2e%2e",
        "\u{202e}",
        ".mcp-kit-1",
        "\u{2024}\u{2024}",
    ];
    let mut accepted = 0;
    let mut state: u64 = 7;
    for _ in 0..200_000 {
        let mut text = String::new();
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap()
        };
        for _ in 0..random() % 6 {
            text.push_str(parts[random() % parts.len()]);
            if random() % 3 > 0 {
                text.push('/');
            }
        }
        let json = serde_json::to_string(&text).unwrap();
        let decoded = serde_json::from_str::<SandboxPath>(&json);
        let parsed = text.parse::<SandboxPath>();
        assert_eq!(decoded.is_ok(), parsed.is_ok(), "{text:?}");
        let Ok(path) = parsed else { continue };
        accepted += 1;
        // The same text means the same path again.
        assert_eq!(path.as_str().parse::<SandboxPath>().unwrap(), path);
        let mut components = std::path::Path::new(path.as_str()).components();
        if path.is_root() {
            continue;
        }
        assert!(
            components.all(|part| matches!(part, std::path::Component::Normal(_))),
            "{text:?}"
        );
        let rejoined: Vec<_> = path.as_str().split('/').collect();
        let folder = path.parent().unwrap();
        assert_eq!(folder.join(path.file_name().unwrap()).unwrap(), path);
        assert!(
            rejoined
                .iter()
                .all(|part| !part.contains(['\0', '\n', '\\']))
        );
    }
    assert!(accepted > 10_000, "{accepted}");
}
