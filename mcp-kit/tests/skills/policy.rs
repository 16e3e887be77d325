//! Which callers may see which skills: what is hidden does not exist.

use mcp_kit::skills::{Skill, SkillEntry, Skills, SkillsBuilder};
use mcp_kit::testing::{SubscriptionFilter, TestClient};
use mcp_kit::{Principal, Server};
use serde_json::{Value, json};

use super::{skill_md, uris};

/// Skills of two teams, one inside of the other team's, and one for all.
fn skills() -> SkillsBuilder {
    let refunds = Skill::new(skill_md("refunds")).prefix("support");
    let inner = Skill::new(skill_md("inner")).prefix("support/refunds");
    Skills::builder()
        .skill(refunds.file("docs/a.md", "a"))
        .skill(inner)
        .skill(Skill::new(skill_md("deploy")).prefix("ops"))
        .skill(Skill::new(skill_md("style")).prefix("all"))
}

/// The skills of the caller's teams; of the inner one only its own.
fn of_team(caller: &Principal, skill: &SkillEntry) -> bool {
    let team = skill.path().split('/').next().unwrap_or_default();
    team == "all" || team == caller.name() || skill.name() == caller.name()
}

async fn client(server: &Server, name: &str, scopes: &[&str]) -> TestClient {
    let builder =
        TestClient::builder(server).principal(Principal::new(name, scopes.iter().copied()));
    let version = mcp_kit::protocol::ProtocolVersion::V2026_07_28;
    builder.version(version).connect().await
}

async fn listed(client: &TestClient, method: &str, member: &str) -> Vec<String> {
    let list = client.request(method, json!({})).await.unwrap();
    uris(list[member].as_array().unwrap())
}

#[tokio::test]
async fn hidden_skill_is_in_no_list_and_answered_as_unknown() {
    let skills = skills().readable_by(of_team).build().unwrap();
    let server = Server::builder("test", "1")
        .extension(&skills)
        .without_call_log();
    let server = server.build().unwrap();
    let ops = client(&server, "ops", &[]).await;
    let seen = ["skill://all/style/SKILL.md", "skill://ops/deploy/SKILL.md"];
    assert_eq!(listed(&ops, "skills/list", "skills").await, seen);
    assert_eq!(listed(&ops, "resources/list", "resources").await, seen);
    let list = ops.request("skills/list", json!({})).await.unwrap();
    assert_eq!(list["cacheScope"], "private");

    let answer = async |method: &str, uri: &str| {
        let error = ops.request(method, json!({"uri": uri})).await.unwrap_err();
        error.to_string().replace(uri, "URI")
    };
    for (method, hidden, unknown) in [
        (
            "skills/get",
            "skill://support/refunds/SKILL.md",
            "skill://support/none/SKILL.md",
        ),
        (
            "skills/get",
            "skill://support/refunds/inner/SKILL.md",
            "skill://none/SKILL.md",
        ),
        (
            "resources/read",
            "skill://support/refunds/SKILL.md",
            "skill://none/SKILL.md",
        ),
        (
            "resources/read",
            "skill://support/refunds/docs/a.md",
            "skill://none/a.md",
        ),
        (
            "resources/directory/read",
            "skill://support",
            "skill://none",
        ),
        (
            "resources/directory/read",
            "skill://support/refunds",
            "skill://none/none",
        ),
        (
            "resources/directory/read",
            "skill://support/refunds/docs",
            "skill://none/none",
        ),
    ] {
        let hidden_answer = answer(method, hidden).await;
        assert!(
            hidden_answer.contains("-32602"),
            "{method} {hidden}: {hidden_answer}"
        );
        assert_eq!(
            hidden_answer,
            answer(method, unknown).await,
            "{method} {hidden}"
        );
    }
    let watch = SubscriptionFilter::new().resource("skill://support/refunds/SKILL.md");
    let watched = ops.subscribe(watch).await.unwrap();
    assert_eq!(watched.acknowledged().get("resourceSubscriptions"), None);
}

#[tokio::test]
async fn files_of_an_inner_skill_belong_to_both() {
    let skills = skills().readable_by(of_team).build().unwrap();
    let server = Server::builder("test", "1")
        .extension(&skills)
        .without_call_log();
    let server = server.build().unwrap();
    let inner_file = "skill://support/refunds/inner/SKILL.md";

    // A caller that may see the outer skill reads all of its manifest.
    let support = client(&server, "support", &[]).await;
    let params = json!({"uri": "skill://support/refunds/SKILL.md"});
    let entry = support.request("skills/get", params).await.unwrap();
    for file in entry["skill"]["resources"].as_array().unwrap() {
        support.read_resource(file["uri"].as_str().unwrap()).await;
    }

    // A caller that may see only the inner one reads nothing around it.
    let inner = client(&server, "inner", &[]).await;
    assert_eq!(
        listed(&inner, "resources/list", "resources").await,
        ["skill://all/style/SKILL.md", inner_file]
    );
    inner.read_resource(inner_file).await;
    let folder = json!({"uri": "skill://support/refunds"});
    let folder = inner
        .request("resources/directory/read", folder)
        .await
        .unwrap();
    assert_eq!(
        uris(folder["resources"].as_array().unwrap()),
        ["skill://support/refunds/inner"]
    );
}

#[tokio::test]
async fn without_its_scope_there_are_no_skills() {
    let skills = skills().scope("skills").build().unwrap();
    let server = Server::builder("test", "1")
        .extension(&skills)
        .without_call_log();
    let server = server.build().unwrap();
    let none = client(&server, "x", &[]).await;
    let params = json!({"uri": "skill://ops/deploy/SKILL.md"});
    for method in [
        "skills/list",
        "skills/get",
        "resources/directory/read",
        "resources/read",
    ] {
        let error = none.request(method, params.clone()).await.unwrap_err();
        assert!(
            matches!(error.code(), Some(-32601 | -32602)),
            "{method}: {error}"
        );
    }
    assert_eq!(listed(&none, "resources/list", "resources").await, [""; 0]);
    let all = client(&server, "x", &["skills"]).await;
    assert_eq!(listed(&all, "skills/list", "skills").await.len(), 4);
    let got: Value = all.request("skills/get", params).await.unwrap();
    assert_eq!(got["cacheScope"], "private");
    let read = all.read_resource("skill://ops/deploy/SKILL.md").await;
    assert_eq!(read.json()["cacheScope"], "private");
}
