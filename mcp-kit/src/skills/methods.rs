//! The three methods: `skills/list`, `skills/get` and `resources/directory/read`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::path::skill_of;
use super::{Shared, SkillEntry};
use crate::content::ResourceLink;
use crate::{Error, Json, Principal, ToolArgs};

/// The most skills of a page.
const MOST_SKILLS: usize = 100;

/// The most bytes of the entries of a page with more than one. With every escape it is
/// below the default limit of results.
const MOST_PAGE_BYTES: usize = 256 * 1024;

/// The most files and folders of a page.
const MOST_CHILDREN: usize = 500;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate, allow_unknown)]
pub(super) struct ListParams {
    /// Where the page begins.
    #[garde(length(chars, max = 4_096))]
    cursor: Option<String>,
}

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate, allow_unknown)]
pub(super) struct GetParams {
    /// The URI of the `SKILL.md`.
    #[garde(length(chars, max = 2_048))]
    uri: String,
}

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate, allow_unknown)]
pub(super) struct DirectoryParams {
    /// The URI of the folder.
    #[garde(length(chars, max = 2_048))]
    uri: String,
    /// Where the page begins.
    #[garde(length(chars, max = 4_096))]
    cursor: Option<String>,
}

/// How long and where a result may be kept.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CacheHints {
    ttl_ms: u32,
    cache_scope: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    skills: Vec<Arc<SkillEntry>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    #[serde(flatten)]
    hints: CacheHints,
}

#[derive(Serialize)]
pub(super) struct Got {
    skill: Arc<SkillEntry>,
    #[serde(flatten)]
    hints: CacheHints,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Directory {
    resources: Vec<ResourceLink>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Shared {
    /// `skills/list`. The cursor is the path of the last skill, so it remains right
    /// when skills come and go.
    pub(super) fn list(
        &self,
        params: &ListParams,
        caller: &Principal,
    ) -> Result<Json<Listed>, Error> {
        let after = params.cursor.as_deref().map(decoded).transpose()?;
        let catalog = self.catalog.load();
        let skills = catalog.skills_after(after.as_deref());
        let mut skills = skills
            .filter(|skill| self.may_see(caller, skill))
            .peekable();
        let mut page: Vec<Arc<SkillEntry>> = Vec::new();
        let mut bytes = 0;
        while let Some(skill) = skills.next_if(|skill| {
            bytes += skill.json_bytes();
            page.is_empty() || (page.len() < MOST_SKILLS && bytes <= MOST_PAGE_BYTES)
        }) {
            page.push(Arc::clone(skill));
        }
        let has_more = skills.peek().is_some();
        let last = page.last().filter(|_| has_more);
        Ok(Json(Listed {
            next_cursor: last.map(|last| URL_SAFE_NO_PAD.encode(last.path())),
            skills: page,
            hints: self.hints(),
        }))
    }

    /// `skills/get`.
    pub(super) fn get(&self, params: &GetParams, caller: &Principal) -> Result<Json<Got>, Error> {
        let path = self.path_of(&params.uri);
        let catalog = self.catalog.load();
        let skill = path.as_deref().and_then(skill_of);
        let skill = skill.and_then(|path| catalog.skill(path));
        match skill.filter(|skill| self.may_see(caller, skill)) {
            Some(skill) => Ok(Json(Got {
                skill: Arc::clone(skill),
                hints: self.hints(),
            })),
            None => Err(Error::not_found(
                "No skill is served at this URI. Use the URI of a skill's SKILL.md, as skills/list has it.",
            )),
        }
    }

    /// `resources/directory/read`.
    pub(super) fn directory(
        &self,
        params: &DirectoryParams,
        caller: &Principal,
    ) -> Result<Json<Directory>, Error> {
        let after = params.cursor.as_deref().map(decoded).transpose()?;
        let path = self.path_of(&params.uri).unwrap_or_default();
        let catalog = self.catalog.load();
        let is_readable = |file: &str| self.may_read(&catalog, caller, file);
        let is_folder = catalog
            .children_after(&path, None, is_readable)
            .next()
            .is_some();
        if !is_folder {
            return Err(Error::not_found(
                "This URI is not a directory of a skill. Write it without a slash at its end.",
            ));
        }
        let mut children = catalog.children_after(&path, after.as_deref(), is_readable);
        let page: Vec<_> = children.by_ref().take(MOST_CHILDREN).collect();
        let has_more = children.next().is_some();
        let last = page.last().filter(|_| has_more);
        Ok(Json(Directory {
            next_cursor: last.map(|last| URL_SAFE_NO_PAD.encode(last.position())),
            resources: page.iter().map(super::catalog::Child::link).collect(),
        }))
    }

    fn hints(&self) -> CacheHints {
        let depends_on_caller = self.options.scope.is_some() || self.options.readable_by.is_some();
        CacheHints {
            ttl_ms: u32::try_from(self.options.ttl.as_millis()).unwrap_or(u32::MAX),
            cache_scope: if depends_on_caller {
                "private"
            } else {
                "public"
            },
        }
    }
}

fn decoded(cursor: &str) -> Result<String, Error> {
    let text = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = text.and_then(|text| String::from_utf8(text).ok());
    text.ok_or_else(|| Error::not_found("Unknown cursor. Request the list again without a cursor."))
}
