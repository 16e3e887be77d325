//! The guide's links: they lead somewhere in a browser of the repository, and to
//! the same place in rustdoc.

#![allow(clippy::expect_used, clippy::panic)]

use std::{collections::BTreeMap, fs, path::Path};

const LINKS: &str = include_str!("../src/guide/links.md");
const MODULES: &str = include_str!("../src/guide/mod.rs");

/// The pages by file name.
fn pages() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide");
    fs::read_dir(folder)
        .expect("the guide is there")
        .map(|entry| {
            let entry = entry.expect("an entry");
            let text = fs::read_to_string(entry.path()).expect("a text");
            (entry.file_name().into_string().expect("a name"), text)
        })
        .collect()
}

/// The definitions `[label]: target` of a page.
fn definitions(page: &str) -> Vec<(&str, &str)> {
    page.lines()
        .filter_map(|line| line.strip_prefix('[')?.split_once("]: "))
        .collect()
}

/// Without code, in which brackets are no links, and without the definitions.
fn prose(page: &str) -> String {
    let outside_fences = page.split("```").step_by(2).collect::<String>();
    let outside_spans = outside_fences.replace("`` ` ``", "");
    let outside_spans = outside_spans.split('`').step_by(2).collect::<String>();
    let lines = outside_spans.lines().filter(|line| !line.starts_with('['));
    lines.collect::<Vec<_>>().join("\n")
}

/// The anchor of a heading, as GitHub and rustdoc make it.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn links_between_pages_have_a_target_in_files_and_in_rustdoc() {
    let pages = pages();
    for (name, page) in &pages {
        for (label, target) in definitions(page) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let stem = file.strip_suffix(".md").expect("a page");
            let linked = pages.get(file);
            let linked = linked.unwrap_or_else(|| panic!("{name}: there is no {file}"));
            let anchors: Vec<_> = linked
                .lines()
                .filter(|line| line.starts_with("##"))
                .map(|line| anchor(line.trim_start_matches('#').trim()))
                .collect();
            assert!(
                heading.is_empty() || anchors.iter().any(|anchor| anchor == heading),
                "{name}: {file} has no heading for #{heading}, only {anchors:?}"
            );
            assert_eq!(label, target.replacen(".md", "", 1), "{name}");
            let path = target.replacen(file, &stem.replace('-', "_"), 1);
            assert!(
                LINKS.contains(&format!("[{label}]: crate::guide::{path}\n")),
                "{name}: src/guide/links.md has no definition of [{label}]"
            );
            assert!(
                prose(page).contains(&format!("[{label}]")),
                "{name}: [{label}] is defined and not used"
            );
        }
    }
}

#[test]
fn labels_that_rustdoc_knows_are_defined_in_the_pages_that_use_them() {
    for (name, page) in &pages() {
        let defined = definitions(page);
        let prose = prose(page);
        assert!(
            !prose.contains(".md)"),
            "{name}: links have the form [text][page]"
        );
        for (label, _) in definitions(LINKS) {
            let used = prose.contains(&format!("[{label}]"));
            let known = defined.iter().any(|(known, _)| *known == label);
            assert!(known || !used, "{name}: [{label}] has no definition");
        }
    }
}

#[test]
fn snippets_are_compiled() {
    for (name, page) in &pages() {
        let fences = page.lines().filter_map(|line| line.strip_prefix("```"));
        for fence in fences.filter(|fence| fence.starts_with("rust")) {
            let is_compiled = ["rust", "rust,no_run"].contains(&fence);
            assert!(is_compiled, "{name}: ```{fence}");
        }
    }
}

#[test]
fn each_page_is_a_module_and_in_the_index() {
    let pages = pages();
    let index = definitions(&pages["README.md"]);
    for name in pages.keys().filter(|name| *name != "README.md") {
        assert!(
            MODULES.contains(&format!("\"{name}\"")),
            "src/guide/mod.rs lacks {name}"
        );
        assert!(
            index.iter().any(|(_, target)| target == name),
            "the index lacks {name}"
        );
    }
}
