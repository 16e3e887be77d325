//! The tool that searches: by name, by text, or both.

use garde::Validate;
use globset::{GlobBuilder, GlobMatcher};
use mcp_kit::guard::{FileError, FileErrorKind, FileKind, ListLimits, SandboxDir, SandboxPath};
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lines::Lines;

/// How many files and folders one search looks at.
const MAX_ENTRIES: usize = 100_000;
/// How deep a search goes.
const MAX_DEPTH: usize = 16;
/// How many bytes of files one search reads.
const MAX_BYTES: u64 = 256 << 20;
/// How much of a line is shown.
const MAX_SHOWN_CHARS: usize = 200;

/// What to search for.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(rename_all = "camelCase")]
pub struct SearchArgs {
    /// Which folder to search; everything if it is left out.
    #[serde(default)]
    #[garde(skip)]
    folder: SandboxPath,
    /// Which files: a pattern such as `*.md` for their names, or `docs/**/*.md` for whole paths.
    /// `*` and `?` match part of a name, `**` any folders, `{a,b}` either.
    #[garde(length(chars, min = 1, max = 200))]
    glob: Option<String>,
    /// Text that a line must contain. Without it, files are found by name only.
    #[garde(length(chars, min = 1, max = 200))]
    text: Option<String>,
    /// How many matches to return.
    #[serde(default = "fifty")]
    #[garde(range(min = 1, max = 500))]
    max_results: usize,
}

fn fifty() -> usize {
    50
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Matches {
    /// In no particular order; the lines of one file are in theirs.
    pub matches: Vec<Match>,
    /// Whether everything was searched. If not, search in a smaller folder, or for fewer files;
    /// files that the server may not read are never searched.
    pub complete: bool,
}

/// A file that was found, or a line in it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Match {
    /// The path to use in other calls.
    pub path: SandboxPath,
    /// The number of the line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The line, cut to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Find files by name, or lines of text in files.
///
/// Links are not followed. A search for text ignores files that have a NUL byte: they are not
/// text.
#[tool(title = "Search files", read_only, open_world = false)]
pub async fn search_files(
    args: SearchArgs,
    State(dir): State<SandboxDir>,
) -> Result<Json<Matches>, ToolError> {
    if args.glob.is_none() && args.text.is_none() {
        return Err(ToolError::user("Give a glob, a text, or both."));
    }
    let names = args.glob.as_deref().map(Names::new).transpose()?;
    let limits = ListLimits::new(MAX_ENTRIES).depth(MAX_DEPTH);
    let mut listing = dir.list(&args.folder, limits).await?;
    let mut found = Matches {
        matches: Vec::new(),
        complete: true,
    };
    let mut left = MAX_BYTES;
    while let Some(entry) = listing.next().await? {
        let fits = names.as_ref().is_none_or(|names| names.fit(&entry.path));
        // What is in a folder at the last level is not listed.
        let is_last = depth(&entry.path) == depth(&args.folder) + MAX_DEPTH;
        found.complete &= entry.info.kind != FileKind::Folder || !is_last;
        if entry.info.kind != FileKind::File || !fits {
            continue;
        }
        if found.matches.len() >= args.max_results {
            found.complete = false;
            break;
        }
        let Some(text) = &args.text else {
            found.matches.push(Match {
                path: entry.path,
                line: None,
                text: None,
            });
            continue;
        };
        let Some(rest) = left.checked_sub(entry.info.size) else {
            found.complete = false;
            continue;
        };
        left = rest;
        match lines_with(&dir, &entry.path, text, args.max_results, &mut found).await {
            Err(error) if error.kind() == FileErrorKind::Busy => return Err(error.into()),
            // It was deleted meanwhile.
            Err(error) if error.kind() == FileErrorKind::NotFound => {}
            Err(_) => found.complete = false,
            Ok(()) => {}
        }
    }
    found.complete &= !listing.has_more();
    Ok(Json(found))
}

/// Adds the lines of a file that contain `text`.
async fn lines_with(
    dir: &SandboxDir,
    path: &SandboxPath,
    text: &str,
    max_results: usize,
    found: &mut Matches,
) -> Result<(), FileError> {
    let mut lines = Lines::new(dir.reader(path, 0).await?);
    let (before, was_complete) = (found.matches.len(), found.complete);
    let mut number = 0;
    while let Some(line) = lines.next().await? {
        number += 1;
        let line = String::from_utf8_lossy(&line);
        if !line.contains(text) {
            found.complete &= !lines.is_cut();
            continue;
        }
        if found.matches.len() >= max_results {
            found.complete = false;
            break;
        }
        found.matches.push(Match {
            path: path.clone(),
            line: Some(number),
            text: Some(line.trim().chars().take(MAX_SHOWN_CHARS).collect()),
        });
    }
    if lines.is_binary() {
        found.matches.truncate(before);
        found.complete = was_complete;
    }
    Ok(())
}

/// How many folders a path goes down.
fn depth(path: &SandboxPath) -> usize {
    let parts = path.as_str().split('/');
    parts.filter(|part| *part != ".").count()
}

/// A pattern for names, or for whole paths if it has a `/`.
struct Names {
    matcher: GlobMatcher,
    whole: bool,
}

impl Names {
    fn new(glob: &str) -> Result<Self, ToolError> {
        let built = GlobBuilder::new(glob).literal_separator(true).build();
        let built = built.or_user("This glob cannot be read. Use a pattern such as *.md.")?;
        Ok(Self {
            matcher: built.compile_matcher(),
            whole: glob.contains('/'),
        })
    }

    fn fit(&self, path: &SandboxPath) -> bool {
        let name = path.file_name().filter(|_| !self.whole);
        self.matcher.is_match(name.unwrap_or(path.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_for_names_or_for_whole_paths() {
        for (glob, path, fits) in [
            ("*.md", "a.md", true),
            ("*.md", "docs/a.md", true),
            ("docs/*.md", "docs/a.md", true),
            ("docs/*.md", "docs/old/a.md", false),
            ("docs/**/*.md", "docs/old/a.md", true),
            ("**/old/*", "docs/old/a.md", true),
            ("*.{md,txt}", "a.txt", true),
            ("?.md", "ab.md", false),
        ] {
            let names = Names::new(glob).expect("a good glob");
            assert_eq!(
                names.fit(&path.parse().expect("a path")),
                fits,
                "{glob} {path}"
            );
        }
        assert!(Names::new("[").is_err_and(|error| error.has_message()));
    }

    #[test]
    fn schema_and_checks_agree() {
        mcp_kit::testing::assert_schema_agrees::<SearchArgs>();
    }
}
