//! A page of a list of resources, as a provider returns it.

use std::sync::Arc;

use super::ResourceLink;
use crate::protocol::encode;

/// A page of the resources of a
/// [`ResourceProvider`](crate::resource::ResourceProvider).
///
/// ```
/// use mcp_kit::content::ResourceLink;
/// use mcp_kit::resource::ResourcePage;
///
/// let page = ResourcePage::new(vec![ResourceLink::new("row://7", "7")]).with_next("7");
/// assert_eq!(page.next(), Some("7"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourcePage {
    pub(crate) resources: Vec<ResourceLink>,
    pub(crate) next: Option<String>,
    /// The server's own resources in front of the provider's, each as JSON.
    pub(crate) before: Vec<Arc<str>>,
}

impl ResourcePage {
    /// Creates the last page, of these resources.
    #[must_use]
    pub fn new(resources: Vec<ResourceLink>) -> Self {
        Self {
            resources,
            ..Self::default()
        }
    }

    /// Sets the cursor with which the next page is requested: at most 1,024
    /// bytes.
    #[must_use]
    pub fn with_next(mut self, cursor: impl Into<String>) -> Self {
        self.next = Some(cursor.into());
        self
    }

    /// Returns the resources.
    #[must_use]
    pub fn resources(&self) -> &[ResourceLink] {
        &self.resources
    }

    /// Returns the cursor of the next page.
    #[must_use]
    pub fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// Returns the bytes of the provider's resources as JSON.
    pub(crate) fn size(&self) -> usize {
        let mut json = Vec::new();
        encode::json(&mut json, &self.resources);
        json.len()
    }
}
