//! Where the skills of a server come from, and which callers may see them.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::catalog::Catalog;
use super::error::Problems;
use super::folder;
use super::{Skill, SkillEntry, Skills, SkillsError};
use crate::Principal;

/// Whether a caller may see a skill.
pub(super) type ReadableBy = Arc<dyn Fn(&Principal, &SkillEntry) -> bool + Send + Sync>;

/// The result of a file has this much around its content.
pub(super) const FRAME_BYTES: usize = 8 * 1024;

/// The largest file in a result by default. With its frame it is within the default
/// limit of results, which a test compares.
const FILE_BYTES: usize = 1_000 * 1024;

/// Builds [`Skills`] from folders and from code; from [`Skills::builder`].
///
/// ```
/// use std::time::Duration;
///
/// use mcp_kit::skills::{Skill, Skills};
///
/// let text = "---\nname: refunds\ndescription: How to refund an order.\n---\n";
/// let skills = Skills::builder()
///     .skill(Skill::new(text))
///     .scope("support")
///     .ttl(Duration::from_secs(300))
///     .build()?;
/// assert_eq!(skills.entries()[0].name(), "refunds");
/// # Ok::<(), mcp_kit::skills::SkillsError>(())
/// ```
#[derive(Clone)]
#[must_use = "call `.build()`"]
pub struct SkillsBuilder {
    sources: Vec<Source>,
    pub(super) scope: Option<Cow<'static, str>>,
    pub(super) readable_by: Option<ReadableBy>,
    pub(super) ttl: Duration,
    pub(super) file_bytes: Option<usize>,
    total_bytes: usize,
}

#[derive(Clone, Debug)]
enum Source {
    Folder(PathBuf),
    Skill(Skill),
}

impl SkillsBuilder {
    pub(super) fn new() -> Self {
        Self {
            sources: Vec::new(),
            scope: None,
            readable_by: None,
            ttl: Duration::ZERO,
            file_bytes: None,
            total_bytes: 64 * 1024 * 1024,
        }
    }

    /// Adds the skills in a folder: every folder below it that has a `SKILL.md`.
    pub fn dir(mut self, folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref().to_owned();
        self.sources.push(Source::Folder(folder));
        self
    }

    /// Adds a skill that is made in code.
    pub fn skill(mut self, skill: Skill) -> Self {
        self.sources.push(Source::Skill(skill));
        self
    }

    /// Sets the scope that a caller must hold. For a caller without it there are no
    /// skills.
    pub fn scope(mut self, scope: impl Into<Cow<'static, str>>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// Sets which callers may see which skills. A skill that a caller may not see is
    /// in no list, and its files cannot be read or watched; the answers are those of
    /// a skill that does not exist. A skill inside another one is also a part of that
    /// one: its files can be read by the callers that may see either.
    ///
    /// ```
    /// use mcp_kit::Principal;
    /// use mcp_kit::skills::{SkillEntry, Skills};
    ///
    /// fn own_team(caller: &Principal, skill: &SkillEntry) -> bool {
    ///     skill.path().split('/').next() == Some(caller.name())
    /// }
    ///
    /// let skills = Skills::builder().readable_by(own_team).build()?;
    /// # Ok::<(), mcp_kit::skills::SkillsError>(())
    /// ```
    pub fn readable_by(
        mut self,
        allowed: impl Fn(&Principal, &SkillEntry) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.readable_by = Some(Arc::new(allowed));
        self
    }

    /// Sets how long a host may use an entry or a file without a further request
    /// (`ttlMs`), in whole milliseconds, at most `u32::MAX` of them (about 49 days); a
    /// longer time is cut to this. The default is zero.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Sets the limit of one file in a result, in bytes: of JSON for text, of base64
    /// for everything else. The default is 1,000 KiB. Also raises the result limit of
    /// these resources to match.
    pub fn file_bytes(mut self, bytes: usize) -> Self {
        self.file_bytes = Some(bytes);
        self
    }

    /// Sets the most bytes of all files, which are held in memory. The default is
    /// 64 MiB.
    pub fn total_bytes(mut self, bytes: usize) -> Self {
        self.total_bytes = bytes;
        self
    }

    /// Reads all files and checks all skills. Blocks.
    ///
    /// # Errors
    ///
    /// Returns the problems, each with its file and the fix: the first 50, and the
    /// number of the others. Loading a folder stops at the first file that exceeds
    /// [`total_bytes`](Self::total_bytes), and after 100,000 files and folders.
    pub fn build(self) -> Result<Skills, SkillsError> {
        let catalog = self.load()?;
        Ok(Skills::new(self, catalog))
    }

    /// Reads all files.
    pub(super) fn load(&self) -> Result<Catalog, SkillsError> {
        let mut problems = Problems::default();
        let mut files = Vec::new();
        let mut left = self.total_bytes;
        for source in &self.sources {
            match source {
                Source::Folder(folder) => {
                    folder::load(folder, self.total_bytes, &mut left, &mut files, &mut problems);
                }
                Source::Skill(skill) => match left.checked_sub(skill.bytes()) {
                    Some(rest) => {
                        left = rest;
                        skill.load(&mut files, &mut problems);
                    }
                    None => problems.add(
                        "a skill that is made in code",
                        format_args!(
                            "with it all skills have more than the limit of {} bytes; raise it with `SkillsBuilder::total_bytes`",
                            self.total_bytes
                        ),
                    ),
                },
            }
        }
        let file_bytes = self.file_bytes.unwrap_or(FILE_BYTES);
        let catalog = Catalog::new(files, file_bytes, &mut problems);
        problems.into_result(catalog)
    }
}

impl fmt::Debug for SkillsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkillsBuilder")
            .field("sources", &self.sources)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
