//! The contents of resources, embedded in results and messages and as the result of
//! reading one, and the pages of a provider's list.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::result_meta::meta_methods;
use super::{CacheHints, CacheScope, ResourceLink, ResultMeta};
use crate::protocol::encode;

/// The contents of a resource: text, or bytes in base64. (Specification:
/// `TextResourceContents`, `BlobResourceContents`.)
///
/// A resource that is read returns them without a URI and a media type of their
/// own: the URI is the one that was read, the media type the one of the
/// resource's definition. Contents inside of a message have both.
///
/// ```
/// use mcp_kit::content::ResourceContents;
///
/// let page = ResourceContents::from_text("# Tides").with_mime_type("text/markdown");
/// assert_eq!(page.text(), Some("# Tides"));
/// let pixel = ResourceContents::from_bytes(b"\x89PNG").with_mime_type("image/png");
/// assert_eq!(pixel.base64(), Some("iVBORw=="));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceContents {
    #[serde(serialize_with = "uri_or_empty")]
    uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<String>,
    #[serde(flatten)]
    body: ResourceBody,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum ResourceBody {
    Text(String),
    Blob(String),
}

fn uri_or_empty<S: Serializer>(uri: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(uri.as_deref().unwrap_or_default())
}

impl ResourceContents {
    /// Creates contents of text.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self::new(ResourceBody::Text(text.into()))
    }

    /// Creates contents of bytes, which clients get in base64.
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::new(ResourceBody::Blob(STANDARD.encode(bytes)))
    }

    fn new(body: ResourceBody) -> Self {
        Self {
            uri: None,
            mime_type: None,
            body,
        }
    }

    /// Sets the URI, for contents that are a part of what was read, such as a
    /// file of a folder.
    #[must_use]
    pub fn with_uri(mut self, uri: impl Into<String>) -> Self {
        self.uri = Some(uri.into());
        self
    }

    /// Sets the media type, such as `text/markdown`.
    #[must_use]
    pub fn with_mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Returns the URI; `None` is the one that was read.
    #[must_use]
    pub fn uri(&self) -> Option<&str> {
        self.uri.as_deref()
    }

    /// Returns the media type.
    #[must_use]
    pub fn mime_type(&self) -> Option<&str> {
        self.mime_type.as_deref()
    }

    /// Returns the text; `None` for bytes.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.body {
            ResourceBody::Text(text) => Some(text),
            ResourceBody::Blob(_) => None,
        }
    }

    /// Returns the bytes in base64; `None` for text.
    #[must_use]
    pub fn base64(&self) -> Option<&str> {
        match &self.body {
            ResourceBody::Text(_) => None,
            ResourceBody::Blob(base64) => Some(base64),
        }
    }

    /// Sets what is not set.
    fn complete(&mut self, uri: &str, mime_type: Option<&str>) {
        self.uri.get_or_insert_with(|| uri.to_owned());
        if self.mime_type.is_none() {
            self.mime_type = mime_type.map(str::to_owned);
        }
    }

    /// Returns the bytes as JSON, or with `measure` an upper limit of them.
    fn size(&self, measure: fn(&str) -> usize) -> usize {
        /// `{"uri":…,"mimeType":…,"text":…},`
        const FRAME: usize = 40;
        let body = match &self.body {
            ResourceBody::Text(text) => measure(text),
            // Base64 needs no escapes.
            ResourceBody::Blob(base64) => base64.len(),
        };
        let names = [&self.uri, &self.mime_type].into_iter().flatten();
        let names = names.map(|name| measure(name)).sum::<usize>();
        body.saturating_add(names).saturating_add(FRAME)
    }
}

/// The result of reading a resource: its contents, or those of the parts that it
/// consists of. (Specification: `ReadResourceResult`.)
///
/// Most resources return text or bytes; this type is for several contents.
///
/// ```
/// use mcp_kit::content::{ResourceContents, ResourceResult};
///
/// let folder = ResourceResult::new(vec![
///     ResourceContents::from_text("one").with_uri("docs://a"),
///     ResourceContents::from_text("two").with_uri("docs://b"),
/// ]);
/// assert_eq!(folder.contents().len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceResult {
    pub(crate) contents: Vec<ResourceContents>,
    pub(crate) meta: ResultMeta,
    pub(crate) cache: CacheHints,
}

impl ResourceResult {
    /// Creates a result of these contents.
    #[must_use]
    pub fn new(contents: Vec<ResourceContents>) -> Self {
        Self {
            contents,
            meta: ResultMeta::default(),
            cache: CacheHints::default(),
        }
    }

    /// Sets how long a client may cache this result (`ttlMs`, 2026-07-28), in place of
    /// the definition's time; in whole milliseconds, at most `u32::MAX` of them (about
    /// 49 days), and a longer time is cut to this.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use mcp_kit::resource::{CacheScope, ResourceContents, ResourceResult};
    ///
    /// let forecast = ResourceResult::from(ResourceContents::from_text("Rain."))
    ///     .with_ttl(Duration::from_secs(600))
    ///     .with_cache_scope(CacheScope::Public);
    /// assert_eq!(forecast.as_text(), Some("Rain."));
    /// ```
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.cache.ttl = Some(ttl);
        self
    }

    /// Sets who may use this result if it is kept, in place of the definition's
    /// scope; see
    /// [`ResourceDefinition::with_cache_scope`](crate::resource::ResourceDefinition::with_cache_scope).
    #[must_use]
    pub fn with_cache_scope(mut self, scope: CacheScope) -> Self {
        self.cache.scope = Some(scope);
        self
    }

    meta_methods! {}

    /// Returns the contents.
    #[must_use]
    pub fn contents(&self) -> &[ResourceContents] {
        &self.contents
    }

    /// Returns the text, if the result is one text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self.contents.as_slice() {
            [contents] => contents.text(),
            _ => None,
        }
    }

    /// Sets the URI that was read and the definition's media type for contents
    /// that have none.
    pub(crate) fn complete(&mut self, uri: &str, mime_type: Option<&str>) {
        for contents in &mut self.contents {
            contents.complete(uri, mime_type);
        }
    }

    /// Returns the bytes of the contents as JSON.
    pub(crate) fn size(&self) -> usize {
        self.total(encode::string_size)
    }

    /// Whether [`size`](Self::size) is at most `bytes`. Most results are so small
    /// that nothing has to be counted: an escape is at most six bytes long.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        self.total(|text| text.len().saturating_mul(6)) <= bytes || self.size() <= bytes
    }

    fn total(&self, measure: fn(&str) -> usize) -> usize {
        let sizes = self.contents.iter().map(|contents| contents.size(measure));
        sizes.fold(self.meta.size(), usize::saturating_add)
    }
}

impl From<ResourceContents> for ResourceResult {
    fn from(contents: ResourceContents) -> Self {
        Self::new(vec![contents])
    }
}

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn contents_take_what_they_lack_from_their_resource() {
        let mut result = ResourceResult::new(vec![
            ResourceContents::from_text("a"),
            ResourceContents::from_bytes(b"b")
                .with_uri("docs://b")
                .with_mime_type("x/y"),
        ]);
        result.complete("docs://all", Some("text/plain"));
        assert_eq!(
            serde_json::to_value(&result.contents).unwrap(),
            json!([
                {"uri": "docs://all", "mimeType": "text/plain", "text": "a"},
                {"uri": "docs://b", "mimeType": "x/y", "blob": "Yg=="},
            ])
        );
    }

    #[test]
    fn the_size_of_a_result_is_at_least_what_it_takes() {
        let mut result = ResourceResult::new(vec![
            ResourceContents::from_text("\"\n\u{1}é"),
            ResourceContents::from_bytes([7; 100]),
        ]);
        result.complete("docs://a", Some("text/plain"));
        let json = serde_json::to_string(&result.contents).unwrap();
        let size = result.size();
        assert!(
            (json.len()..json.len() + 64).contains(&size),
            "{size} {json}"
        );
        assert!(result.fits(size) && !result.fits(size - 1));
    }
}
