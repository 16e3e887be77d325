//! The `_meta` of a result.

use serde_json::{Map, Value};

use crate::protocol::encode;

/// The members of a result's `_meta` that its author set. Most results have
/// none, which costs a pointer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ResultMeta(Option<Box<Map<String, Value>>>);

/// The member that the server writes by itself.
const OF_SERVER: &str = "io.modelcontextprotocol/serverInfo";

impl ResultMeta {
    pub(super) fn insert(&mut self, key: String, value: Value) {
        if key != OF_SERVER {
            self.0.get_or_insert_default().insert(key, value);
        }
    }

    pub(super) fn get(&self) -> Option<&Map<String, Value>> {
        self.0.as_deref()
    }

    /// Returns the bytes of the members as JSON.
    pub(super) fn size(&self) -> usize {
        let mut json = Vec::new();
        self.write(&mut json);
        json.len()
    }

    /// Writes the members without braces, each with a comma after it.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for (key, value) in self.0.iter().flat_map(|members| members.iter()) {
            encode::string(out, key);
            out.push(b':');
            encode::json(out, value);
            out.push(b',');
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// Writes the methods of a result that has a `meta`; `with_meta` may have an
/// example.
macro_rules! meta_methods {
    ($(#[$example:meta])*) => {
        /// Sets a member of the result's `_meta`, which is for the host and not for
        /// the model, and replaces an earlier one of the same key.
        ///
        /// The specification asks for a prefix with a domain of yours:
        /// `example.com/etag`. The key `io.modelcontextprotocol/serverInfo` is the
        /// server's own, and is left out.
        $(#[$example])*
        #[must_use]
        pub fn with_meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
            self.meta.insert(key.into(), value.into());
            self
        }

        /// Returns the result's `_meta`, if it has any.
        #[must_use]
        pub fn meta(&self) -> Option<&Map<String, Value>> {
            self.meta.get()
        }
    };
}

pub(super) use meta_methods;
