//! The client's information about itself.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::params::pick;
use super::{ClientCapabilities, json_string};

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

impl ClientInfo {
    /// Reads the JSON text of a `clientInfo`; `None` if it is not an object with
    /// a name.
    pub(crate) fn from_json(text: &str) -> Option<Self> {
        // Icons and similar members may be large.
        let [name, version, title] = pick(text, ["name", "version", "title"])?;
        let read = |member: Option<&RawValue>| match member {
            Some(text) => json_string(text.get()).map(|text| Some(cut(&text))),
            None => Some(None),
        };
        Some(Self {
            name: read(name)??,
            version: read(version)?.unwrap_or_default(),
            title: read(title)?,
        })
    }

    /// Returns the JSON text that [`from_json`](Self::from_json) reads.
    #[cfg(feature = "redis")]
    pub(crate) fn to_json(&self) -> String {
        let mut json = serde_json::json!({"name": self.name, "version": self.version});
        if let Some(title) = &self.title {
            json["title"] = (&**title).into();
        }
        json.to_string()
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
