//! The capabilities that a client declares: what a server may ask it for.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::params::pick;

/// A capability that a question to the client needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ClientCapability {
    /// Forms for the user: `elicitation`, without a mode or with `form`.
    Form,
    /// URLs for the user: `elicitation` with `url`.
    Url,
    /// Completions of the client's model: `sampling`.
    Sampling,
    /// The client's folders: `roots`.
    Roots,
    /// Tasks in place of results: the extension `io.modelcontextprotocol/tasks`.
    Tasks,
}

/// The identifier of the extension for tasks.
pub(crate) const TASKS: &str = "io.modelcontextprotocol/tasks";

/// The capabilities that a client has declared, for one request in the modern era
/// and in `initialize` before that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientCapabilities {
    bits: u8,
}

impl ClientCapability {
    const fn bit(self) -> u8 {
        match self {
            Self::Form => 1,
            Self::Url => 2,
            Self::Sampling => 4,
            Self::Roots => 8,
            Self::Tasks => 16,
        }
    }

    /// Returns its name, for a sentence.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Form => "elicitation",
            Self::Url => "elicitation.url",
            Self::Sampling => "sampling",
            Self::Roots => "roots",
            Self::Tasks => TASKS,
        }
    }

    /// Returns the capabilities object that declares it.
    pub(crate) fn declaration(self) -> Value {
        match self {
            Self::Form => json!({"elicitation": {}}),
            Self::Url => json!({"elicitation": {"url": {}}}),
            Self::Sampling => json!({"sampling": {}}),
            Self::Roots => json!({"roots": {}}),
            Self::Tasks => json!({"extensions": {TASKS: {}}}),
        }
    }
}

impl ClientCapabilities {
    /// Returns them as a number, which [`from_bits`](Self::from_bits) reads.
    #[cfg(feature = "redis")]
    pub(crate) const fn bits(self) -> u8 {
        self.bits
    }

    #[cfg(feature = "redis")]
    pub(crate) const fn from_bits(bits: u8) -> Self {
        Self { bits }
    }

    /// Reads the text of a `capabilities` object. What cannot be read counts as
    /// undeclared.
    pub(crate) fn from_json(text: &str) -> Self {
        let mut all = Self::default();
        let names = ["elicitation", "sampling", "roots", "extensions"];
        let Some([elicitation, sampling, roots, extensions]) = pick(text, names) else {
            return all;
        };
        if let Some(modes) = elicitation
            && let Some([form, url]) = pick(modes.get(), ["form", "url"])
        {
            // Without a mode it means forms, as before there were modes.
            all.declare(ClientCapability::Form, form.is_some() || url.is_none());
            all.declare(ClientCapability::Url, url.is_some());
        }
        all.declare(ClientCapability::Sampling, is_object(sampling));
        all.declare(ClientCapability::Roots, is_object(roots));
        if let Some(extensions) = extensions
            && let Some([tasks]) = pick(extensions.get(), [TASKS])
        {
            all.declare(ClientCapability::Tasks, is_object(tasks));
        }
        all
    }

    /// Whether the client has declared this one.
    pub(crate) const fn has(self, capability: ClientCapability) -> bool {
        self.bits & capability.bit() != 0
    }

    fn declare(&mut self, capability: ClientCapability, is_declared: bool) {
        if is_declared {
            self.bits |= capability.bit();
        }
    }
}

/// Whether the text of a `capabilities` object declares the extension with this
/// identifier.
pub(crate) fn declares_extension(text: &str, identifier: &str) -> bool {
    let declared = pick(text, ["extensions"]).and_then(|[declared]| declared);
    let settings = declared.and_then(|extensions| pick(extensions.get(), [identifier]));
    is_object(settings.and_then(|[settings]| settings))
}

fn is_object(value: Option<&RawValue>) -> bool {
    value.is_some_and(|value| value.get().starts_with('{'))
}

#[cfg(test)]
mod tests {
    use super::ClientCapability::{Form, Roots, Sampling, Tasks, Url};
    use super::*;

    #[test]
    fn capabilities_are_read_by_the_rules_of_the_specification() {
        for (text, declared) in [
            ("{}", vec![]),
            (r#"{"elicitation":{}}"#, vec![Form]),
            (r#"{"elicitation":{"form":{}}}"#, vec![Form]),
            (r#"{"elicitation":{"url":{}}}"#, vec![Url]),
            (r#"{"elicitation":{"form":{},"url":{}}}"#, vec![Form, Url]),
            (r#"{"elicitation":{"voice":{}}}"#, vec![Form]),
            (
                r#"{"sampling":{"tools":{}},"roots":{"listChanged":true}}"#,
                vec![Sampling, Roots],
            ),
            (r#"{"elicitation":null,"sampling":null}"#, vec![]),
            (r#"{"elicitation":true,"roots":[]}"#, vec![]),
            (r#"{"sampling":{},"sampling":{}}"#, vec![]),
            ("[null,null,{}]", vec![]),
            (
                r#"{"extensions":{"other":1,"io.modelcontextprotocol/tasks":{}}}"#,
                vec![Tasks],
            ),
            (
                r#"{"extensions":{"io.modelcontextprotocol/tasks":true}}"#,
                vec![],
            ),
            (r#"{"extensions":null}"#, vec![]),
        ] {
            let read = ClientCapabilities::from_json(text);
            for capability in [Form, Url, Sampling, Roots, Tasks] {
                assert_eq!(
                    read.has(capability),
                    declared.contains(&capability),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn a_declaration_declares_its_capability() {
        for capability in [Form, Url, Sampling, Roots, Tasks] {
            let text = capability.declaration().to_string();
            assert!(
                ClientCapabilities::from_json(&text).has(capability),
                "{text}"
            );
        }
    }
}
