//! A skill that is made in code.

use std::fmt;

use super::catalog::SourceFile;
use super::error::Problems;
use super::frontmatter;
use super::path::{SKILL_FILE, segment_problem};

/// A skill that is made in code: a `SKILL.md` and its files, such as those that
/// `include_str!` compiles into the program.
///
/// Its name is the one of the frontmatter. Mistakes are errors of
/// [`SkillsBuilder::build`](super::SkillsBuilder::build).
///
/// ```
/// use mcp_kit::skills::{Skill, Skills};
///
/// // include_str!("../skills/refunds/SKILL.md")
/// let text = "---\nname: refunds\ndescription: How to refund an order.\n---\nRead `steps.md`.\n";
/// let refunds = Skill::new(text).prefix("acme/billing").file("steps.md", "1. Ask for the order.");
/// let skills = Skills::builder().skill(refunds).build()?;
/// assert_eq!(skills.entries()[0].uri(), "skill://acme/billing/refunds/SKILL.md");
/// # Ok::<(), mcp_kit::skills::SkillsError>(())
/// ```
#[derive(Clone)]
#[must_use = "a skill is served by the `Skills` that it is added to"]
pub struct Skill {
    text: String,
    prefix: String,
    files: Vec<(String, Vec<u8>)>,
}

impl Skill {
    /// Creates a skill from the text of its `SKILL.md`, frontmatter included.
    pub fn new(skill_md: impl Into<String>) -> Self {
        Self {
            text: skill_md.into(),
            prefix: String::new(),
            files: Vec::new(),
        }
    }

    /// Sets the part of its path before its name, such as `acme/billing`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Adds a file at a path within the skill, such as `references/FORMS.md`.
    pub fn file(mut self, path: impl Into<String>, content: impl AsRef<[u8]>) -> Self {
        self.files.push((path.into(), content.as_ref().to_vec()));
        self
    }

    /// Returns the bytes of its files.
    pub(super) fn bytes(&self) -> usize {
        let files = self.files.iter().map(|(_, content)| content.len());
        files.fold(self.text.len(), usize::saturating_add)
    }

    /// Adds its files to those that are served.
    pub(super) fn load(&self, files: &mut Vec<SourceFile>, problems: &mut Problems) {
        let fields = match frontmatter::parse(&self.text) {
            Ok(fields) => fields,
            Err(problem) => return problems.add("a skill that is made in code", problem),
        };
        let Some(name) = fields.get("name").and_then(serde_json::Value::as_str) else {
            let problem = "its frontmatter has no string \"name\"; add it";
            return problems.add("a skill that is made in code", problem);
        };
        let place = format!("the skill {name:?} that is made in code");
        let path = match self.prefix.is_empty() {
            true => name.to_owned(),
            false => format!("{}/{name}", self.prefix),
        };
        let skill_md = (SKILL_FILE.to_owned(), self.text.clone().into_bytes());
        for (within, content) in std::iter::once(&skill_md).chain(&self.files) {
            let place = format!("{place}, file {within:?}");
            let path = format!("{path}/{within}");
            match path.split('/').find_map(segment_problem) {
                Some(problem) => problems.add(place, problem),
                None => files.push(SourceFile {
                    path,
                    place,
                    bytes: content.clone(),
                }),
            }
        }
    }
}

/// Omits the contents.
impl fmt::Debug for Skill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: Vec<_> = self.files.iter().map(|(path, _)| path).collect();
        f.debug_struct("Skill")
            .field("prefix", &self.prefix)
            .field("files", &files)
            .finish_non_exhaustive()
    }
}
