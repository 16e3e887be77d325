//! Random input: nothing panics, hangs, or leads to a file that is not one of a
//! skill. The same in every run.

use std::time::{Duration, Instant};

use mcp_kit::skills::{Skill, Skills};
use mcp_kit::testing::TestClient;
use serde_json::{Value, json};

use super::{Folder, serve, skill_md};

/// xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn text(&mut self, words: &[&str], most: usize) -> String {
        let number = self.below(most);
        (0..number)
            .map(|_| words[self.below(words.len())])
            .collect()
    }
}

const YAML: &[&str] = &[
    "a",
    "b: ",
    ": ",
    "- ",
    "? ",
    "\n",
    "\n  ",
    "\n    ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&x ",
    "*x",
    "!!str ",
    "!<tag:x> ",
    "| \n",
    ">-\n",
    "\"",
    "'",
    "#",
    "%YAML 1.2\n",
    "...\n",
    "\t",
    "\r",
    "\u{85}",
    "\u{FEFF}",
    "é",
    "1e99",
    "0x",
    "<<: ",
    "~",
    "@",
    "`",
    "\\x",
    "\0",
    "|9\n",
    "- - - ",
    "[[[[",
    "{{{{",
    "\u{2028}",
];

#[test]
fn random_frontmatter_never_panics() {
    let mut random = Random(0x5EED);
    let (mut good, mut bad) = (0, 0);
    for round in 0..20_000 {
        let yaml = random.text(YAML, 40);
        let text = format!("---\nname: a\ndescription: d\n{yaml}\n---\n");
        match Skills::builder().skill(Skill::new(text)).build() {
            Ok(skills) => {
                good += 1;
                // What was accepted is JSON that reads the same again.
                let entries = skills.entries();
                let json = serde_json::to_string(&*entries[0]).unwrap();
                let back: Value = serde_json::from_str(&json).unwrap();
                let fields = Value::from(entries[0].frontmatter().clone());
                assert_eq!(back["frontmatter"], fields, "{round}");
            }
            Err(_) => bad += 1,
        }
    }
    assert!(good > 500 && bad > 500, "{good} {bad}");
}

#[test]
fn largest_frontmatter_of_any_shape_is_refused_in_time() {
    let bomb = "x: &a [1,1]\n".to_owned()
        + &(0..200)
            .map(|n| format!("x{n}: [*a, *a, *a]\n"))
            .collect::<String>();
    let wide: String = (0..5_000).map(|n| format!("k{n}: {n}\n")).collect();
    let shapes = [
        bomb,
        wide,
        "[".repeat(60_000),
        "{".repeat(60_000),
        "- ".repeat(30_000),
        "? ".repeat(30_000),
        format!("x: {}", "a: ".repeat(20_000)),
        format!("x: [{}]", "a,".repeat(30_000)),
        format!("x: {{{}}}", "? a ".repeat(10_000)),
        format!("x: \"{}\"", "\\n".repeat(30_000)),
        format!("x: {}", "&a ".repeat(20_000)),
        format!("x: |\n{}", " \n".repeat(30_000)),
        (0..240).map(|n| format!("{}a:\n", " ".repeat(n))).collect(),
    ];
    for (number, shape) in shapes.into_iter().enumerate() {
        let text = format!("---\nname: a\ndescription: d\n{shape}\n---\n");
        let began = Instant::now();
        let built = Skills::builder().skill(Skill::new(text)).build();
        let took = began.elapsed();
        assert!(took < Duration::from_secs(5), "{number}: {took:?}");
        let is_fine = [1, 7, 8, 9, 11].contains(&number);
        assert_eq!(built.is_ok(), is_fine, "{number}: {:?}", built.err());
    }
}

const URI: &[&str] = &[
    "skill:",
    "SKILL://",
    "file://",
    "skill://",
    "/",
    "//",
    "a",
    "b",
    "SKILL.md",
    "..",
    ".",
    "%2e%2e",
    "%2F",
    "%2f",
    "%5C",
    "\\",
    "%00",
    "\0",
    "?",
    "#",
    "%",
    "%25",
    "%252F",
    "é",
    "%C3%A9",
    "%FF",
    "secret.md",
    "{+path}",
    " ",
    "docs",
];

#[tokio::test]
async fn random_uris_lead_to_files_of_skills_alone() {
    let folder = Folder::with(&[
        ("../secret.md", "a secret outside"),
        ("beside.md", "a secret beside"),
        ("a/SKILL.md", &skill_md("a")),
        ("a/.hidden.md", "a secret inside"),
        ("a/docs/b.md", "inside"),
        ("b/a/SKILL.md", &skill_md("a")),
    ]);
    let server = serve(&folder.load().unwrap());
    let client = TestClient::modern(&server).await;
    let mut random = Random(0xBEEF);
    let mut found = 0;
    for _ in 0..3_000 {
        let uri = format!("skill://{}", random.text(URI, 7));
        for method in ["resources/read", "resources/directory/read", "skills/get"] {
            match client.request(method, json!({"uri": uri})).await {
                Ok(result) => {
                    found += 1;
                    let result = result.to_string();
                    assert!(!result.contains("secret"), "{method} {uri}: {result}");
                }
                Err(error) => assert_eq!(error.code(), Some(-32602), "{method} {uri}: {error}"),
            }
        }
    }
    assert!(found > 10, "{found}");
}
