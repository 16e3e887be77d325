//! Skills: what a folder must have, what is refused of it, and what clients see, in
//! process and over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod frontmatter;
mod hostile;
mod loading;
/// The module of the crate as a part of this program. That it compiles proves that
/// it uses only public items: it is an extension that any crate could contain.
#[allow(dead_code, unreachable_pub, missing_debug_implementations)]
#[path = "../../src/skills/mod.rs"]
mod outside;
mod policy;
mod reload;
mod serving;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

// For `outside`: its `crate::…`.
use mcp_kit::skills::{Skill, Skills, SkillsError};
use mcp_kit::testing::TestClient;
#[allow(unused_imports)]
use mcp_kit::*;
use serde_json::Value;

/// A folder of skills. Removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("skills-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("skills")).unwrap();
        Self(folder)
    }

    /// Adds files by their paths in the folder of skills.
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self::new();
        for (path, content) in files {
            folder.write(path, content);
        }
        folder
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.join("skills").join(path)
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn load(&self) -> Result<Skills, SkillsError> {
        Skills::from_dir(self.path(""))
    }

    /// What is wrong with the folder, with its path cut off.
    fn problems(&self) -> Vec<String> {
        let error = self.load().expect_err("it must be refused");
        let folder = self.path("").display().to_string();
        let problems = error.problems().iter();
        let problems = problems.map(|problem| match cfg!(windows) {
            true => problem.replace(&folder, "").replace('\\', "/"),
            false => problem.replace(&folder, ""),
        });
        problems.collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The text of a `SKILL.md`.
fn skill_md(name: &str) -> String {
    format!("---\nname: {name}\ndescription: About {name}.\n---\n# {name}\n")
}

/// The problems of one skill that is made in code.
fn problem(skill: Skill) -> String {
    let error = Skills::builder().skill(skill).build();
    let error = error.expect_err("it must be refused");
    let [problem] = error.problems() else {
        panic!("{error}")
    };
    problem.clone()
}

fn serve(skills: &Skills) -> Server {
    let server = Server::builder("test", "1").extension(skills);
    server.without_call_log().build().unwrap()
}

/// Clients of 2026-07-28, over memory and over HTTP.
async fn clients(server: &Server) -> Vec<TestClient> {
    let mut clients = vec![TestClient::modern(server).await];
    #[cfg(feature = "http")]
    clients.push(TestClient::http(server).modern().connect().await.unwrap());
    clients
}

/// The code of a request that is refused.
async fn code(client: &TestClient, method: &str, params: Value) -> i64 {
    let refused = client.request(method, params).await;
    refused
        .expect_err("it must be refused")
        .code()
        .expect("a code")
}

fn uris(items: &[Value]) -> Vec<String> {
    let uris = items
        .iter()
        .map(|item| item["uri"].as_str().unwrap_or_default());
    uris.map(str::to_owned).collect()
}

#[tokio::test]
async fn skills_are_an_extension_that_any_crate_could_contain() {
    let skill = outside::Skill::new(skill_md("a"));
    let skills = outside::Skills::builder().skill(skill).build().unwrap();
    let server = Server::builder("test", "1").extension(&skills).build();
    let client = TestClient::modern(&server.unwrap()).await;
    let list = client.request("skills/list", serde_json::json!({})).await;
    assert_eq!(
        uris(list.unwrap()["skills"].as_array().unwrap()),
        ["skill://a/SKILL.md"]
    );
}
