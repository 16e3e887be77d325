//! Folders of skills, and skills that are made in code.

use mcp_kit::skills::{Skill, Skills};
use serde_json::json;

use super::{Folder, problem, skill_md};

fn uris(skills: &Skills) -> Vec<String> {
    let entries = skills.entries();
    entries.iter().map(|entry| entry.uri().to_owned()).collect()
}

#[test]
fn folders_with_a_skill_md_are_skills() {
    let folder = Folder::with(&[
        ("README.md", "Not a part of a skill."),
        (".git/SKILL.md", "Neither."),
        ("git-workflow/SKILL.md", &skill_md("git-workflow")),
        ("git-workflow/.env", "KEY=secret"),
        ("acme/billing/refunds/SKILL.md", &skill_md("refunds")),
        ("acme/billing/refunds/examples/e mail@2x.md", "Dear"),
        ("acme/notes.txt", "Not a part of a skill."),
        ("empty/deeper/x.txt", ""),
    ]);
    folder.write("git-workflow/logo.png", b"\x89PNG");
    let skills = folder.load().unwrap();
    assert_eq!(
        uris(&skills),
        [
            "skill://acme/billing/refunds/SKILL.md",
            "skill://git-workflow/SKILL.md",
        ]
    );
    let refunds = &skills.entries()[0];
    assert_eq!(refunds.path(), "acme/billing/refunds");
    assert_eq!(refunds.name(), "refunds");
    assert_eq!(refunds.description(), "About refunds.");
    assert_eq!(
        serde_json::to_value(&**refunds).unwrap(),
        json!({
            "uri": "skill://acme/billing/refunds/SKILL.md",
            "frontmatter": {"name": "refunds", "description": "About refunds."},
            "resources": [
                {
                    "uri": "skill://acme/billing/refunds/SKILL.md",
                    "digest": "sha256:c7c84284e00cf4d655f45dfaef7b285f41f695f4f79e6761867595fd0237d0ec",
                    "size": 60,
                },
                {
                    "uri": "skill://acme/billing/refunds/examples/e%20mail@2x.md",
                    "digest": "sha256:37ceae1ccfc429abc1dc773eadfd8e467a33972076071bfaf13e9a0749d2e30c",
                    "size": 4,
                },
            ],
        })
    );
    let git = serde_json::to_value(&*skills.entries()[1]).unwrap();
    let files = git["resources"].as_array().unwrap();
    let files: Vec<_> = files
        .iter()
        .map(|file| file["uri"].as_str().unwrap())
        .collect();
    assert_eq!(
        files,
        [
            "skill://git-workflow/SKILL.md",
            "skill://git-workflow/logo.png"
        ]
    );
}

#[test]
fn manifest_of_a_skill_has_the_files_of_skills_in_it() {
    let folder = Folder::with(&[
        ("outer/SKILL.md", &skill_md("outer")),
        ("outer/inner/SKILL.md", &skill_md("inner")),
        ("outer/inner/x.md", "x"),
        ("outer-2/SKILL.md", &skill_md("outer-2")),
    ]);
    let skills = folder.load().unwrap();
    let files = |skill: usize| {
        let entry = serde_json::to_value(&*skills.entries()[skill]).unwrap();
        entry["resources"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(
        uris(&skills),
        [
            "skill://outer/SKILL.md",
            "skill://outer-2/SKILL.md",
            "skill://outer/inner/SKILL.md",
        ]
    );
    assert_eq!((files(0), files(1), files(2)), (3, 1, 2));
}

#[test]
fn every_problem_is_reported_with_its_file() {
    let folder = Folder::with(&[
        ("lower/skill.md", &skill_md("lower")),
        ("other/SKILL.md", &skill_md("name")),
        ("none/SKILL.md", "# None"),
    ]);
    folder.write(
        "latin/SKILL.md",
        b"---\nname: latin\ndescription: \xe9\n---\n",
    );
    let problems = folder.problems();
    let expected = [
        "lower/skill.md: the name of this file must be SKILL.md; rename it",
        "latin/SKILL.md: it is not UTF-8 text",
        "none/SKILL.md: it must begin with YAML frontmatter",
        "other/SKILL.md: its \"name\" is \"name\", and its folder is \"other\"",
    ];
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem}");
    }
    assert_eq!(problems.len(), expected.len(), "{problems:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_no_host_could_write_are_refused() {
    use std::os::unix::ffi::OsStrExt as _;

    let folder = Folder::with(&[
        ("a/SKILL.md", &skill_md("a")),
        ("a/back\\slash.md", ""),
        ("a/line\nbreak.md", ""),
        ("a/tab\t/b.md", ""),
    ]);
    let latin = std::ffi::OsStr::from_bytes(b"\xe9.md");
    std::fs::write(folder.path("a").join(latin), "").unwrap();
    let problems = folder.problems();
    let expected = [
        "a/\u{FFFD}.md: its name is not UTF-8; rename it",
        "a/back\\slash.md: its name has a slash or a backslash; rename it",
        "a/line\\u{a}break.md: its name has a control character; rename it",
        "a/tab\\u{9}: its name has a control character; rename it",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn folder_that_is_missing_or_itself_a_skill_is_refused() {
    let folder = Folder::with(&[("SKILL.md", &skill_md("skills"))]);
    let problem = "SKILL.md: the folder is itself a skill; give the folder that contains it";
    assert_eq!(folder.problems(), [problem]);
    let error = Skills::from_dir(folder.path("missing"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the folder of skills cannot be opened"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn links_are_followed_to_files_of_the_folder_alone() {
    use std::os::unix::fs::symlink;

    let folder = Folder::with(&[
        ("a/SKILL.md", &skill_md("a")),
        ("shared/terms.md", "terms"),
        ("../secret.md", "secret"),
    ]);
    symlink("../shared/terms.md", folder.path("a/terms.md")).unwrap();
    let skills = folder.load().unwrap();
    let entry = serde_json::to_value(&*skills.entries()[0]).unwrap();
    assert_eq!(entry["resources"][1]["uri"], "skill://a/terms.md");
    assert_eq!(entry["resources"][1]["size"], 5);

    symlink("../../secret.md", folder.path("a/up.md")).unwrap();
    symlink(folder.path("shared/terms.md"), folder.path("a/absolute.md")).unwrap();
    symlink("nowhere", folder.path("a/broken.md")).unwrap();
    symlink("circle.md", folder.path("a/circle.md")).unwrap();
    symlink("../shared", folder.path("a/folder")).unwrap();
    symlink(".", folder.path("a/self")).unwrap();
    make_pipe(&folder);
    let problems = folder.problems();
    let must_be_in = "it cannot be opened; a link must lead to a file in the folder of skills";
    let expected = [
        ("a/absolute.md", must_be_in),
        ("a/broken.md", must_be_in),
        ("a/circle.md", must_be_in),
        ("a/folder", "it is a link to a folder"),
        ("a/pipe", "it is not a regular file; remove it"),
        ("a/self", "it is a link to a folder"),
        ("a/up.md", must_be_in),
    ];
    for (problem, (file, expected)) in problems.iter().zip(expected) {
        assert!(
            problem.starts_with(&format!("{file}: {expected}")),
            "{problem}"
        );
    }
    assert_eq!(problems.len(), expected.len(), "{problems:?}");
}

/// A pipe: to open it would wait for a writer.
#[cfg(unix)]
fn make_pipe(folder: &Folder) {
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path("a/pipe"))
        .status();
    assert!(made.unwrap().success());
}

#[test]
fn limits_of_a_skill_are_those_that_every_host_accepts() {
    let skill = |files: usize| {
        let skill = Skill::new(skill_md("a"));
        (0..files).fold(skill, |skill, file| skill.file(format!("{file}.md"), "x"))
    };
    Skills::builder().skill(skill(511)).build().unwrap();
    let why = problem(skill(512));
    assert!(why.contains("513 files, more than the 512"), "{why}");

    let large = Skill::new(skill_md("a"));
    let large = (0..17).fold(large, |skill, file| {
        skill.file(format!("{file}.md"), vec![b'x'; 1_000_000])
    });
    let why = problem(large);
    assert!(why.contains("more than the 16777216"), "{why}");
}

#[test]
fn limits_of_the_server_are_named_with_the_method_that_raises_them() {
    let skill = |bytes: usize| Skill::new(skill_md("a")).file("b.txt", vec![b'"'; bytes]);
    let why = problem(skill(600_000));
    assert!(
        why.contains("1200002 bytes in a result, more than the limit of 1024000"),
        "{why}"
    );
    assert!(why.contains("`SkillsBuilder::file_bytes`"), "{why}");
    let more = Skills::builder()
        .skill(skill(600_000))
        .file_bytes(1_300_000);
    more.build().unwrap();

    let binary = Skill::new(skill_md("a")).file("b.bin", vec![0xFF; 1_000_000]);
    assert!(problem(binary).contains("1333336 bytes in a result"));

    let folder = Folder::with(&[("a/SKILL.md", &skill_md("a")), ("a/b.txt", "0123456789")]);
    let small = Skills::builder()
        .dir(folder.path(""))
        .total_bytes(50)
        .build();
    let why = small.unwrap_err().to_string();
    assert!(
        why.contains("b.txt: with this file all skills have more than the limit of 50 bytes"),
        "{why}"
    );
    assert!(why.contains("`SkillsBuilder::total_bytes`"), "{why}");
    let small = Skills::builder().skill(skill(100)).total_bytes(100).build();
    assert!(
        small
            .unwrap_err()
            .to_string()
            .contains("the limit of 100 bytes; raise it with `SkillsBuilder::total_bytes`")
    );

    let many = (0..1_001).fold(Skills::builder(), |skills, number| {
        skills.skill(Skill::new(skill_md(&format!("s{number}"))))
    });
    let why = many.build().unwrap_err().to_string();
    assert!(
        why.contains("there are 1001, more than the limit of 1000"),
        "{why}"
    );

    let deep = format!("{}a/SKILL.md", "d/".repeat(17));
    let folder = Folder::with(&[(&deep, &skill_md("a"))]);
    assert!(folder.problems()[0].contains("nested more than 16 levels deep"));

    let long = "d".repeat(1_020);
    let why = problem(Skill::new(skill_md("a")).file(long, ""));
    assert!(why.contains("more than 1024; shorten its path"), "{why}");
}

#[test]
fn skills_of_code_and_folders_share_one_namespace() {
    let folder = Folder::with(&[("a/SKILL.md", &skill_md("a"))]);
    let skills = Skills::builder().dir(folder.path(""));
    let both = skills
        .clone()
        .skill(Skill::new(skill_md("b")).prefix("team"));
    assert_eq!(
        uris(&both.build().unwrap()),
        ["skill://a/SKILL.md", "skill://team/b/SKILL.md"]
    );
    let twice = skills.skill(Skill::new(skill_md("a"))).build();
    let why = twice.unwrap_err().to_string();
    assert!(
        why.contains("two files have the path \"a/SKILL.md\""),
        "{why}"
    );
    for path in ["../x", "/x", "x/", "a//b", "./x", "a\\b", "", "a\0b"] {
        let why = problem(Skill::new(skill_md("a")).file(path, ""));
        assert!(
            why.contains("its path") || why.contains("its name"),
            "{path}: {why}"
        );
    }
    let why = problem(Skill::new(skill_md("a")).prefix("../x"));
    assert!(why.contains("must not contain"), "{why}");
    assert!(Skills::builder().build().unwrap().entries().is_empty());
}
