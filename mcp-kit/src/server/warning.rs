//! Warnings: their codes, and how a server accepts one. `lint` finds them.

use std::fmt;

use super::builder::ServerBuilder;
use super::registered::ToolOptions;
use crate::tool::Annotations;

/// Something that works, and could serve models and hosts better; found by
/// [`Server::warnings`](super::Server::warnings).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub(super) tool: Option<String>,
    pub(super) code: WarningCode,
    pub(super) text: String,
}

impl Warning {
    /// The tool that it is about; `None` if it is about the server.
    #[must_use]
    pub fn tool(&self) -> Option<&str> {
        self.tool.as_deref()
    }

    /// What kind of warning it is. It can be accepted for one tool
    /// ([`ToolOptions::accept_warning`]) or for the server
    /// ([`ServerBuilder::accept_warning`]).
    #[must_use]
    pub fn code(&self) -> WarningCode {
        self.code
    }
}

/// `tool "report": its timeout is over 60 s, … (long-timeout)`
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tool) = &self.tool {
            write!(f, "tool \"{tool}\": ")?;
        }
        write!(f, "{} ({})", self.text, self.code)
    }
}

macro_rules! codes {
    ($($(#[doc = $words:literal])+ $code:ident = $name:literal,)+) => {
        /// The kind of a [`Warning`]. `Display` gives its name, as `check` shows
        /// it: `long-timeout`.
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
    /// The server has no tools.
    NoTools = "no-tools",
    /// The tools' names mix `snake_case`, `kebab-case` and `camelCase`.
    MixedNames = "mixed-names",
    /// Two names differ in case alone.
    SimilarNames = "similar-names",
    /// A tool's name leaves no room for the server's name, which hosts put in
    /// front.
    LongName = "long-name",
    /// A tool's name has a dot.
    DottedName = "dotted-name",
    /// A description is too short to say when to use the tool.
    ShortDescription = "short-description",
    /// A description is longer than some hosts show.
    LongDescription = "long-description",
    /// A description has invisible characters.
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

impl ToolOptions {
    /// Accepts a kind of warning for this tool:
    /// [`Server::warnings`](super::Server::warnings) and `check` do not list it
    /// any more. Has no effect if there is no such warning.
    ///
    /// In the attribute it is `#[tool(allow(long_timeout))]`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use mcp_kit::server::WarningCode;
    /// # use mcp_kit::{Server, tool};
    /// # /// Builds the whole index anew.
    /// # #[tool(destructive = false, open_world = false)]
    /// # async fn reindex() -> String { String::new() }
    ///
    /// let server = Server::builder("index", "1.0.0")
    ///     .tool_with::<reindex>(|tool| {
    ///         tool.timeout(Duration::from_secs(600))
    ///             .accept_warning(WarningCode::LongTimeout)
    ///     })
    ///     .build()?;
    /// assert_eq!(server.warnings(), []);
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    pub fn accept_warning(mut self, code: WarningCode) -> Self {
        self.accepted_warnings.push(code);
        self
    }
}

impl ServerBuilder {
    /// Accepts a kind of warning for the server and all of its tools; see
    /// [`ToolOptions::accept_warning`].
    pub fn accept_warning(mut self, code: WarningCode) -> Self {
        self.accepted_warnings.push(code);
        self
    }

    /// Sets the hints of every tool that does not set them itself.
    ///
    /// A default that contradicts a tool's own hint is not applied: a tool that
    /// is declared `destructive` is not made read-only, and the reverse.
    ///
    /// ```
    /// # use mcp_kit::{Server, tool};
    /// # /// Lists the tickets of a project.
    /// # #[tool(read_only)] async fn tickets() -> String { String::new() }
    /// // A closed world: no tool reaches the web.
    /// let server = Server::builder("desk", "1.0.0")
    ///     .default_hints(|hints| hints.open_world = Some(false))
    ///     .tool::<tickets>()
    ///     .build()?;
    /// assert_eq!(server.warnings(), []);
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    pub fn default_hints(mut self, change: impl FnOnce(&mut Annotations)) -> Self {
        change(&mut self.default_hints);
        self
    }
}

/// A tool's own hints, and the server's for those that it does not set.
pub(super) fn hints(own: &Annotations, default: &Annotations) -> Annotations {
    let mut hints = own.clone();
    let destructive = own.destructive == Some(true);
    let read_only = default
        .read_only
        .filter(|read_only| !(*read_only && destructive));
    hints.read_only = own.read_only.or(read_only);
    let is_read_only = hints.read_only == Some(true);
    hints.destructive = own
        .destructive
        .or(default.destructive.filter(|_| !is_read_only));
    hints.idempotent = own.idempotent.or(default.idempotent);
    hints.open_world = own.open_world.or(default.open_world);
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The macros cannot see `WarningCode`; they have a list of their own.
    #[test]
    fn attribute_knows_every_warning_code() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../mcp-kit-macros/src/tool/warning.rs"
        );
        let source = std::fs::read_to_string(path).unwrap();
        let lists =
            &source[source.find("const OF_TOOLS").unwrap()..source.find("fn list").unwrap()];
        let known: Vec<_> = lists.split('"').skip(1).step_by(2).collect();
        let codes = WarningCode::ALL.iter();
        let mut codes: Vec<_> = codes.map(|code| code.name().replace('-', "_")).collect();
        codes.sort();
        let mut known: Vec<_> = known.into_iter().map(str::to_owned).collect();
        known.sort();
        assert_eq!(codes, known);
    }
}
