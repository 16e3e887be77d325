//! The public API of mcp-kit as text, compared with `tests/public-api.txt`: a
//! change of the API shows in a commit's diff, and one that was not meant fails
//! here.
//!
//! The source is parsed, not compiled, so the text is the same with every
//! toolchain and every set of features. An item is listed if a chain of `pub mod`
//! and `pub use` without `#[doc(hidden)]` leads to it. Calls of the
//! crate's own `macro_rules!` are expanded.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod expand;
mod print;
mod source;
mod walk;

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

use walk::Api;

#[test]
fn public_api_is_the_recorded_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let recorded = root.join("public-api.txt");
    let text = Api::of(&root.join("../mcp-kit/src/lib.rs")).to_text();
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(recorded, text).unwrap();
        return;
    }
    let before = fs::read_to_string(recorded).unwrap_or_default();
    let (before, now) = (lines(&before), lines(&text));
    let gone = before.difference(&now).map(|line| format!("- {line}\n"));
    let new = now.difference(&before).map(|line| format!("+ {line}\n"));
    let difference: String = gone.chain(new).collect();
    assert!(
        difference.is_empty(),
        "the public API has changed:\n{difference}If that is meant, run \
         `UPDATE_SNAPSHOTS=1 cargo test -p mcp-kit-tests --test public_api` and commit \
         tests/public-api.txt"
    );
}

/// Each line, with the item that it belongs to.
fn lines(text: &str) -> BTreeSet<String> {
    let mut item = "";
    let mut lines = BTreeSet::new();
    for line in text.lines() {
        match line.strip_prefix("    ") {
            Some(member) => lines.insert(format!("{item}: {member}")),
            None => {
                item = line.split(['[', '=']).next().unwrap_or_default().trim_end();
                lines.insert(line.to_owned())
            }
        };
    }
    lines
}
