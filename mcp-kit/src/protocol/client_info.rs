//! The client's information about itself.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;

use super::ClientCapabilities;

/// The program at the other end, as it describes itself (`clientInfo`): `Claude
/// Code`, `2.1.332`.
///
/// It is not verified: use it for statistics and for ways around a client's
/// faults, and never to decide what a caller may do. Each text has at most 256
/// bytes; what is longer is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientInfo {
    name: Box<str>,
    version: Box<str>,
    title: Option<Box<str>>,
}

/// What a client has sent in `initialize`: its information about itself, and its
/// capabilities.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientDetails {
    pub(crate) info: Option<ClientInfo>,
    pub(crate) capabilities: ClientCapabilities,
    /// The identifiers of its extensions that the server has.
    pub(crate) extensions: Vec<Arc<str>>,
}

/// The members that are kept. Icons and similar members may be large.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    title: Option<Cow<'a, str>>,
}

impl ClientInfo {
    /// Reads the JSON text of a `clientInfo`; `None` if it is not an object with
    /// a name.
    pub(crate) fn from_json(text: &str) -> Option<Self> {
        if !text.starts_with('{') {
            return None;
        }
        let members: Members<'_> = serde_json::from_str(text).ok()?;
        Some(Self {
            name: cut(&members.name),
            version: members.version.map_or_else(Box::default, |text| cut(&text)),
            title: members.title.map(|text| cut(&text)),
        })
    }

    /// Returns the program's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the program's version; empty if the client does not send one.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the name that is shown to people, if it differs from the name.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }
}

fn cut(text: &str) -> Box<str> {
    /// In bytes.
    const LONGEST: usize = 256;
    text[..text.floor_char_boundary(LONGEST)].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_client_is_bounded() {
        let long = "é".repeat(1000);
        let text = format!(r#"{{"name":"{long}","version":"1","title":"T","icons":["{long}"]}}"#);
        let info = ClientInfo::from_json(&text).unwrap();
        assert_eq!(
            (info.name().len(), info.version(), info.title()),
            (256, "1", Some("T"))
        );
        let info = ClientInfo::from_json(r#"{"name":"\u0061"}"#).unwrap();
        assert_eq!((info.name(), info.version(), info.title()), ("a", "", None));
        for text in [
            "",
            "null",
            "[\"a\",\"b\",\"c\"]",
            "{}",
            "{\"name\":7}",
            "\"name\"",
        ] {
            assert_eq!(ClientInfo::from_json(text), None, "{text}");
        }
    }
}
