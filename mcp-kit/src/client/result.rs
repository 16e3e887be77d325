//! The results of tools, prompts and resources, as a client reads them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::request::{Answered, sealed};
use crate::support::json::Members as _;

/// Defines a result: its JSON, and the progress that was reported before it.
macro_rules! answered {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            json: Value,
            progress: Vec<Value>,
        }

        impl Answered for $name {}

        impl sealed::Answered for $name {
            fn read(json: Value, progress: Vec<Value>) -> Self {
                Self { json, progress }
            }
        }

        impl $name {
            /// Returns the whole result.
            #[must_use]
            pub fn json(&self) -> &Value {
                &self.json
            }

            /// Returns the progress that was reported before the result: the parameters
            /// of each notification.
            #[must_use]
            pub fn progress(&self) -> &[Value] {
                &self.progress
            }
        }
    };
}

answered! {
    /// A tool's answer.
    CallResult
}

impl CallResult {
    /// Returns the text blocks, separated by newlines.
    #[must_use]
    pub fn text(&self) -> String {
        let texts: Vec<_> = self
            .content()
            .iter()
            .filter_map(|block| block.at("text").as_str())
            .collect();
        texts.join("\n")
    }

    /// Returns every block, as JSON.
    #[must_use]
    pub fn content(&self) -> &[Value] {
        self.json
            .at("content")
            .as_array()
            .map_or(&[], Vec::as_slice)
    }

    /// Returns the structured content.
    #[must_use]
    pub fn structured(&self) -> Option<&Value> {
        self.json.member("structuredContent")
    }

    /// Whether the tool reports that it failed.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.json.at("isError") == true
    }
}

answered! {
    /// A prompt's answer.
    GetPromptResult
}

impl GetPromptResult {
    /// Returns the texts of all messages, separated by newlines.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.messages().iter();
        let texts = texts.filter_map(|message| message.at("content").at("text").as_str());
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Returns every message, as JSON: its `role` and its `content`.
    #[must_use]
    pub fn messages(&self) -> &[Value] {
        self.json
            .at("messages")
            .as_array()
            .map_or(&[], Vec::as_slice)
    }

    /// Returns the description of the messages.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.json.at("description").as_str()
    }
}

answered! {
    /// A resource's answer.
    ReadResourceResult
}

impl ReadResourceResult {
    /// Returns the texts among the contents, separated by newlines.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.contents().iter();
        let texts = texts.filter_map(|contents| contents.at("text").as_str());
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Returns the decoded bytes of the first contents that are not text.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let mut blobs = self.contents().iter();
        let blob = blobs.find_map(|contents| contents.at("blob").as_str())?;
        STANDARD.decode(blob).ok()
    }

    /// Returns all contents, as JSON: their `uri`, their `mimeType`, and their
    /// `text` or `blob`.
    #[must_use]
    pub fn contents(&self) -> &[Value] {
        self.json
            .at("contents")
            .as_array()
            .map_or(&[], Vec::as_slice)
    }
}
