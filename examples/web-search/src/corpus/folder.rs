//! Reads a folder of documents, within bounds and without leaving it.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::Document;
use crate::SearchError;

/// A larger file is left out, in bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 20;
/// A folder with more documents is refused.
pub const MAX_FILES: usize = 10_000;
/// A folder with more text is refused, in bytes: the index is held in memory.
pub const MAX_TOTAL_BYTES: u64 = 64 << 20;
/// A folder with more entries of any kind is refused: someone meant another.
const MAX_ENTRIES: usize = 200_000;

/// What was found in a folder.
#[derive(Debug)]
pub(super) struct Contents {
    /// In the order of their paths.
    pub(super) documents: Vec<Document>,
    /// What looked like a document and could not be used.
    pub(super) skipped: Vec<Skipped>,
}

#[derive(Debug)]
pub(super) struct Skipped {
    /// Inside the folder.
    pub(super) path: PathBuf,
    pub(super) reason: &'static str,
}

/// Why a folder cannot be searched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The folder itself cannot be read.
    #[error("the folder {} cannot be read", .folder.display())]
    Unreadable {
        /// The folder as it was given.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// More than the bounds allow.
    #[error("the folder {} holds more than {bound}; choose a smaller one", .folder.display())]
    TooMuch {
        /// The folder as it was given.
        folder: PathBuf,
        /// The bound in words.
        bound: &'static str,
    },
    /// Nothing to search.
    #[error("the folder {} holds no .md or .txt file that can be read", .folder.display())]
    Empty {
        /// The folder as it was given.
        folder: PathBuf,
    },
    /// The index could not be built.
    #[error("the folder cannot be indexed")]
    Index(#[source] SearchError),
}

/// Reads the documents in `folder` and below. Hidden files and folders are left
/// alone.
pub(super) fn read(folder: &Path) -> Result<Contents, FolderError> {
    let unreadable = |source| FolderError::Unreadable {
        folder: folder.to_owned(),
        source,
    };
    let too_much = |bound| FolderError::TooMuch {
        folder: folder.to_owned(),
        bound,
    };
    let root = folder.canonicalize().map_err(unreadable)?;
    let mut walk = Walk {
        contents: Contents {
            documents: Vec::new(),
            skipped: Vec::new(),
        },
        bytes: 0,
        entries: 0,
        root,
    };
    let mut folders = vec![PathBuf::new()];
    while let Some(inside) = folders.pop() {
        match fs::read_dir(walk.root.join(&inside)) {
            Ok(entries) => walk
                .visit(entries, &inside, &mut folders)
                .map_err(too_much)?,
            Err(source) if inside.as_os_str().is_empty() => return Err(unreadable(source)),
            Err(_) => walk.skip(inside, "the folder cannot be read"),
        }
    }
    let mut contents = walk.contents;
    if contents.documents.is_empty() {
        return Err(FolderError::Empty {
            folder: folder.to_owned(),
        });
    }
    contents.documents.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(contents)
}

struct Walk {
    /// Without links, so that "inside" can be checked.
    root: PathBuf,
    contents: Contents,
    bytes: u64,
    entries: usize,
}

impl Walk {
    /// Takes the documents of one folder and notes the folders in it. The error
    /// is the bound that was passed.
    fn visit(
        &mut self,
        entries: fs::ReadDir,
        inside: &Path,
        folders: &mut Vec<PathBuf>,
    ) -> Result<(), &'static str> {
        for entry in entries {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err("200,000 entries");
            }
            let Ok(entry) = entry else {
                self.skip(inside.to_owned(), "an entry cannot be read");
                continue;
            };
            let path = inside.join(entry.file_name());
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            match entry.file_type() {
                // Links to folders are not followed: they can form a circle.
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(_) if is_document(&path) => self.take(path)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn take(&mut self, path: PathBuf) -> Result<(), &'static str> {
        match text_of(&self.root, &path) {
            Ok((name, text)) => {
                self.bytes += text.len() as u64;
                self.contents.documents.push(Document { path: name, text });
            }
            Err(reason) => self.skip(path, reason),
        }
        if self.contents.documents.len() > MAX_FILES {
            return Err("10,000 documents");
        }
        if self.bytes > MAX_TOTAL_BYTES {
            return Err("64 MiB of text");
        }
        Ok(())
    }

    fn skip(&mut self, path: PathBuf, reason: &'static str) {
        self.contents.skipped.push(Skipped { path, reason });
    }
}

fn is_document(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("md") || end.eq_ignore_ascii_case("txt"))
}

/// The name and the text of a document, or why it is left out.
fn text_of(root: &Path, path: &Path) -> Result<(String, String), &'static str> {
    let name = name_of(path).ok_or("its name is not UTF-8")?;
    let unreadable = |_| "it cannot be read";
    let real = root.join(path).canonicalize().map_err(unreadable)?;
    if !real.starts_with(root) {
        return Err("it is a link that leads out of the folder");
    }
    // A pipe or a device would be read for ever.
    if !real.metadata().map_err(unreadable)?.is_file() {
        return Err("it is not a file");
    }
    let mut bytes = Vec::new();
    let file = File::open(&real).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err("it is larger than 1 MiB");
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text")?;
    if text.contains('\0') {
        return Err("it is not a text file");
    }
    Ok((name, text))
}

/// The path with `/` on every system.
fn name_of(path: &Path) -> Option<String> {
    let parts: Option<Vec<_>> = path.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}
