//! The tools that list folders and read files.

use std::time::SystemTime;

use garde::Validate;
use mcp_kit::guard::{FileInfo, FileKind, ListLimits, SandboxDir, SandboxPath};
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lines::Lines;

/// The most text that one call returns, so that one file cannot fill a model's memory.
const MAX_READ_BYTES: usize = 100_000;

/// Follows a line that is too long to be shown.
const CUT: &str = " [cut: the line is longer than 16 KiB]\n";

const NOT_TEXT: &str = "This is not a text file (UTF-8).";

/// What to list.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(rename_all = "camelCase")]
pub struct ListArgs {
    /// Which folder to list; the whole folder if it is left out.
    #[serde(default)]
    #[garde(skip)]
    folder: SandboxPath,
    /// How deep to go: 1 lists the folder alone, 2 also the folders in it, and so on.
    #[serde(default = "one")]
    #[garde(range(min = 1, max = 16))]
    depth: usize,
    /// How many entries to return.
    #[serde(default = "two_hundred")]
    #[garde(range(min = 1, max = 1000))]
    max_entries: usize,
}

fn one() -> usize {
    1
}

fn two_hundred() -> usize {
    200
}

/// What a folder contains.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileList {
    /// Sorted by path.
    pub entries: Vec<FileRow>,
    /// Whether there are more entries than were asked for.
    pub has_more: bool,
}

/// A file or a folder.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileRow {
    /// The path to use in other calls.
    pub path: SandboxPath,
    /// `file`, `folder`, `link`, or `other`, which cannot be read.
    pub kind: &'static str,
    /// The size of a file in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When it was changed last, as a date and time in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
}

impl FileRow {
    fn new(path: SandboxPath, info: &FileInfo) -> Self {
        let kind = match info.kind {
            FileKind::File => "file",
            FileKind::Folder => "folder",
            FileKind::Link => "link",
            _ => "other",
        };
        Self {
            path,
            kind,
            size: (info.kind == FileKind::File).then_some(info.size),
            modified: info.modified.and_then(date),
        }
    }
}

fn date(time: SystemTime) -> Option<String> {
    let time = jiff::Timestamp::try_from(time).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// List the files and folders in a folder, with sizes and dates.
#[tool(title = "List files", read_only, open_world = false)]
pub async fn list_files(
    args: ListArgs,
    State(dir): State<SandboxDir>,
) -> Result<Json<FileList>, ToolError> {
    let limits = ListLimits::new(args.max_entries).depth(args.depth);
    let mut listing = dir.list(&args.folder, limits).await?;
    let mut entries = Vec::new();
    while let Some(entry) = listing.next().await? {
        entries.push(FileRow::new(entry.path, &entry.info));
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Json(FileList {
        entries,
        has_more: listing.has_more(),
    }))
}

/// Which lines to read.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(rename_all = "camelCase")]
pub struct ReadArgs {
    /// Which file to read.
    #[garde(skip)]
    path: SandboxPath,
    /// The first line to return; lines are counted from 1.
    #[serde(default = "first")]
    #[garde(range(min = 1))]
    from_line: u64,
    /// How many lines to return.
    #[serde(default = "five_hundred")]
    #[garde(range(min = 1, max = 5000))]
    lines: u64,
}

fn first() -> u64 {
    1
}

fn five_hundred() -> u64 {
    500
}

/// Read a text file, or some of its lines.
///
/// If the file goes on, a second text has the number of the next line.
#[tool(title = "Read a file", read_only, open_world = false)]
pub async fn read_file(
    args: ReadArgs,
    State(dir): State<SandboxDir>,
) -> Result<ToolResult, ToolError> {
    let mut lines = Lines::new(dir.reader(&args.path, 0).await?);
    let mut text = String::new();
    let mut number: u64 = 0;
    while let Some(line) = lines.next().await? {
        number += 1;
        if number < args.from_line {
            continue;
        }
        let is_full = !text.is_empty() && text.len() + line.len() >= MAX_READ_BYTES;
        if number - args.from_line >= args.lines || is_full {
            let note = format!("[The file goes on. Read from line {number} for more.]");
            return Ok(ToolResult::new(vec![
                Content::text(text),
                Content::text(note),
            ]));
        }
        text.push_str(&readable(&line)?);
        text.push_str(if lines.is_cut() { CUT } else { "\n" });
    }
    if lines.is_binary() {
        return Err(ToolError::user(NOT_TEXT));
    }
    if number < args.from_line && args.from_line > 1 {
        return Err(user_error!("The file has only {number} lines."));
    }
    Ok(ToolResult::text(text))
}

/// The line as text. A line that was cut may end within a character.
fn readable(line: &[u8]) -> Result<String, ToolError> {
    let text = match std::str::from_utf8(line) {
        Ok(text) => text.to_owned(),
        Err(error) if error.error_len().is_none() => {
            String::from_utf8_lossy(&line[..error.valid_up_to()]).into_owned()
        }
        Err(_) => return Err(ToolError::user(NOT_TEXT)),
    };
    Ok(text)
}

/// What to look at.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
pub struct InfoArgs {
    /// Which file or folder to look at.
    #[garde(skip)]
    path: SandboxPath,
}

/// Show the kind, the size and the date of a file or a folder.
#[tool(title = "File details", read_only, open_world = false)]
pub async fn file_info(
    args: InfoArgs,
    State(dir): State<SandboxDir>,
) -> Result<Json<FileRow>, ToolError> {
    let info = dir.info(&args.path).await?;
    Ok(Json(FileRow::new(args.path, &info)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_and_checks_agree() {
        mcp_kit::testing::assert_schema_agrees::<ListArgs>();
        mcp_kit::testing::assert_schema_agrees::<ReadArgs>();
        mcp_kit::testing::assert_schema_agrees::<InfoArgs>();
    }

    #[test]
    fn a_cut_line_is_text_and_a_damaged_one_is_not() {
        assert_eq!(readable("é".as_bytes()).unwrap(), "é");
        assert_eq!(readable(&"aé".as_bytes()[..2]).unwrap(), "a");
        assert!(readable(b"\xff").is_err());
    }
}
