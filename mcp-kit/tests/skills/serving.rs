//! What clients see: the declaration, the methods, the files and the folders.

use std::time::Duration;

use mcp_kit::Server;
use mcp_kit::skills::{Skill, Skills};
use mcp_kit::testing::TestClient;
use serde_json::{Value, json};

use super::{Folder, clients, code, serve, skill_md, uris};

fn folder() -> Folder {
    let folder = Folder::with(&[
        ("git-workflow/SKILL.md", &skill_md("git-workflow")),
        ("acme/refunds/SKILL.md", &skill_md("refunds")),
        ("acme/refunds/templates/letter.md", "Dear\r\n"),
        ("acme/refunds/templates/eu/letter.md", "Cher"),
        ("acme/refunds/scripts/run.py", "print()"),
    ]);
    folder.write("acme/refunds/logo.png", b"\x89PNG\r\n\x1a\n");
    folder
}

#[tokio::test]
async fn extension_and_resources_are_declared() {
    let server = serve(&folder().load().unwrap());
    let client = TestClient::modern(&server).await;
    let about = client.request("server/discover", json!({})).await.unwrap();
    assert_eq!(
        about["capabilities"]["extensions"],
        json!({"io.modelcontextprotocol/skills": {"directoryRead": true}})
    );
    assert!(about["capabilities"]["resources"].is_object(), "{about}");
}

#[tokio::test]
async fn entry_of_a_list_is_the_one_that_get_returns() {
    let folder = folder();
    let skills = Skills::builder().dir(folder.path(""));
    let skills = skills.ttl(Duration::from_secs(300)).build().unwrap();
    for client in clients(&serve(&skills)).await {
        let list = client.request("skills/list", json!({})).await.unwrap();
        assert_eq!(list["resultType"], "complete");
        assert_eq!(list["ttlMs"], 300_000);
        assert_eq!(list["cacheScope"], "public");
        assert_eq!(list.get("nextCursor"), None);
        // What a later revision may add is ignored.
        let params = json!({"cursor": null, "later": {}, "_meta": {"example.com/x": 1}});
        let again = client.request("skills/list", params).await.unwrap();
        assert_eq!(again["skills"], list["skills"]);
        let listed = list["skills"].as_array().unwrap();
        assert_eq!(
            uris(listed),
            [
                "skill://acme/refunds/SKILL.md",
                "skill://git-workflow/SKILL.md"
            ]
        );
        for entry in listed {
            let params = json!({"uri": entry["uri"]});
            let got = client.request("skills/get", params).await.unwrap();
            assert_eq!(got["skill"], *entry);
            let params = json!({"uri": entry["uri"]});
            let read = client.request("resources/read", params).await.unwrap();
            assert_eq!(
                (&read["ttlMs"], &read["cacheScope"]),
                (&json!(300_000), &json!("public"))
            );
            assert_eq!(got["resultType"], "complete");
            assert_eq!(
                (&got["ttlMs"], &got["cacheScope"]),
                (&json!(300_000), &json!("public"))
            );
        }
    }
}

#[tokio::test]
async fn files_are_read_as_they_were_digested() {
    let folder = folder();
    let server = serve(&folder.load().unwrap());
    // What happens on the disk later is not seen.
    folder.write("acme/refunds/templates/letter.md", "changed");
    for client in clients(&server).await {
        let params = json!({"uri": "skill://acme/refunds/SKILL.md"});
        let entry = client.request("skills/get", params).await.unwrap();
        let files = entry["skill"]["resources"].as_array().unwrap();
        assert_eq!(files.len(), 5);
        for file in files {
            let read = client.read_resource(file["uri"].as_str().unwrap()).await;
            let bytes = read.bytes().unwrap_or_else(|| read.text().into_bytes());
            assert_eq!(file["size"], bytes.len());
            let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
            let hex: String = digest
                .as_ref()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert_eq!(file["digest"], format!("sha256:{hex}"));
        }
        let letter = client
            .read_resource("skill://acme/refunds/templates/letter.md")
            .await;
        assert_eq!(
            letter.contents(),
            [json!({
                "uri": "skill://acme/refunds/templates/letter.md",
                "mimeType": "text/markdown",
                "text": "Dear\r\n",
            })]
        );
        let logo = client.read_resource("skill://acme/refunds/logo.png").await;
        assert_eq!(logo.contents()[0]["mimeType"], "image/png");
    }
}

#[tokio::test]
async fn files_are_resources_of_every_version() {
    let server = serve(&folder().load().unwrap());
    for client in [
        TestClient::new(&server).await,
        TestClient::modern(&server).await,
    ] {
        let resources = client.list_resources().await;
        assert_eq!(
            resources[0],
            json!({
                "uri": "skill://acme/refunds/SKILL.md",
                "name": "refunds",
                "description": "About refunds.",
                "mimeType": "text/markdown",
                "size": 60,
            })
        );
        assert_eq!(
            uris(&resources)[1..],
            [
                "skill://acme/refunds/logo.png",
                "skill://acme/refunds/scripts/run.py",
                "skill://acme/refunds/templates/eu/letter.md",
                "skill://acme/refunds/templates/letter.md",
                "skill://git-workflow/SKILL.md",
            ]
        );
        let text = client
            .read_resource("skill://git-workflow/SKILL.md")
            .await
            .text();
        assert_eq!(text, skill_md("git-workflow"));
    }
    // The methods are those of 2026-07-28.
    let legacy = TestClient::new(&server).await;
    for method in ["skills/list", "skills/get", "resources/directory/read"] {
        assert_eq!(
            code(&legacy, method, json!({"uri": "skill://a"})).await,
            -32601
        );
    }
}

#[tokio::test]
async fn folders_list_their_direct_children() {
    for client in clients(&serve(&folder().load().unwrap())).await {
        let children = async |uri: &str| {
            let params = json!({"uri": uri});
            let read = client
                .request("resources/directory/read", params)
                .await
                .unwrap();
            assert_eq!(read["resultType"], "complete");
            read["resources"].as_array().unwrap().clone()
        };
        let folder = |uri: &str, name: &str| json!({"uri": uri, "name": name, "mimeType": "inode/directory"});
        assert_eq!(
            children("skill://acme").await,
            [folder("skill://acme/refunds", "refunds")]
        );
        let refunds = children("skill://acme/refunds").await;
        assert_eq!(
            uris(&refunds),
            [
                "skill://acme/refunds/SKILL.md",
                "skill://acme/refunds/logo.png",
                "skill://acme/refunds/scripts",
                "skill://acme/refunds/templates",
            ]
        );
        assert_eq!(
            refunds[2],
            folder("skill://acme/refunds/scripts", "scripts")
        );
        assert_eq!(
            children("skill://acme/refunds/templates").await,
            [
                folder("skill://acme/refunds/templates/eu", "eu"),
                json!({
                    "uri": "skill://acme/refunds/templates/letter.md",
                    "name": "letter.md",
                    "mimeType": "text/markdown",
                    "size": 6,
                }),
            ]
        );
    }
}

#[tokio::test]
async fn unknown_uris_are_invalid_params() {
    let server = serve(&folder().load().unwrap());
    for client in clients(&server).await {
        for uri in [
            "skill://git-workflow",
            "skill://git-workflow/",
            "skill://none/SKILL.md",
            "skill://acme/SKILL.md",
            "skill://git-workflow/skill.md",
            "skill://git-workflow/SKILL.md/",
            "skill://git-workflow/SKILL.md?x",
            "skill://git-workflow/SKILL.md#x",
            "skill://git-workflow/../git-workflow/SKILL.md",
            "skill://git-workflow/%2E/SKILL.md",
            "skill://git-workflow%2FSKILL.md",
            "skill:git-workflow/SKILL.md",
            "file://git-workflow/SKILL.md",
            "skill://",
            "",
            "\u{0}",
            "SKILL.md",
            "skill://acme/refunds/scripts/run.py",
            "skill://acme/refunds/scripts/none.py",
        ] {
            let params = json!({"uri": uri});
            assert_eq!(
                code(&client, "skills/get", params.clone()).await,
                -32602,
                "{uri}"
            );
            if uri != "skill://git-workflow" {
                let directory = "resources/directory/read";
                assert_eq!(code(&client, directory, params).await, -32602, "{uri}");
            }
        }
        for uri in [
            "skill://git-workflow",
            "skill://none/SKILL.md",
            "skill://git-workflow/../x",
        ] {
            let params = json!({"uri": uri});
            assert_eq!(
                code(&client, "resources/read", params).await,
                -32602,
                "{uri}"
            );
        }
        for (method, params) in [
            ("skills/get", json!({})),
            ("skills/get", json!({"uri": 1})),
            ("skills/get", json!({"uri": "x".repeat(3_000)})),
            ("skills/list", json!({"cursor": 1})),
            ("skills/list", json!({"cursor": "no base64!"})),
            ("skills/list", json!({"cursor": "_w"})),
            ("resources/directory/read", json!({})),
            (
                "resources/directory/read",
                json!({"uri": "skill://acme", "cursor": "%"}),
            ),
        ] {
            assert_eq!(
                code(&client, method, params.clone()).await,
                -32602,
                "{method} {params}"
            );
        }
    }
}

/// All items of a list, page by page.
async fn pages(
    client: &TestClient,
    method: &str,
    member: &str,
    mut params: Value,
) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    loop {
        let page = client.request(method, params.clone()).await.unwrap();
        pages.push(page[member].as_array().unwrap().clone());
        match page.get("nextCursor") {
            Some(next) => params["cursor"] = next.clone(),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn long_lists_have_pages() {
    let many = (0..701).fold(Skills::builder(), |skills, number| {
        let long = "x".repeat(if number < 20 { 60_000 } else { 10 });
        let name = format!("s{number:03}");
        let text = format!("---\nname: {name}\ndescription: d\nlong: {long}\n---\n");
        skills.skill(Skill::new(text).prefix("team"))
    });
    let skills = many.build().unwrap();
    let server = Server::builder("test", "1")
        .extension(&skills)
        .limits(|limits| limits.page_items = 300)
        .without_call_log()
        .build()
        .unwrap();
    let client = TestClient::modern(&server).await;
    let names = |pages: &[Vec<Value>]| -> Vec<Value> {
        let entries = pages.iter().flatten();
        entries.map(|entry| entry["uri"].clone()).collect()
    };
    let listed = pages(&client, "skills/list", "skills", json!({})).await;
    let expected: Vec<Value> = (0..701)
        .map(|number| format!("skill://team/s{number:03}/SKILL.md").into())
        .collect();
    assert_eq!(names(&listed), expected);
    // Four of the large entries fit into a page; the last of them leave room for others.
    let sizes: Vec<_> = listed.iter().map(Vec::len).collect();
    assert_eq!(sizes[..4], [4; 4]);
    assert!((5..100).contains(&sizes[4]), "{sizes:?}");
    assert_eq!(sizes[5..10], [100; 5]);

    let files = pages(&client, "resources/list", "resources", json!({})).await;
    assert_eq!(names(&files), expected);
    assert_eq!(
        files.iter().map(Vec::len).collect::<Vec<_>>(),
        [300, 300, 101]
    );

    let params = json!({"uri": "skill://team"});
    let folders = pages(&client, "resources/directory/read", "resources", params).await;
    assert_eq!(folders.iter().map(Vec::len).collect::<Vec<_>>(), [500, 201]);
    let expected: Vec<Value> = (0..701)
        .map(|number| format!("skill://team/s{number:03}").into())
        .collect();
    assert_eq!(names(&folders), expected);
}

#[tokio::test]
async fn empty_set_of_skills_is_served() {
    let server = serve(&Skills::builder().build().unwrap());
    let client = TestClient::modern(&server).await;
    let list = client.request("skills/list", json!({})).await.unwrap();
    assert_eq!(list["skills"], json!([]));
    assert_eq!(client.list_resources().await.len(), 0);
}

#[tokio::test]
async fn largest_files_are_within_the_default_limit_of_results() {
    // Each of the last three has six bytes in a result.
    let odd: String = "\"\\/\n\u{1}\u{7f}é😀\u{85}\u{2028}\u{2029}".repeat(20_000);
    let encoded = serde_json::to_string(&odd).unwrap().len() + 20_000 * (4 + 3 + 3);
    let texts = [
        "x".repeat(1_023_998),
        odd + &"x".repeat(1_024_000 - encoded),
        "\u{1}".repeat(170_666),
    ];
    let skill = Skill::new(skill_md("a")).file("binary", vec![0xFF; 768_000]);
    let skill = texts
        .iter()
        .enumerate()
        .fold(skill, |skill, (number, text)| {
            skill.file(format!("{number}.txt"), text)
        });
    let skills = Skills::builder().skill(skill).build().unwrap();
    for client in clients(&serve(&skills)).await {
        for (number, text) in texts.iter().enumerate() {
            let read = client
                .read_resource(&format!("skill://a/{number}.txt"))
                .await;
            assert_eq!(read.text().len(), text.len());
        }
        let read = client.read_resource("skill://a/binary").await;
        assert_eq!(read.bytes().map(|bytes| bytes.len()), Some(768_000));
    }
}

#[tokio::test]
async fn file_above_the_limit_of_results_is_read_if_it_was_allowed() {
    let large = "x".repeat(2_000_000);
    let skill = Skill::new(skill_md("a")).file("large.txt", &large);
    let skills = Skills::builder().skill(skill).file_bytes(3_000_000).build();
    let client = TestClient::modern(&serve(&skills.unwrap())).await;
    let read = client.read_resource("skill://a/large.txt").await;
    assert_eq!(read.text().len(), large.len());
}
