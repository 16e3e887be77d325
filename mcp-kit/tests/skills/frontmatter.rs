//! YAML as JSON: every field as it was written, and what is refused of it.

use mcp_kit::skills::{Skill, Skills};
use serde_json::{Value, json};

use super::problem;

/// The frontmatter of a skill with these lines after its name and description.
fn fields(lines: &str) -> Value {
    let text = format!("---\nname: a\ndescription: d\n{lines}\n---\n");
    let skills = Skills::builder().skill(Skill::new(text)).build().unwrap();
    let mut fields = skills.entries()[0].frontmatter().clone();
    assert_eq!(fields.remove("name"), Some("a".into()));
    assert_eq!(fields.remove("description"), Some("d".into()));
    fields.into()
}

/// Why a skill with these lines after its name and description is refused.
fn refused(lines: &str) -> String {
    let text = format!("---\nname: a\ndescription: d\n{lines}\n---\n");
    problem(Skill::new(text))
}

#[test]
fn every_field_is_kept() {
    assert_eq!(
        fields(concat!(
            "license: Apache-2.0\n",
            "metadata:\n  author: \"example-org\"\n  version: \"1.0\"\n  empty:\n",
            "allowed-tools:\n  - Bash(git:*)\n  - Read\n",
            "x-list: [1, two, {three: 3.5}]\n",
            "x-block: |\n  one\n  two\n",
            "x-folded: >-\n  one\n  two\n",
            "x-on: yes\n",
            "x-date: 2026-11-27\n",
            "x-time: 12:30\n",
        )),
        json!({
            "license": "Apache-2.0",
            "metadata": {"author": "example-org", "version": "1.0", "empty": null},
            "allowed-tools": ["Bash(git:*)", "Read"],
            "x-list": [1, "two", {"three": 3.5}],
            "x-block": "one\ntwo\n",
            "x-folded": "one two",
            // YAML 1.2 has no other booleans than these two words, and no dates.
            "x-on": "yes",
            "x-date": "2026-11-27",
            "x-time": "12:30",
        })
    );
}

#[test]
fn scalars_have_the_types_of_the_core_schema() {
    let scalars = [
        ("~", json!(null)),
        ("Null", json!(null)),
        ("nUll", json!("nUll")),
        ("True", json!(true)),
        ("FALSE", json!(false)),
        ("'true'", json!("true")),
        ("\"1\"", json!("1")),
        ("0", json!(0)),
        ("-17", json!(-17)),
        ("+3", json!(3)),
        ("0x1F", json!(31)),
        ("0o17", json!(15)),
        ("0x", json!("0x")),
        ("0b1", json!("0b1")),
        ("1_000", json!("1_000")),
        ("1.50", json!(1.5)),
        ("-.5", json!(-0.5)),
        ("1.", json!(1.0)),
        ("1e3", json!(1000.0)),
        ("12e-1", json!(1.2)),
        (".", json!(".")),
        ("1e", json!("1e")),
        ("e1", json!("e1")),
        ("+-1", json!("+-1")),
        ("1.2.3", json!("1.2.3")),
        ("9007199254740991", json!(9_007_199_254_740_991_u64)),
        ("-9007199254740991", json!(-9_007_199_254_740_991_i64)),
        ("\"\\u00e9\\0\"", json!("é\0")),
    ];
    for (text, value) in scalars {
        assert_eq!(fields(&format!("x: {text}")), json!({"x": value}), "{text}");
    }
}

#[test]
fn yaml_with_more_than_one_reading_is_refused() {
    let long = format!("x: {}1{}", "[".repeat(40), "]".repeat(40));
    let deep: String = (0..40)
        .map(|level| format!("{}a:\n", " ".repeat(level)))
        .collect();
    for (lines, why) in [
        ("x: &a 1\ny: *a", "line 5: aliases are not supported"),
        ("x: !!str 1", "line 4: tags such as !!str are not supported"),
        ("x: !mine {}", "line 4: tags"),
        (
            "x: 1\nx: 2",
            "line 5: the key \"x\" occurs twice; remove one",
        ),
        (
            "1: x",
            "line 4: the key \"1\" is not a string; write it in quotes",
        ),
        ("~: x", "is not a string"),
        ("? [a]\n: b", "line 4: a key must be a string"),
        ("x: 9007199254740992", "outside of ±(2^53 - 1)"),
        ("x: -99999999999999999999999999", "outside of ±(2^53 - 1)"),
        ("x: 0xFFFFFFFFFFFFFFFFFF", "outside of ±(2^53 - 1)"),
        ("x: 1e999", "line 4: the number \"1e999\" is too large"),
        ("x: -.inf", "JSON has no number \"-.inf\""),
        ("x: .NaN", "JSON has no number \".NaN\""),
        ("x: [1", "its frontmatter is not YAML"),
        ("x: \"open", "its frontmatter is not YAML"),
        ("\tx: 1", "its frontmatter is not YAML"),
        ("...\nx: 1", "line 5: a second YAML document begins"),
        (
            &long,
            "line 4: it is nested more than 16 levels deep; flatten it",
        ),
        (&deep, "it is nested more than 16 levels deep"),
    ] {
        let problem = refused(lines);
        assert!(problem.contains(why), "{lines:?}: {problem}");
    }
}

#[test]
fn file_must_begin_with_frontmatter_that_ends() {
    let problem = |text: &str| problem(Skill::new(text));
    let begins = "it must begin with YAML frontmatter";
    for text in [
        "",
        "# Title",
        "\n---\nname: a\n---\n",
        "--- \nname: a\n---\n",
        "---name: a",
    ] {
        assert!(problem(text).contains(begins), "{text:?}");
    }
    let marked = problem("\u{FEFF}---\nname: a\ndescription: d\n---\n");
    assert!(marked.contains("byte order mark"), "{marked}");
    let open = problem("---\nname: a\ndescription: d\n");
    assert!(open.contains("has no end"), "{open}");
    let list = problem("---\n- name\n---\n");
    assert!(list.contains("must be a YAML mapping"), "{list}");
    let nothing = problem("---\n---\n");
    assert!(nothing.contains("must be a YAML mapping"), "{nothing}");
    let long = format!(
        "---\nname: a\ndescription: d\nx: {}\n---\n",
        "x".repeat(65_536)
    );
    assert!(problem(&long).contains("more than 65536"));
    // Line ends of Windows, and spaces behind the last line, are allowed.
    for text in [
        "---\r\nname: a\r\ndescription: d\r\n---\r\nText",
        "---\nname: a\ndescription: d\n---\t ",
    ] {
        let skills = Skills::builder().skill(Skill::new(text)).build().unwrap();
        assert_eq!(skills.entries()[0].description(), "d");
    }
}

#[test]
fn name_and_description_follow_the_agent_skills_specification() {
    let with = |fields: &str| problem(Skill::new(format!("---\n{fields}\n---\n")));
    assert!(with("name: a").contains("its frontmatter has no \"description\"; add it"));
    assert!(with("description: a").contains("no string \"name\"; add it"));
    assert!(with("name: 1\ndescription: a").contains("no string \"name\"; add it"));
    assert!(with("name: a\ndescription: 1").contains("its \"description\" is not a string"));
    assert!(with("name: a\ndescription: ''").contains("must have 1 to 1024 characters"));
    let long = format!("name: a\ndescription: {}", "é".repeat(1_025));
    assert!(with(&long).contains("it has 1025"));
    let compatibility = "name: a\ndescription: d\ncompatibility: ";
    assert!(with(&format!("{compatibility}''")).contains("must have 1 to 500 characters"));
    assert!(with(&format!("{compatibility}[]")).contains("its \"compatibility\" is not a string"));
    let long = "a".repeat(65);
    for name in [
        "A", "a_b", "-a", "a-", "a--b", "é", "'a b'", "''", "a.b", "'../a'", &long,
    ] {
        let problem = with(&format!("name: {name}\ndescription: d"));
        let is_name = problem.contains("\"name\" must have 1 to 64 characters");
        assert!(is_name || problem.contains("its path"), "{name}: {problem}");
    }
    let longest = "a".repeat(64);
    let text = format!(
        "---\nname: {longest}\ndescription: {}\n---\n",
        "é".repeat(1_024)
    );
    Skills::builder().skill(Skill::new(text)).build().unwrap();
}
