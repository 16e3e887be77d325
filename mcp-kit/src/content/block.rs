//! Content blocks: the parts of results and messages that a model reads.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::icon::Icon;
use super::{ResourceAnnotations, ResourceContents};
use crate::protocol::encode;

/// One block of a result's or a message's content. (Specification:
/// `ContentBlock`.)
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Content {
    /// Plain text.
    Text(Text),
    /// A picture.
    Image(Image),
    /// A sound.
    Audio(Audio),
    /// A link to a resource that the client may read.
    ResourceLink(ResourceLink),
    /// A resource's contents.
    #[serde(rename = "resource")]
    EmbeddedResource(EmbeddedResource),
}

impl Content {
    /// Creates a block of text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Text::new(text))
    }

    /// Returns the block's bytes as JSON, except for the few that frame it.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Text(text) => encode::string_size(&text.text),
            // Base64 needs no escapes.
            Self::Image(Image(media)) | Self::Audio(Audio(media)) => media.data.len(),
            Self::ResourceLink(_) | Self::EmbeddedResource(_) => {
                let mut json = Vec::new();
                encode::json(&mut json, self);
                json.len()
            }
        }
    }

    /// Returns an upper limit of [`size`](Self::size) that costs nothing for
    /// text: an escape is at most six bytes long.
    pub(super) fn size_at_most(&self) -> usize {
        match self {
            Self::Text(text) => text.text.len().saturating_mul(6),
            block => block.size(),
        }
    }
}

/// Plain text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Text {
    text: String,
}

impl Text {
    /// Creates a block of `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Bytes with their media type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Media {
    data: String,
    mime_type: String,
}

macro_rules! media {
    ($(#[doc = $doc:literal])+ $block:ident, $example:literal) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(transparent)]
        pub struct $block(Media);

        impl $block {
            #[doc = concat!("A block from its bytes and their media type, such as `", $example, "`.")]
            pub fn new(bytes: impl AsRef<[u8]>, mime_type: impl Into<String>) -> Self {
                Self(Media {
                    data: STANDARD.encode(bytes),
                    mime_type: mime_type.into(),
                })
            }

            /// Returns the bytes in base64.
            #[must_use]
            pub fn base64(&self) -> &str {
                &self.0.data
            }

            /// Returns the media type.
            #[must_use]
            pub fn mime_type(&self) -> &str {
                &self.0.mime_type
            }
        }
    };
}
media!(/// A picture.
    Image, "image/png");
media!(/// A sound.
    Audio, "audio/wav");

/// A link to a resource that the client may read, and a resource in a list.
/// (Specification: `ResourceLink`, `Resource`.)
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceLink {
    uri: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "ResourceAnnotations::is_empty")]
    annotations: ResourceAnnotations,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    icons: Vec<Icon>,
}

impl ResourceLink {
    /// Creates a link to `uri`, called `name`.
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            uri: uri.into(),
            name: name.into(),
            title: None,
            description: None,
            mime_type: None,
            size: None,
            annotations: ResourceAnnotations::new(),
            icons: Vec::new(),
        }
    }

    /// Sets the name for people.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the description of the resource's contents.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the resource's media type.
    #[must_use]
    pub fn with_mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Sets the size of the contents, in bytes before any encoding.
    #[must_use]
    pub fn with_size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// Sets the hints for the client.
    #[must_use]
    pub fn with_annotations(mut self, annotations: ResourceAnnotations) -> Self {
        self.annotations = annotations;
        self
    }

    /// Adds an icon, which hosts may show beside the resource.
    #[must_use]
    pub fn with_icon(mut self, icon: impl Into<Icon>) -> Self {
        self.icons.push(icon.into());
        self
    }

    /// Returns the resource's URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Returns the resource's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name for people.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Returns the description of the resource's contents.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Returns the resource's media type.
    #[must_use]
    pub fn mime_type(&self) -> Option<&str> {
        self.mime_type.as_deref()
    }

    /// Returns the size of the contents, in bytes before any encoding.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Returns the hints for the client.
    #[must_use]
    pub fn annotations(&self) -> &ResourceAnnotations {
        &self.annotations
    }

    /// Returns the icons.
    #[must_use]
    pub fn icons(&self) -> &[Icon] {
        &self.icons
    }
}

/// A resource's contents inside a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmbeddedResource {
    resource: ResourceContents,
}

impl EmbeddedResource {
    /// Creates a resource of text.
    pub fn from_text(uri: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(uri, ResourceContents::from_text(text))
    }

    /// Creates a resource of bytes.
    pub fn from_bytes(uri: impl Into<String>, bytes: impl AsRef<[u8]>) -> Self {
        Self::new(uri, ResourceContents::from_bytes(bytes))
    }

    /// Creates a resource of contents, which get this URI.
    pub fn new(uri: impl Into<String>, contents: ResourceContents) -> Self {
        Self {
            resource: contents.with_uri(uri),
        }
    }

    /// Sets the resource's media type.
    #[must_use]
    pub fn with_mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.resource = self.resource.with_mime_type(mime_type);
        self
    }

    /// Returns the resource's URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        self.resource.uri().unwrap_or_default()
    }

    /// Returns the resource's media type.
    #[must_use]
    pub fn mime_type(&self) -> Option<&str> {
        self.resource.mime_type()
    }

    /// Returns the text; `None` for a resource of bytes.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.resource.text()
    }

    /// Returns the bytes in base64; `None` for a resource of text.
    #[must_use]
    pub fn base64(&self) -> Option<&str> {
        self.resource.base64()
    }
}

macro_rules! into_content {
    ($($block:ident),*) => {$(
        impl From<$block> for Content {
            fn from(block: $block) -> Self {
                Self::$block(block)
            }
        }
    )*};
}
into_content!(Text, Image, Audio, ResourceLink, EmbeddedResource);

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blocks_have_the_specifications_form() {
        let blocks: Vec<Content> = vec![
            Content::text("hi"),
            Image::new(b"\x00\x01", "image/png").into(),
            Audio::new(b"\x02", "audio/wav").into(),
            ResourceLink::new("file:///a", "a")
                .with_mime_type("text/plain")
                .into(),
            EmbeddedResource::from_text("file:///b", "b")
                .with_mime_type("text/plain")
                .into(),
            EmbeddedResource::from_bytes("file:///c", b"c").into(),
        ];
        assert_eq!(
            serde_json::to_value(blocks).unwrap(),
            json!([
                {"type": "text", "text": "hi"},
                {"type": "image", "data": "AAE=", "mimeType": "image/png"},
                {"type": "audio", "data": "Ag==", "mimeType": "audio/wav"},
                {"type": "resource_link", "uri": "file:///a", "name": "a", "mimeType": "text/plain"},
                {"type": "resource", "resource": {"uri": "file:///b", "mimeType": "text/plain", "text": "b"}},
                {"type": "resource", "resource": {"uri": "file:///c", "blob": "Yw=="}},
            ])
        );
    }
}
