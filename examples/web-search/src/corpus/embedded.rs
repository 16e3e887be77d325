//! The documentation of mcp-kit as part of the program: a host may start the
//! server in any folder.

use super::Document;

/// A page of the `corpus` folder beside this crate's manifest.
macro_rules! page {
    ($path:literal) => {
        ($path, include_str!(concat!("../../corpus/", $path)))
    };
}

const PAGES: &[(&str, &str)] = &[
    page!("what-is-mcp-kit.md"),
    page!("writing-a-tool.md"),
    page!("arguments.md"),
    page!("portability.md"),
    page!("errors.md"),
    page!("results.md"),
    page!("middleware.md"),
    page!("limits.md"),
    page!("stdio.md"),
    page!("http.md"),
    page!("keys.md"),
    page!("files.md"),
    page!("secrets.md"),
    page!("databases.md"),
    page!("fetching.md"),
    page!("running-programs.md"),
    page!("metrics.md"),
    page!("going-live.md"),
    page!("logging.md"),
    page!("command-line.md"),
    page!("testing.md"),
];

pub(super) fn documents() -> impl Iterator<Item = Document> {
    PAGES.iter().map(|&(path, text)| Document {
        path: path.to_owned(),
        text: text.to_owned(),
    })
}
