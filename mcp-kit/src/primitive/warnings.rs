//! Warnings: what works, but could serve people and hosts better. Their kinds, and
//! those about primitives of every kind; a kind adds its own.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::CommonDefinition;
use crate::support::json::Members as _;

macro_rules! codes {
    ($($(#[doc = $words:literal])+ $code:ident = $name:literal,)+) => {
        /// The kind of a [`Warning`](crate::registry::Warning). `Display`
        /// writes its name, as `check` shows it: `long-timeout`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum WarningCode {
            $($(#[doc = $words])+ #[doc = ""] #[doc = concat!("Its name is `", $name, "`.")] $code,)+
        }

        impl WarningCode {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$code,)+];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)+
                }
            }
        }
    };
}

codes! {
    /// The server offers nothing.
    NoTools = "no-tools",
    /// The names of the tools, or of the prompts, mix `snake_case`, `kebab-case` and `camelCase`.
    MixedNames = "mixed-names",
    /// Two names differ in case alone.
    SimilarNames = "similar-names",
    /// A tool's name leaves no room for the server's name, which hosts put in
    /// front.
    LongName = "long-name",
    /// A tool's name has a dot.
    DottedName = "dotted-name",
    /// The description of a tool is too short to explain when to use it, or a
    /// resource has none.
    ShortDescription = "short-description",
    /// A description is longer than some hosts show.
    LongDescription = "long-description",
    /// A title or a description, of an argument too, has invisible characters.
    HiddenCharacters = "hidden-characters",
    /// An argument has no description.
    UndescribedArgument = "undescribed-argument",
    /// A tool is both read-only and destructive.
    ContradictoryHints = "contradictory-hints",
    /// A tool is declared neither read-only nor destructive.
    MissingEffectHint = "missing-effect-hint",
    /// A tool does not declare whether it reaches the outside.
    MissingOpenWorldHint = "missing-open-world-hint",
    /// A timeout is longer than most clients wait.
    LongTimeout = "long-timeout",
    /// A result is not an object, so older clients get no output schema.
    ResultWithoutObject = "result-without-object",
    /// The arguments are a choice that could not be published as one object.
    /// Some models' APIs refuse it.
    RootChoice = "root-choice",
    /// An argument's name has characters that some models' APIs refuse.
    ArgumentName = "argument-name",
    /// An argument is a list whose items differ by position. Some models' APIs
    /// refuse it.
    MixedTuple = "mixed-tuple",
    /// An argument is a set (`uniqueItems`). Some models' APIs refuse it.
    UniqueItems = "unique-items",
    /// A schema lists a number that is not exact in every JSON reader. Some
    /// models' APIs refuse it.
    LargeNumber = "large-number",
}

impl WarningCode {
    /// Whether it is about a schema that some hosts or models' APIs refuse;
    /// `testing::assert_portable` (feature `testing`) finds these.
    #[must_use]
    pub const fn is_about_portability(self) -> bool {
        matches!(
            self,
            Self::RootChoice
                | Self::ArgumentName
                | Self::MixedTuple
                | Self::UniqueItems
                | Self::LargeNumber
        )
    }
}

impl fmt::Display for WarningCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Warnings about one primitive.
pub(crate) type Found = Vec<(WarningCode, String)>;

/// Hosts prefix the server's name, and allow 60 or 64 characters in total.
const LONGEST_NAME: usize = 40;

/// How long the clients of the official SDKs wait for an answer.
const CLIENT_PATIENCE: Duration = Duration::from_secs(60);

/// Returns the warnings of a primitive with this timeout.
pub(crate) fn common_warnings(common: &CommonDefinition, timeout: Duration) -> Found {
    let mut warnings = Vec::new();
    if common.name.len() > LONGEST_NAME {
        warnings.push((WarningCode::LongName, format!(
            "its name is longer than {LONGEST_NAME} characters; hosts put the server's name in front, and some allow 60 characters in all"
        )));
    }
    let hides_something =
        |character: char| character != '\n' && crate::support::text::is_unsafe(character);
    let arguments = common.arguments.schema().at("properties").as_object();
    let arguments = arguments
        .into_iter()
        .flatten()
        .filter_map(|(name, schema)| {
            let text = schema.at("description").as_str()?;
            Some((format!("the description of its argument \"{name}\""), text))
        });
    let texts = [
        (
            "its title".to_owned(),
            common.title.as_deref().unwrap_or_default(),
        ),
        ("its description".to_owned(), &common.description),
    ];
    for (what, text) in texts.into_iter().chain(arguments) {
        if text.trim().contains(hides_something) {
            warnings.push((WarningCode::HiddenCharacters, format!(
                "{what} holds invisible characters; hosts may take it for an attack, so remove them"
            )));
        }
    }
    undescribed_arguments(common.arguments.schema(), &mut warnings);
    if timeout > CLIENT_PATIENCE {
        warnings.push((WarningCode::LongTimeout,
            "its timeout is over 60 s, when most clients have given up; shorten it, or document that users must raise the client's".to_owned(),
        ));
    }
    warnings
}

fn undescribed_arguments(schema: &Value, warnings: &mut Found) {
    let undescribed: Vec<_> = schema
        .at("properties")
        .each()
        .filter(|(_, schema)| !is_described(schema))
        .map(|(name, _)| format!("\"{name}\""))
        .collect();
    let text = match undescribed.as_slice() {
        [] => None,
        [name] => Some(format!(
            "its argument {name} has no description; write a doc comment on the field"
        )),
        names => Some(format!(
            "its arguments {} have no description; write doc comments on the fields",
            names.join(", ")
        )),
    };
    warnings.extend(text.map(|text| (WarningCode::UndescribedArgument, text)));
}

fn is_described(schema: &Value) -> bool {
    schema
        .at("description")
        .as_str()
        .is_some_and(|text| !text.trim().is_empty())
        || schema.member("$ref").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The macros cannot see `WarningCode`; they have a list of their own.
    #[test]
    fn attribute_knows_every_warning_code() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../mcp-kit-macros/src/handler/warning.rs"
        );
        let source = std::fs::read_to_string(path).unwrap();
        let lists =
            &source[source.find("const OF_PRIMITIVES").unwrap()..source.find("fn list").unwrap()];
        let known: Vec<_> = lists.split('"').skip(1).step_by(2).collect();
        let codes = WarningCode::ALL.iter();
        let mut codes: Vec<_> = codes.map(|code| code.name().replace('-', "_")).collect();
        codes.sort();
        let mut known: Vec<_> = known.into_iter().map(str::to_owned).collect();
        known.sort();
        assert_eq!(codes, known);
    }
}
