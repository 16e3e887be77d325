//! Content blocks: the parts of results and messages that a model reads.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

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

/// A link to a resource that the client may read.
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
}

/// A resource's contents inside a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmbeddedResource {
    resource: ResourceContents,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceContents {
    uri: String,
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

impl EmbeddedResource {
    /// Creates a resource of text.
    pub fn from_text(uri: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(uri.into(), ResourceBody::Text(text.into()))
    }

    /// Creates a resource of bytes.
    pub fn from_bytes(uri: impl Into<String>, bytes: impl AsRef<[u8]>) -> Self {
        Self::new(uri.into(), ResourceBody::Blob(STANDARD.encode(bytes)))
    }

    /// Sets the resource's media type.
    #[must_use]
    pub fn with_mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.resource.mime_type = Some(mime_type.into());
        self
    }

    /// Returns the resource's URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.resource.uri
    }

    /// Returns the resource's media type.
    #[must_use]
    pub fn mime_type(&self) -> Option<&str> {
        self.resource.mime_type.as_deref()
    }

    /// Returns the text; `None` for a resource of bytes.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.resource.body {
            ResourceBody::Text(text) => Some(text),
            ResourceBody::Blob(_) => None,
        }
    }

    /// Returns the bytes in base64; `None` for a resource of text.
    #[must_use]
    pub fn base64(&self) -> Option<&str> {
        match &self.resource.body {
            ResourceBody::Text(_) => None,
            ResourceBody::Blob(base64) => Some(base64),
        }
    }

    fn new(uri: String, body: ResourceBody) -> Self {
        Self {
            resource: ResourceContents {
                uri,
                mime_type: None,
                body,
            },
        }
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
