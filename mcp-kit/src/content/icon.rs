//! Icons of a server and of its primitives.

use std::borrow::Cow;

use serde::Serialize;

/// A picture that hosts may show beside a server or a primitive.
/// (Specification: `Icon`; since 2025-11-25, and earlier clients ignore it.)
///
/// ```
/// use mcp_kit::primitive::{Icon, IconTheme};
///
/// let icon = Icon::new("https://example.com/search.svg")
///     .with_mime_type("image/svg+xml")
///     .with_size("any")
///     .with_theme(IconTheme::Dark);
/// assert_eq!(icon.src(), "https://example.com/search.svg");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Icon {
    src: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sizes: Vec<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    theme: Option<IconTheme>,
}

/// The background for which an icon is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IconTheme {
    /// A light background.
    Light,
    /// A dark background.
    Dark,
}

impl Icon {
    /// Creates an icon from its URI: `https:`, `http:`, or `data:` with the
    /// picture in base64. Another scheme is an error of
    /// [`ServerBuilder::build`](crate::server::ServerBuilder::build).
    pub fn new(src: impl Into<Cow<'static, str>>) -> Self {
        Self {
            src: src.into(),
            mime_type: None,
            sizes: Vec::new(),
            theme: None,
        }
    }

    /// Sets the media type, if the picture's own is missing or too general.
    #[must_use]
    pub fn with_mime_type(mut self, mime_type: impl Into<Cow<'static, str>>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Adds a size in which the icon can be used: `48x48`, or `any` for a
    /// picture that scales.
    #[must_use]
    pub fn with_size(mut self, size: impl Into<Cow<'static, str>>) -> Self {
        self.sizes.push(size.into());
        self
    }

    /// Sets the background for which the icon is made.
    #[must_use]
    pub fn with_theme(mut self, theme: IconTheme) -> Self {
        self.theme = Some(theme);
        self
    }

    /// Returns the URI of the picture.
    #[must_use]
    pub fn src(&self) -> &str {
        &self.src
    }

    /// Returns what is wrong with it, if anything is.
    pub(crate) fn problem(&self) -> Option<String> {
        let scheme = self.src.split_once(':').map(|(scheme, _)| scheme);
        let is_known = scheme.is_some_and(|scheme| {
            ["https", "http", "data"]
                .iter()
                .any(|known| scheme.eq_ignore_ascii_case(known))
        });
        let sizes = self.sizes.iter().map(AsRef::as_ref);
        let wrong_size = sizes.into_iter().find(|size| !is_size(size));
        match wrong_size {
            _ if !is_known => Some(format!(
                "the icon \"{}\" must be an https:, http: or data: URI",
                crate::support::text::excerpt(&self.src)
            )),
            Some(size) => Some(format!(
                "the icon's size \"{}\" must have the form 48x48, or be any",
                crate::support::text::excerpt(size)
            )),
            None => None,
        }
    }
}

/// An icon of this URI.
impl From<&'static str> for Icon {
    fn from(src: &'static str) -> Self {
        Self::new(src)
    }
}

fn is_size(size: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    size == "any"
        || size
            .split_once('x')
            .is_some_and(|(width, height)| is_number(width) && is_number(height))
}
