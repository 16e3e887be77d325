//! [Agent Skills](https://agentskills.io/specification) over MCP: the extension
//! `io.modelcontextprotocol/skills` (SEP-2640, feature `skills`).
//!
//! A skill is a folder with a `SKILL.md`: instructions for a model, and files that
//! they refer to. Each file is a resource, and the entry of a skill has its
//! frontmatter and a manifest of all its files with their digests, so that a host can
//! show the skill, ask its user, and verify what it reads later.
//!
//! ```text
//! skills/                          skill://git-workflow/SKILL.md
//!   git-workflow/SKILL.md          skill://acme/refunds/SKILL.md
//!   acme/refunds/SKILL.md    ►     skill://acme/refunds/steps.md
//!   acme/refunds/steps.md
//! ```
//!
//! | method | answers |
//! |---|---|
//! | `skills/list` | the entries of all skills that the caller may see, in pages |
//! | `skills/get` | the entry of one |
//! | `resources/directory/read` | what is directly in a folder |
//! | `resources/list`, `resources/read` | the files |
//!
//! The three methods exist since 2026-07-28. Older clients see the files as ordinary
//! resources.
//!
//! # What is read is what was digested
//!
//! All files are read once, when [`Skills`] is built, and are held in memory. Later
//! changes on the disk are not seen until [`Skills::reload`], which checks everything
//! before it replaces anything.
//!
//! # Limits
//!
//! The guide [lists the limits](crate::guide::skills#limits), and explains
//! [how to serve skills](crate::guide::skills).

// Uses only public items of the crate; tests/skills compiles it as a part of another
// program.

mod builder;
mod catalog;
mod entry;
mod error;
mod folder;
mod frontmatter;
mod media_type;
mod methods;
mod path;
mod provider;
mod skill;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use serde_json::json;

pub use builder::SkillsBuilder;
pub use entry::SkillEntry;
pub use error::SkillsError;
pub use skill::Skill;

use crate::extension::{ExtensionMethod, ProtocolExtension};
use crate::registry::Registration;
use crate::resource::{CacheScope, ResourceDefinition, ResourceUri};
use crate::{Principal, Router, Server};
use builder::FRAME_BYTES;
use catalog::Catalog;
use methods::{DirectoryParams, GetParams, ListParams};
use provider::Files;

/// The identifier of the extension.
const IDENTIFIER: &str = "io.modelcontextprotocol/skills";

/// The skills of a server. A clone is a handle of the same skills.
///
/// ```no_run
/// use mcp_kit::Server;
/// use mcp_kit::skills::Skills;
///
/// let skills = Skills::from_dir("skills")?;
/// let server = Server::builder("support", "1.0.0").extension(&skills).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Skills(Arc<Shared>);

/// What the methods, the provider and the handles share.
struct Shared {
    options: SkillsBuilder,
    definition: ResourceDefinition,
    catalog: ArcSwap<Catalog>,
    /// Held during a reload.
    reloading: Mutex<()>,
}

impl Skills {
    /// Reads the skills in a folder: every folder below it that has a `SKILL.md`. The
    /// path below it is the path of the skill. Blocks.
    ///
    /// Names that begin with a dot are left out, and so are files outside of skills.
    /// A link is followed to a file within the folder, and refused otherwise.
    ///
    /// # Errors
    ///
    /// Returns the problems, each with its file and the fix: the first 50, and the
    /// number of the others. A problem is what cannot be read, is not a valid skill, or
    /// exceeds a [limit](self#limits). Loading stops at the first file that exceeds
    /// [`total_bytes`](SkillsBuilder::total_bytes), and after 100,000 files and folders.
    pub fn from_dir(folder: impl AsRef<Path>) -> Result<Self, SkillsError> {
        Self::builder().dir(folder).build()
    }

    /// Returns a builder without skills, for several folders, for skills that are made
    /// in code, and for access rules.
    pub fn builder() -> SkillsBuilder {
        SkillsBuilder::new()
    }

    fn new(options: SkillsBuilder, catalog: Catalog) -> Self {
        // With a scope or `readable_by` the server makes it private.
        let definition = ResourceDefinition::new(path::TEMPLATE, "skills")
            .with_ttl(options.ttl)
            .with_cache_scope(CacheScope::Public);
        Self(Arc::new(Shared {
            options,
            definition,
            catalog: ArcSwap::from_pointee(catalog),
            reloading: Mutex::new(()),
        }))
    }

    /// Returns all skills, in the order of their paths.
    #[must_use]
    pub fn entries(&self) -> Vec<Arc<SkillEntry>> {
        let catalog = self.0.catalog.load();
        catalog.skills_after(None).cloned().collect()
    }

    /// Reads all folders again, and serves what is there now, at once and as a whole.
    /// Returns whether a file has changed. Blocks: call it from
    /// `tokio::task::spawn_blocking`.
    ///
    /// Clients that follow the list of resources are notified
    /// (`notifications/resources/list_changed`), and those that watch a file that has
    /// changed (`notifications/resources/updated`).
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`SkillsBuilder::build`]. The skills remain as they
    /// were.
    pub fn reload(&self, server: &Server) -> Result<bool, SkillsError> {
        let shared = &self.0;
        let guard = shared.reloading.lock();
        let _guard = guard.unwrap_or_else(PoisonError::into_inner);
        let catalog = shared.options.load()?;
        let changed = catalog.differences(&shared.catalog.load());
        if changed.is_empty() {
            return Ok(false);
        }
        shared.catalog.store(Arc::new(catalog));
        server.registry().provider_changed(path::TEMPLATE);
        let updates = server.updates();
        for uri in changed {
            updates.notify(uri);
        }
        Ok(true)
    }

    fn extension(&self) -> ProtocolExtension {
        let policy = |method: ExtensionMethod| {
            let method = method.for_every_client();
            match &self.0.options.scope {
                Some(scope) => method.scope(scope.clone()),
                None => method,
            }
        };
        let shared = || Arc::clone(&self.0);
        let (list, get, directory) = (shared(), shared(), shared());
        ProtocolExtension::new(IDENTIFIER)
            .settings(json!({"directoryRead": true}))
            .router(self.router())
            .method_with(
                "skills/list",
                move |params: ListParams, caller: Principal| {
                    std::future::ready(list.list(&params, &caller))
                },
                policy,
            )
            .method_with(
                "skills/get",
                move |params: GetParams, caller: Principal| {
                    std::future::ready(get.get(&params, &caller))
                },
                policy,
            )
            .method_with(
                "resources/directory/read",
                move |params: DirectoryParams, caller: Principal| {
                    std::future::ready(directory.directory(&params, &caller))
                },
                policy,
            )
    }

    fn router(&self) -> Router {
        let options = &self.0.options;
        let mut files = Registration::of_provider(Files(Arc::clone(&self.0)));
        if let Some(bytes) = options.file_bytes {
            files = files.result_bytes(bytes.saturating_add(FRAME_BYTES));
        }
        if options.readable_by.is_some() {
            let shared = Arc::clone(&self.0);
            files = files.readable_by(move |caller: &Principal, uri: &ResourceUri| {
                let path = shared.path_of(uri.as_str());
                path.is_some_and(|path| shared.may_read(&shared.catalog.load(), caller, &path))
            });
        }
        let router = Router::new().add(files);
        match &options.scope {
            Some(scope) => router.scope(scope.clone()),
            None => router,
        }
    }
}

impl Shared {
    /// Returns the path in a URI that a client sent.
    fn path_of(&self, uri: &str) -> Option<String> {
        path::path_of(self.definition.template()?, uri)
    }

    fn may_see(&self, caller: &Principal, skill: &SkillEntry) -> bool {
        let allowed = self.options.readable_by.as_ref();
        allowed.is_none_or(|allowed| allowed(caller, skill))
    }

    /// Whether a caller may see one of the skills that have a file.
    fn may_read(&self, catalog: &Catalog, caller: &Principal, file: &str) -> bool {
        let mut skills = catalog.skills_with(file);
        self.options.readable_by.is_none() || skills.any(|skill| self.may_see(caller, skill))
    }
}

impl From<&Skills> for ProtocolExtension {
    fn from(skills: &Skills) -> Self {
        skills.extension()
    }
}

impl From<Skills> for ProtocolExtension {
    fn from(skills: Skills) -> Self {
        skills.extension()
    }
}

impl fmt::Debug for Skills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries();
        let uris = entries.iter().map(|entry| entry.uri());
        f.debug_list().entries(uris).finish()
    }
}
