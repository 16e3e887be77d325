//! Reads the files of the skills in a folder of the host.
//!
//! Every path is opened below one handle of the folder, by `cap-std`, so a link
//! that leads outside of it is refused, also if it is swapped during the load.

use std::io::{self, Read as _};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::catalog::SourceFile;
use super::error::Problems;
use super::path::{SKILL_FILE, segment_problem};

/// How deeply folders can be nested.
const DEEPEST: usize = 16;

/// How many files and folders are examined.
const MOST_EXAMINED: usize = 100_000;

/// Adds the files of all skills in `folder` to `files`, whose bytes together are at
/// most `left` of the `total`.
pub(super) fn load(
    folder: &Path,
    total: usize,
    left: &mut usize,
    files: &mut Vec<SourceFile>,
    problems: &mut Problems,
) {
    let root = match Dir::open_ambient_dir(folder, ambient_authority()) {
        Ok(root) => root,
        Err(error) => {
            let problem = format_args!("the folder of skills cannot be opened: {error}");
            return problems.add(folder.display(), problem);
        }
    };
    let mut load = Load {
        folder,
        root,
        total,
        left,
        examined: 0,
        has_ended: false,
        files,
        problems,
    };
    load.folder("", 0, false);
}

struct Load<'a> {
    folder: &'a Path,
    root: Dir,
    total: usize,
    left: &'a mut usize,
    examined: usize,
    /// Whether a limit of the whole load was exceeded.
    has_ended: bool,
    files: &'a mut Vec<SourceFile>,
    problems: &'a mut Problems,
}

/// What a name in a folder leads to.
enum Found {
    File,
    Folder,
    LinkedFolder,
    /// A device, a pipe or a socket.
    Other,
}

impl Load<'_> {
    /// Examines a folder: one of a skill, or one that leads to skills.
    fn folder(&mut self, path: &str, depth: usize, mut in_skill: bool) {
        let names = match self.names(path) {
            Ok(names) => names,
            Err(error) => return self.problem(path, format_args!("it cannot be read: {error}")),
        };
        let has_skill_file = names.iter().any(|name| name == SKILL_FILE);
        if has_skill_file && path.is_empty() {
            let problem = "the folder is itself a skill; give the folder that contains it";
            return self.problem(SKILL_FILE, problem);
        }
        in_skill |= has_skill_file;
        for name in names {
            if self.has_ended {
                return;
            }
            let path = match path {
                "" => name.clone(),
                _ => format!("{path}/{name}"),
            };
            if !in_skill && name.eq_ignore_ascii_case(SKILL_FILE) {
                self.problem(&path, "the name of this file must be SKILL.md; rename it");
                continue;
            }
            match self.found(&path) {
                Ok(Found::Folder) if depth == DEEPEST => self.problem(
                    &path,
                    format_args!(
                        "folders are nested more than {DEEPEST} levels deep; move the skill up"
                    ),
                ),
                Ok(Found::Folder) => match segment_problem(&name) {
                    Some(problem) => self.problem(&path, problem),
                    None => self.folder(&path, depth + 1, in_skill),
                },
                Ok(Found::LinkedFolder) => self.problem(
                    &path,
                    "it is a link to a folder; copy the folder, or link its files",
                ),
                _ if !in_skill => {} // a README beside the skills, for example
                Ok(Found::File) => match segment_problem(&name) {
                    Some(problem) => self.problem(&path, problem),
                    None => self.file(path),
                },
                Ok(Found::Other) => self.problem(&path, "it is not a regular file; remove it"),
                Err(error) => self.problem(
                    &path,
                    format_args!("it cannot be opened; a link must lead to a file in the folder of skills: {error}"),
                ),
            }
        }
    }

    /// Returns the names in a folder, sorted, without those that begin with a dot.
    fn names(&mut self, path: &str) -> io::Result<Vec<String>> {
        let shown = Path::new(path);
        let path = if path.is_empty() { "." } else { path };
        let mut names = Vec::new();
        for entry in self.root.read_dir(path)? {
            self.examined += 1;
            if self.examined > MOST_EXAMINED {
                self.has_ended = true;
                return Err(io::Error::other(format!(
                    "there are more than {MOST_EXAMINED} files; give the folder that has only skills"
                )));
            }
            match entry?.file_name().into_string() {
                Ok(name) if name.starts_with('.') => {}
                Ok(name) => names.push(name),
                Err(name) => {
                    let place = shown.join(name);
                    self.problem(&place.to_string_lossy(), "its name is not UTF-8; rename it");
                }
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn found(&self, path: &str) -> io::Result<Found> {
        let own = self.root.symlink_metadata(path)?;
        let target = match own.is_symlink() {
            true => self.root.metadata(path)?,
            false => own.clone(),
        };
        Ok(match (target.is_file(), target.is_dir()) {
            (true, _) => Found::File,
            (_, true) if own.is_symlink() => Found::LinkedFolder,
            (_, true) => Found::Folder,
            _ => Found::Other,
        })
    }

    fn file(&mut self, path: String) {
        let mut bytes = Vec::new();
        let most = u64::try_from(*self.left).unwrap_or(u64::MAX);
        let read = self.root.open(&path).and_then(|file| {
            let mut within = file.take(most.saturating_add(1));
            within.read_to_end(&mut bytes)
        });
        if let Err(error) = read {
            return self.problem(&path, format_args!("it cannot be read: {error}"));
        }
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            self.has_ended = true;
            let total = self.total;
            return self.problem(
                &path,
                format_args!(
                    "with this file all skills have more than the limit of {total} bytes; raise it with `SkillsBuilder::total_bytes`"
                ),
            );
        };
        *self.left = left;
        let place = self.place(&path);
        self.files.push(SourceFile { path, place, bytes });
    }

    fn problem(&mut self, path: &str, problem: impl std::fmt::Display) {
        let place = self.place(path);
        self.problems.add(place, problem);
    }

    fn place(&self, path: &str) -> String {
        match path {
            "" => self.folder.display().to_string(),
            _ => self.folder.join(path).display().to_string(),
        }
    }
}
