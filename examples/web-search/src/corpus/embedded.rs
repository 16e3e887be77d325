//! The built-in notes, as part of the program: a host may start the server in
//! any folder.

use super::Document;

/// A file of the `corpus` folder beside this crate's manifest.
macro_rules! note {
    ($path:literal) => {
        ($path, include_str!(concat!("../../corpus/", $path)))
    };
}

const NOTES: &[(&str, &str)] = &[
    note!("backups.md"),
    note!("deploys.md"),
    note!("incidents.md"),
    note!("limits.md"),
    note!("logs.md"),
    note!("retries.md"),
    note!("timeouts.md"),
];

pub(super) fn documents() -> impl Iterator<Item = Document> {
    NOTES.iter().map(|&(path, text)| Document {
        path: path.to_owned(),
        text: text.to_owned(),
    })
}
