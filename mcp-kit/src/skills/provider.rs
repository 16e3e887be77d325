//! The files of skills as resources: `resources/list` and `resources/read`.

use std::sync::Arc;

use super::Shared;
use crate::async_trait;
use crate::call::{Call, Error};
use crate::resource::{ResourceDefinition, ResourcePage, ResourceProvider, ResourceResult};

/// The most files of a page.
const PAGE: usize = 500;

/// The provider of all files. What a caller may not read is left out by the
/// `readable_by` of its registration.
pub(super) struct Files(pub(super) Arc<Shared>);

#[async_trait]
impl ResourceProvider for Files {
    fn definition(&self) -> &ResourceDefinition {
        &self.0.definition
    }

    /// The cursor is the path of the last file.
    async fn list(&self, call: Call, cursor: Option<&str>) -> Result<ResourcePage, Error> {
        let most = call.page_items().unwrap_or(PAGE).clamp(1, PAGE);
        let catalog = self.0.catalog.load();
        let mut files = catalog.files_after(cursor);
        let page: Vec<_> = files.by_ref().take(most).collect();
        let next = page.last().map(|(path, _)| *path);
        let listed = ResourcePage::new(page.iter().map(|(_, file)| file.link()).collect());
        Ok(match (next, files.next()) {
            (Some(next), Some(_)) => listed.with_next(next),
            _ => listed,
        })
    }

    async fn read(&self, call: Call) -> Result<Option<ResourceResult>, Error> {
        let path = call.uri().and_then(|uri| self.0.path_of(uri.as_str()));
        let catalog = self.0.catalog.load();
        let file = path.and_then(|path| catalog.file(&path));
        Ok(file.map(|file| file.contents().into()))
    }
}
