//! The server as a client sees it, and what an attacker would try.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use files::{reading_server, writing_server};
use mcp_kit::guard::SandboxDir;
use mcp_kit::testing::{CallResult, TestClient};
use serde_json::{Value, json};

const SECRET: &str = "a secret outside";

/// A copy of the sample folder, with a secret beside it. Removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("files-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("root/docs/old")).expect("a folder");
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample");
        for file in ["README.md", "docs/tides.md", "docs/old/harbour.txt"] {
            let to = folder.join("root").join(file);
            fs::copy(sample.join(file), to).expect("a copy");
        }
        fs::write(folder.join("secret.txt"), SECRET).expect("a file");
        Self(folder)
    }

    fn root(&self) -> PathBuf {
        self.0.join("root")
    }

    async fn reading(&self) -> TestClient {
        let dir = SandboxDir::open(self.root()).expect("the folder");
        TestClient::new(&reading_server(dir).expect("a server")).await
    }

    async fn writing(&self, quota: u64) -> TestClient {
        let dir = SandboxDir::open_writable(self.root(), quota).expect("the folder");
        TestClient::new(&writing_server(dir).expect("a server")).await
    }

    /// Calls a tool that must refuse in words of its own; nothing of the host is shown.
    async fn refusal(&self, client: &TestClient, tool: &str, arguments: Value) -> String {
        let result = client.call(tool, arguments.clone()).await;
        let text = result.text().to_string();
        assert!(result.is_error(), "{tool} {arguments}: {text}");
        for part in [
            SECRET,
            self.0.to_str().expect("a path"),
            "os error",
            "reference",
        ] {
            assert!(!text.contains(part), "{tool} {arguments}: {text}");
        }
        text
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn good(client: &TestClient, tool: &str, arguments: Value) -> CallResult {
    let result = client.call(tool, arguments).await;
    assert!(!result.is_error(), "{tool}: {}", result.text());
    result
}

fn paths(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list");
    list.iter()
        .map(|row| row["path"].as_str().expect("a path"))
        .collect()
}

#[tokio::test]
async fn folders_are_listed_with_sizes_and_dates() {
    let folder = Folder::new();
    let client = folder.reading().await;
    let found = good(&client, "list_files", json!({})).await;
    let found = found.structured().expect("a list");
    assert_eq!(paths(&found["entries"]), ["README.md", "docs"]);
    assert_eq!(found["hasMore"], false);
    assert_eq!(found["entries"][1]["kind"], "folder");
    let modified = found["entries"][0]["modified"].as_str().expect("a date");
    assert!(
        modified.starts_with("20") && modified.ends_with('Z'),
        "{modified}"
    );

    let everything = json!({ "folder": "docs", "depth": 16 });
    let found = good(&client, "list_files", everything).await;
    assert_eq!(
        paths(&found.structured().expect("a list")["entries"]),
        ["docs/old", "docs/old/harbour.txt", "docs/tides.md"]
    );
    let one = good(&client, "list_files", json!({ "maxEntries": 1 })).await;
    assert_eq!(one.structured().expect("a list")["hasMore"], true);

    let info = good(&client, "file_info", json!({ "path": "docs/tides.md" })).await;
    let size = fs::metadata(folder.root().join("docs/tides.md"))
        .expect("a file")
        .len();
    assert_eq!(info.structured().expect("details")["size"], size);
}

#[tokio::test]
async fn files_are_found_by_name_and_by_text() {
    let folder = Folder::new();
    let client = folder.reading().await;
    for (arguments, expected) in [
        (
            json!({ "glob": "*.md" }),
            vec!["README.md", "docs/tides.md"],
        ),
        (
            json!({ "glob": "docs/**/*.txt" }),
            vec!["docs/old/harbour.txt"],
        ),
        (json!({ "glob": "*.md", "folder": "docs/old" }), vec![]),
        (json!({ "text": "moon" }), vec!["docs/tides.md"; 2]),
        (
            json!({ "text": "Marta", "glob": "*.txt" }),
            vec!["docs/old/harbour.txt"; 2],
        ),
        (json!({ "text": "Marta", "glob": "*.md" }), vec![]),
    ] {
        let found = good(&client, "search_files", arguments.clone()).await;
        let found = found.structured().expect("matches");
        let mut paths = paths(&found["matches"]);
        paths.sort_unstable();
        assert_eq!(paths, expected, "{arguments}");
        assert_eq!(found["complete"], true);
    }
    let found = good(&client, "search_files", json!({ "text": "Ystad" })).await;
    let found = &found.structured().expect("matches")["matches"];
    assert_eq!(
        found[1],
        json!({ "path": "docs/old/harbour.txt", "line": 4, "text": "17:05 Marta, to Ystad, grain" })
    );
    let some = good(
        &client,
        "search_files",
        json!({ "text": "Ystad", "maxResults": 1 }),
    )
    .await;
    assert_eq!(some.structured().expect("matches")["complete"], false);
    folder.refusal(&client, "search_files", json!({})).await;
    folder
        .refusal(&client, "search_files", json!({ "glob": "[" }))
        .await;
}

#[tokio::test]
async fn lines_are_read_in_ranges() {
    let folder = Folder::new();
    let client = folder.reading().await;
    let harbour = "docs/old/harbour.txt";
    let read = |from, lines| json!({ "path": harbour, "fromLine": from, "lines": lines });
    let result = good(&client, "read_file", read(2, 2)).await;
    let blocks = result.json()["content"].clone();
    assert_eq!(
        blocks[0]["text"],
        "07:45 Nordwind, from Kiel, empty\n11:20 Ane Bi, from Skagen, fish\n"
    );
    assert_eq!(
        blocks[1]["text"],
        "[The file goes on. Read from line 4 for more.]"
    );
    let result = good(&client, "read_file", read(4, 5)).await;
    assert_eq!(result.text(), "17:05 Marta, to Ystad, grain\n");
    let text = folder.refusal(&client, "read_file", read(5, 1)).await;
    assert_eq!(text, "The file has only 4 lines.");

    // Long lines are cut, and the whole is no more than a model can read.
    fs::write(
        folder.root().join("long"),
        format!("{}\nlast\n", "é".repeat(1 << 20)),
    )
    .expect("a file");
    let result = good(&client, "read_file", json!({ "path": "long" })).await;
    let shown = "é".repeat(8 * 1024);
    assert_eq!(
        result.text(),
        format!("{shown} [cut: the line is longer than 16 KiB]\nlast\n")
    );
    fs::write(folder.root().join("many"), "0123456789\n".repeat(20_000)).expect("a file");
    let result = good(
        &client,
        "read_file",
        json!({ "path": "many", "lines": 5000 }),
    )
    .await;
    let result = result.json()["content"][0]["text"].as_str().map(str::len);
    assert_eq!(result, Some(5000 * 11));
    fs::write(folder.root().join("binary"), b"\xff\xfe\x00").expect("a file");
    folder
        .refusal(&client, "read_file", json!({ "path": "binary" }))
        .await;
}

#[tokio::test]
async fn a_search_for_text_ignores_binary_files() {
    let folder = Folder::new();
    let client = folder.reading().await;
    fs::write(folder.root().join("binary"), b"a moonstone\n\0").expect("a file");
    let long = format!("a moonstone\n{}\0", "text\n".repeat(50_000));
    fs::write(folder.root().join("long"), long).expect("a file");
    let found = good(&client, "search_files", json!({ "text": "moonstone" })).await;
    let found = found.structured().expect("matches");
    assert_eq!(found, &json!({ "matches": [], "complete": true }));
}

/// Users with all rights, such as root, read every file: then everything was searched.
#[cfg(unix)]
#[tokio::test]
async fn a_search_is_incomplete_if_the_server_may_not_read_a_file() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let client = folder.reading().await;
    let hidden = folder.root().join("hidden");
    fs::write(&hidden, "nothing").expect("a file");
    fs::set_permissions(&hidden, fs::Permissions::from_mode(0o000)).expect("permissions");
    let found = good(&client, "search_files", json!({ "text": "moon" })).await;
    let found = found.structured().expect("matches");
    assert_eq!(paths(&found["matches"]), ["docs/tides.md"; 2]);
    assert_eq!(found["complete"], fs::File::open(hidden).is_ok());
}

/// A piece of 64 KiB that is all line ends is as quick to read as any other.
#[tokio::test]
async fn short_lines_are_counted_and_numbered_across_pieces() {
    let folder = Folder::new();
    let client = folder.reading().await;
    let text = format!("{}moonstone\n{}", "\n".repeat(200_000), "\n".repeat(70_000));
    fs::write(folder.root().join("lines"), text).expect("a file");
    let found = good(&client, "search_files", json!({ "text": "moonstone" })).await;
    let found = found.structured().expect("matches");
    assert_eq!(found["matches"][0]["line"], 200_001);
    let read = json!({ "path": "lines", "fromLine": 200_001, "lines": 2 });
    let result = good(&client, "read_file", read).await;
    assert_eq!(result.json()["content"][0]["text"], "moonstone\n\n");
}

#[tokio::test]
async fn tools_that_change_files_are_offered_only_if_asked_for_and_say_what_they_do() {
    let folder = Folder::new();
    let names = |tools: &[Value]| -> Vec<String> {
        tools
            .iter()
            .filter_map(|tool| tool["name"].as_str().map(Into::into))
            .collect()
    };
    let reading = folder.reading().await.list_tools().await;
    assert_eq!(
        names(&reading),
        ["list_files", "search_files", "read_file", "file_info"]
    );
    assert!(
        reading
            .iter()
            .all(|tool| tool["annotations"]["readOnlyHint"] == true)
    );
    let writing = folder.writing(1 << 20).await.list_tools().await;
    assert_eq!(
        names(&writing)[4..],
        ["write_file", "move_file", "create_folder", "delete"]
    );
    for tool in &writing[4..] {
        let destructive = tool["name"] != "create_folder";
        assert_eq!(
            tool["annotations"]["destructiveHint"], destructive,
            "{tool}"
        );
    }
}

#[tokio::test]
async fn files_are_written_moved_and_deleted() {
    let folder = Folder::new();
    let client = folder.writing(1 << 20).await;
    let write = |content: &str, overwrite| json!({ "path": "new/a.txt", "content": content, "overwrite": overwrite });
    let text = folder
        .refusal(&client, "write_file", write("one", false))
        .await;
    assert_eq!(text, "\"new\" does not exist.");
    good(&client, "create_folder", json!({ "path": "new" })).await;
    good(&client, "write_file", write("one", false)).await;
    let text = folder
        .refusal(&client, "write_file", write("two", false))
        .await;
    assert_eq!(text, "\"new/a.txt\" exists already.");
    good(&client, "write_file", write("two", true)).await;
    let onto = json!({ "from": "new/a.txt", "to": "README.md" });
    folder.refusal(&client, "move_file", onto).await;
    good(
        &client,
        "move_file",
        json!({ "from": "new/a.txt", "to": "b.txt" }),
    )
    .await;
    let read = good(&client, "read_file", json!({ "path": "b.txt" })).await;
    assert_eq!(read.text(), "two\n");
    folder
        .refusal(&client, "delete", json!({ "path": "docs" }))
        .await;
    for path in ["b.txt", "new"] {
        good(&client, "delete", json!({ "path": path })).await;
        folder
            .refusal(&client, "delete", json!({ "path": path }))
            .await;
    }
    let full = json!({ "path": "full", "content": "x".repeat(900_000) });
    good(&client, "write_file", full).await;
    let full = json!({ "path": "fuller", "content": "x".repeat(900_000) });
    let text = folder.refusal(&client, "write_file", full).await;
    assert!(
        text.starts_with("There is no room for \"fuller\""),
        "{text}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn no_tool_reaches_outside_of_the_folder() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new();
    symlink("../secret.txt", folder.root().join("out")).expect("a link");
    symlink("..", folder.root().join("up")).expect("a link");
    symlink("/", folder.root().join("slash")).expect("a link");
    let client = folder.writing(1 << 20).await;
    let secret = folder.0.join("secret.txt");
    for path in [
        "../secret.txt",
        "/etc/passwd",
        "",
        "a\0b",
        "..\\secret.txt",
        "out",
        "up/secret.txt",
        "slash/etc/passwd",
        "docs/../../secret.txt",
        secret.to_str().expect("a path"),
    ] {
        for tool in ["read_file", "file_info"] {
            folder.refusal(&client, tool, json!({ "path": path })).await;
        }
        for tool in ["list_files", "search_files"] {
            folder
                .refusal(&client, tool, json!({ "folder": path, "text": "secret" }))
                .await;
        }
        if path == "out" {
            continue;
        }
        for tool in ["delete", "create_folder"] {
            folder.refusal(&client, tool, json!({ "path": path })).await;
        }
        let write = json!({ "path": path, "content": "x", "overwrite": true });
        folder.refusal(&client, "write_file", write).await;
        for (from, to) in [(path, "stolen"), ("README.md", path)] {
            let moved = json!({ "from": from, "to": to, "overwrite": true });
            folder.refusal(&client, "move_file", moved).await;
        }
    }
    let found = good(&client, "search_files", json!({ "text": "secret" })).await;
    assert_eq!(found.structured().expect("matches")["matches"], json!([]));
    // A link is replaced and deleted itself; what it leads to stays.
    let write = json!({ "path": "out", "content": "x", "overwrite": true });
    good(&client, "write_file", write).await;
    good(&client, "delete", json!({ "path": "up" })).await;
    assert_eq!(fs::read_to_string(secret).expect("the secret"), SECRET);
    assert!(!folder.0.join("stolen").exists());
}

#[tokio::test]
async fn a_search_that_left_something_out_says_so() {
    for (folder_depth, line, complete) in [
        (15, "moon".to_owned(), true),
        (16, "moon".to_owned(), false),
        (1, format!("{}moon", "x".repeat(20_000)), false),
    ] {
        let folder = Folder::new();
        let deepest = folder.root().join(["deep"; 16][..folder_depth].join("/"));
        fs::create_dir_all(&deepest).expect("folders");
        fs::write(deepest.join("last.txt"), line).expect("a file");
        let client = folder.reading().await;
        let arguments = json!({ "text": "moon", "glob": "last.txt" });
        let found = good(&client, "search_files", arguments).await;
        let found = found.structured().expect("matches");
        assert_eq!(found["complete"], complete, "{folder_depth}");
        assert_eq!(paths(&found["matches"]).len(), usize::from(complete));
    }
}

/// A file that claims ten gigabytes.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn huge_files_are_neither_held_nor_searched() {
    let folder = Folder::new();
    let file = fs::File::create(folder.root().join("huge")).expect("a file");
    file.set_len(10 << 30).expect("a sparse file");
    let client = folder.reading().await;
    let found = good(&client, "search_files", json!({ "text": "moon" })).await;
    let found = found.structured().expect("matches");
    assert_eq!(found["complete"], false);
    assert_eq!(paths(&found["matches"]), ["docs/tides.md"; 2]);
    folder
        .refusal(&client, "read_file", json!({ "path": "huge" }))
        .await;
    let info = good(&client, "file_info", json!({ "path": "huge" })).await;
    assert_eq!(info.structured().expect("details")["size"], 10_u64 << 30);
}
