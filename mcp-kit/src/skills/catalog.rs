//! The skills of a server and their files, as they were when they were loaded.
//!
//! The bytes are in memory: what is read later is what was digested.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};

use super::entry::{ManifestFile, SkillEntry};
use super::error::Problems;
use super::path::{
    LONGEST_URI, SKILL_FILE, folders_of, last_segment, name_problem, skill_of, uri_of,
};
use super::{frontmatter, media_type};
use crate::content::ResourceLink;
use crate::resource::ResourceContents;

/// The most skills of one server.
const MOST_SKILLS: usize = 1_000;

/// The most files of one skill. (Skills extension, "Limits".)
const MOST_FILES: usize = 512;

/// The most bytes of one skill. (Skills extension, "Limits".)
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The largest entry of a skill as JSON. A page of `skills/list` with one must be
/// below the limit of results.
const MOST_ENTRY_BYTES: usize = 512 * 1024;

/// A file before it is examined.
pub(super) struct SourceFile {
    pub(super) path: String,
    /// Where it comes from, for the operator.
    pub(super) place: String,
    pub(super) bytes: Vec<u8>,
}

/// A file that is served.
#[derive(Debug, PartialEq)]
pub(super) struct File {
    uri: String,
    /// The last segment of its path.
    segment: String,
    /// Its name in lists.
    name: String,
    description: Option<String>,
    media_type: &'static str,
    digest: String,
    content: Content,
}

#[derive(Debug, PartialEq)]
enum Content {
    Text(String),
    Bytes(Vec<u8>),
}

/// A file or a folder in a folder.
pub(super) enum Child<'a> {
    File(&'a File),
    /// With its path.
    Folder(String),
}

impl Child<'_> {
    /// Returns its position in its folder: its name, with a slash if it is a folder.
    pub(super) fn position(&self) -> String {
        match self {
            Self::File(file) => file.segment.clone(),
            Self::Folder(path) => format!("{}/", last_segment(path)),
        }
    }

    /// Returns what lists have of it.
    pub(super) fn link(&self) -> ResourceLink {
        match self {
            Self::File(file) => file.link(),
            Self::Folder(path) => ResourceLink::new(uri_of(path), last_segment(path))
                .with_mime_type(media_type::FOLDER),
        }
    }
}

/// Everything that is served, by path.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    files: BTreeMap<String, Arc<File>>,
    skills: BTreeMap<String, Arc<SkillEntry>>,
}

impl File {
    fn new(path: &str, bytes: Vec<u8>) -> Self {
        let hash = digest(&SHA256, &bytes);
        let hash = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
        let digest = format!("sha256:{}", hash.collect::<String>());
        let content = match String::from_utf8(bytes) {
            Ok(text) => Content::Text(text),
            Err(error) => Content::Bytes(error.into_bytes()),
        };
        let name = last_segment(path);
        Self {
            uri: uri_of(path),
            segment: name.to_owned(),
            name: name.to_owned(),
            description: None,
            media_type: media_type::of(name, matches!(content, Content::Text(_))),
            digest,
            content,
        }
    }

    /// Returns what lists have of the file.
    pub(super) fn link(&self) -> ResourceLink {
        let size = u64::try_from(self.size()).unwrap_or(u64::MAX);
        let link = ResourceLink::new(self.uri.as_str(), self.name.as_str());
        let link = link.with_mime_type(self.media_type).with_size(size);
        match &self.description {
            Some(description) => link.with_description(description.as_str()),
            None => link,
        }
    }

    pub(super) fn contents(&self) -> ResourceContents {
        let contents = match &self.content {
            Content::Text(text) => ResourceContents::from_text(text.as_str()),
            Content::Bytes(bytes) => ResourceContents::from_bytes(bytes),
        };
        contents.with_mime_type(self.media_type)
    }

    fn size(&self) -> usize {
        match &self.content {
            Content::Text(text) => text.len(),
            Content::Bytes(bytes) => bytes.len(),
        }
    }

    /// Returns the bytes of the content in a result: with the escapes of JSON, and of
    /// the characters that some clients take for the end of a line.
    fn encoded_bytes(&self) -> usize {
        match &self.content {
            Content::Text(text) => {
                let json = serde_json::to_string(text).map_or(usize::MAX, |json| json.len());
                let ends = |length: usize, characters: &[char]| {
                    text.matches(characters).count() * ("\\u0085".len() - length)
                };
                json.saturating_add(ends(2, &['\u{85}']))
                    .saturating_add(ends(3, &['\u{2028}', '\u{2029}']))
            }
            Content::Bytes(bytes) => bytes.len().div_ceil(3).saturating_mul(4),
        }
    }
}

impl Catalog {
    /// Examines files, and makes the skills of those that are there.
    pub(super) fn new(
        sources: Vec<SourceFile>,
        file_bytes: usize,
        problems: &mut Problems,
    ) -> Self {
        let mut catalog = Self::default();
        let mut skills = Vec::new();
        for SourceFile { path, place, bytes } in sources {
            if catalog.files.contains_key(&path) {
                problems.add(
                    place,
                    format_args!("two files have the path {path:?}; rename or remove one"),
                );
                continue;
            }
            let mut file = File::new(&path, bytes);
            if file.uri.len() > LONGEST_URI {
                let length = file.uri.len();
                problems.add(
                    &place,
                    format_args!(
                        "its URI has {length} bytes, more than {LONGEST_URI}; shorten its path"
                    ),
                );
            }
            let encoded = file.encoded_bytes();
            if encoded > file_bytes {
                problems.add(
                    &place,
                    format_args!(
                        "it has {encoded} bytes in a result, more than the limit of {file_bytes}; split it, or raise the limit with `SkillsBuilder::file_bytes`"
                    ),
                );
            }
            if let Some(skill) = skill_of(&path) {
                match examined(skill, &file) {
                    Ok(fields) => {
                        let text = |field: &str| fields.get(field).and_then(Value::as_str);
                        text("name").unwrap_or_default().clone_into(&mut file.name);
                        file.description = text("description").map(str::to_owned);
                        skills.push((skill.to_owned(), place, fields));
                    }
                    Err(problem) => problems.add(place, problem),
                }
            }
            catalog.files.insert(path, Arc::new(file));
        }
        if skills.len() > MOST_SKILLS {
            let number = skills.len();
            problems.add(
                "all skills",
                format_args!(
                    "there are {number}, more than the limit of {MOST_SKILLS}; remove some or serve them from another server"
                ),
            );
        }
        for (path, place, fields) in skills {
            match catalog.entry_of(&path, fields) {
                Ok(entry) => {
                    catalog.skills.insert(path, Arc::new(entry));
                }
                Err(problem) => problems.add(place, problem),
            }
        }
        catalog
    }

    /// Makes the entry of a skill. Its manifest has all files in its folder, also
    /// those of skills in it.
    fn entry_of(&self, path: &str, fields: Map<String, Value>) -> Result<SkillEntry, String> {
        let mut bytes = 0_usize;
        let files = self.files_in(path).map(|(_, file)| {
            bytes = bytes.saturating_add(file.size());
            ManifestFile {
                uri: &file.uri,
                digest: &file.digest,
                size: file.size(),
            }
        });
        let files: Vec<_> = files.collect();
        if files.len() > MOST_FILES {
            return Err(format!(
                "its skill has {} files, more than the {MOST_FILES} that every host accepts; split the skill",
                files.len()
            ));
        }
        if bytes > MOST_BYTES {
            return Err(format!(
                "its skill has {bytes} bytes, more than the {MOST_BYTES} that every host accepts; split the skill"
            ));
        }
        let uri = uri_of(&format!("{path}/{SKILL_FILE}"));
        let entry =
            SkillEntry::new(path, &uri, fields, &files).map_err(|error| error.to_string())?;
        match entry.json_bytes() {
            bytes if bytes > MOST_ENTRY_BYTES => Err(format!(
                "the entry of its skill has {bytes} bytes, more than {MOST_ENTRY_BYTES}; shorten the frontmatter or the paths of files"
            )),
            _ => Ok(entry),
        }
    }

    pub(super) fn file(&self, path: &str) -> Option<&Arc<File>> {
        self.files.get(path)
    }

    pub(super) fn skill(&self, path: &str) -> Option<&Arc<SkillEntry>> {
        self.skills.get(path)
    }

    /// Returns the skills after a path, in the order of their paths.
    pub(super) fn skills_after(
        &self,
        path: Option<&str>,
    ) -> impl Iterator<Item = &Arc<SkillEntry>> {
        let from = path.map_or(Bound::Unbounded, Bound::Excluded);
        let skills = self.skills.range::<str, _>((from, Bound::Unbounded));
        skills.map(|(_, skill)| skill)
    }

    /// Returns the files after a path, in the order of their paths.
    pub(super) fn files_after(
        &self,
        path: Option<&str>,
    ) -> impl Iterator<Item = (&str, &Arc<File>)> {
        let from = path.map_or(Bound::Unbounded, Bound::Excluded);
        let files = self.files.range::<str, _>((from, Bound::Unbounded));
        files.map(|(path, file)| (path.as_str(), file))
    }

    /// Returns the skills whose folder has a file: its own, and those around it.
    pub(super) fn skills_with(&self, file: &str) -> impl Iterator<Item = &Arc<SkillEntry>> {
        folders_of(file).filter_map(|folder| self.skills.get(folder))
    }

    /// Returns what is directly in a folder, after the child with this position.
    /// `is_readable` decides which files are there.
    pub(super) fn children_after<'a>(
        &'a self,
        folder: &str,
        position: Option<&str>,
        is_readable: impl Fn(&str) -> bool + 'a,
    ) -> impl Iterator<Item = Child<'a>> {
        let inside = format!("{folder}/");
        let mut from = match position {
            None => Bound::Included(inside.clone()),
            Some(name) => match name.strip_suffix('/') {
                Some(name) => Bound::Included(after_folder(&format!("{inside}{name}"))),
                None => Bound::Excluded(format!("{inside}{name}")),
            },
        };
        let end = after_folder(folder);
        std::iter::from_fn(move || {
            let range = (from.clone(), Bound::Excluded(end.clone()));
            let mut files = self.files.range::<String, _>(range);
            let (path, file) = files.find(|(path, _)| is_readable(path))?;
            let within = path.get(inside.len()..)?;
            Some(match within.split_once('/') {
                None => {
                    from = Bound::Excluded(path.clone());
                    Child::File(file)
                }
                Some((name, _)) => {
                    let child = format!("{inside}{name}");
                    from = Bound::Included(after_folder(&child));
                    Child::Folder(child)
                }
            })
        })
    }

    /// Returns the URIs of the files that differ from those of another catalog, or
    /// that only one of the two has.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let missing = |(path, file): (&String, &Arc<File>), than: &Self| {
            let is_same = than.files.get(path).is_some_and(|other| other == file);
            (!is_same).then(|| file.uri.clone())
        };
        let new = self.files.iter().filter_map(|file| missing(file, other));
        let gone = other.files.iter();
        let gone = gone.filter(|(path, _)| !self.files.contains_key(*path));
        new.chain(gone.map(|(_, file)| file.uri.clone())).collect()
    }

    fn files_in(&self, folder: &str) -> impl Iterator<Item = (&String, &Arc<File>)> {
        let range = format!("{folder}/")..after_folder(folder);
        self.files.range(range)
    }
}

/// Returns the first path in the order of paths that is not in a folder and comes
/// after its files: `0` follows `/`.
fn after_folder(folder: &str) -> String {
    format!("{folder}0")
}

/// Returns the frontmatter of a `SKILL.md`, or what is wrong with it.
fn examined(skill: &str, file: &File) -> Result<Map<String, Value>, String> {
    let Content::Text(text) = &file.content else {
        return Err("it is not UTF-8 text; save it as UTF-8".to_owned());
    };
    let fields = frontmatter::parse(text)?;
    let text = |field: &str| match fields.get(field) {
        None => Err(format!("its frontmatter has no {field:?}; add it")),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(_) => Err(format!("its {field:?} is not a string; write it in quotes")),
    };
    let name = text("name")?;
    if let Some(problem) = name_problem(name) {
        return Err(format!("its {problem}"));
    }
    let folder = last_segment(skill);
    if name != folder {
        return Err(format!(
            "its \"name\" is {name:?}, and its folder is {folder:?}; give both the same name, or rename the file if it is not a skill"
        ));
    }
    let limits = [("description", 1_024), ("compatibility", 500)];
    for (field, most) in limits {
        if field != "description" && !fields.contains_key(field) {
            continue;
        }
        let text = text(field)?;
        let length = text.chars().count();
        if text.trim().is_empty() || length > most {
            return Err(format!(
                "its {field:?} must have 1 to {most} characters; it has {length}"
            ));
        }
    }
    Ok(fields)
}
