//! The server's information about itself.

use serde::Serialize;

use crate::primitive::Icon;
use crate::protocol::encode;

/// The server's information about itself that is for people.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct About {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) website_url: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) icons: Vec<Icon>,
}

/// The server's information about itself, as JSON that is written unchanged.
pub(super) struct Identity {
    /// `{"name":…,"version":…}`, which is part of each result of 2026-07-28.
    pub(super) short: String,
    /// Also with the title, the description, the website and the icons, for
    /// `initialize` and `server/discover`.
    pub(super) full: String,
    /// The members that follow in `initialize` and `server/discover`.
    pub(super) instructions: Option<String>,
}

impl Identity {
    pub(super) fn new(
        name: &str,
        version: &str,
        about: &About,
        instructions: Option<&str>,
    ) -> Self {
        #[derive(Serialize)]
        struct Implementation<'a> {
            name: &'a str,
            version: &'a str,
            #[serde(flatten)]
            about: Option<&'a About>,
        }
        let implementation = |about| {
            encode::json_text(&Implementation {
                name,
                version,
                about,
            })
        };
        Self {
            short: implementation(None),
            full: implementation(Some(about)),
            instructions: instructions.map(|text| encode::json_text(&text)),
        }
    }
}
