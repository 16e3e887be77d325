//! The entry of a skill: what clients know of it before they read a file.

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

/// A skill that is served: its URI, its frontmatter and the manifest of its files.
///
/// It serialises as `skills/list` and `skills/get` return it. (Skills extension,
/// "Skill Entries".)
#[derive(Debug)]
pub struct SkillEntry {
    uri: String,
    path: String,
    name: String,
    description: String,
    frontmatter: Map<String, Value>,
    json: Box<RawValue>,
}

/// A file in the manifest of a skill.
#[derive(Serialize)]
pub(super) struct ManifestFile<'a> {
    pub(super) uri: &'a str,
    pub(super) digest: &'a str,
    pub(super) size: usize,
}

impl SkillEntry {
    /// Creates the entry of a skill whose frontmatter is valid.
    pub(super) fn new(
        path: &str,
        uri: &str,
        frontmatter: Map<String, Value>,
        resources: &[ManifestFile<'_>],
    ) -> Result<Self, serde_json::Error> {
        #[derive(Serialize)]
        struct Entry<'a> {
            uri: &'a str,
            frontmatter: &'a Map<String, Value>,
            resources: &'a [ManifestFile<'a>],
        }
        let json = to_raw_value(&Entry {
            uri,
            frontmatter: &frontmatter,
            resources,
        })?;
        let text = |field: &str| frontmatter.get(field).and_then(Value::as_str);
        Ok(Self {
            uri: uri.to_owned(),
            path: path.to_owned(),
            name: text("name").unwrap_or_default().to_owned(),
            description: text("description").unwrap_or_default().to_owned(),
            frontmatter,
            json,
        })
    }

    /// Returns the URI of its `SKILL.md`, which identifies the skill.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Returns the path of its folder among the server's skills, such as
    /// `acme/billing/refunds`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns its name, which is the last part of the path. Two skills of a server
    /// can have the same name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the description, for people and models.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns every field of the frontmatter.
    #[must_use]
    pub fn frontmatter(&self) -> &Map<String, Value> {
        &self.frontmatter
    }

    /// Returns the number of bytes of the entry as JSON.
    pub(super) fn json_bytes(&self) -> usize {
        self.json.get().len()
    }
}

impl Serialize for SkillEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}
