//! The command of this process, for the function that builds the server.

use std::sync::OnceLock;

use super::arguments;

static COMMAND: OnceLock<Command> = OnceLock::new();

/// The command of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Command {
    /// Serve over stdin and stdout; also the default without a command.
    Stdio,
    /// Serve over HTTP.
    Http,
    /// List the tools.
    Tools,
    /// Call one tool.
    Call,
    /// List the prompts.
    Prompts,
    /// Print the messages of one prompt.
    Prompt,
    /// List the resources and templates.
    Resources,
    /// Read one resource.
    Read,
    /// Show the policy of each primitive, and suggestions for improvement.
    Check,
    /// Print the version.
    Version,
}

impl Command {
    /// Whether handlers may run: false for `tools`, `prompts`, `resources`, `check`
    /// and `--version`, which only inspect the server.
    #[must_use]
    pub fn runs_tools(self) -> bool {
        match self {
            Self::Stdio | Self::Http | Self::Call | Self::Prompt | Self::Read => true,
            Self::Tools | Self::Prompts | Self::Resources | Self::Check | Self::Version => false,
        }
    }
}

/// Returns the command that [`run`](super::run) has read from the command line;
/// `None` in a process that was not started by it, such as a test.
///
/// The function that builds the server can call it, so that commands that run
/// no handler require no database, no network and no secrets: `check`, `tools`,
/// `prompts` and `resources` then work in CI and on any machine.
///
/// ```
/// use std::error::Error;
///
/// use mcp_kit::{Server, cli};
///
/// # #[derive(Clone)] struct Database;
/// # impl Database {
/// #     fn open() -> Result<Self, Box<dyn Error>> { Ok(Self) }
/// #     fn unopened() -> Self { Self }
/// # }
/// fn build() -> Result<Server, Box<dyn Error>> {
///     let database = if cli::command().is_none_or(|command| command.runs_tools()) {
///         Database::open()?
///     } else {
///         Database::unopened() // such as a pool that connects when it is first used
///     };
///     Ok(Server::builder("orders", "1.0.0").state(database).build()?)
/// }
/// # build().unwrap();
/// ```
#[must_use]
pub fn command() -> Option<Command> {
    COMMAND.get().copied()
}

/// Stores the command for [`command`].
pub(super) fn remember(asked: &arguments::Command) {
    let command = match asked {
        arguments::Command::Stdio => Command::Stdio,
        arguments::Command::Tools { .. } => Command::Tools,
        arguments::Command::Call { .. } => Command::Call,
        arguments::Command::Prompts { .. } => Command::Prompts,
        arguments::Command::Prompt { .. } => Command::Prompt,
        arguments::Command::Resources { .. } => Command::Resources,
        arguments::Command::Read { .. } => Command::Read,
        arguments::Command::Check { .. } => Command::Check,
        arguments::Command::Version => Command::Version,
        #[cfg(feature = "http")]
        arguments::Command::Http(_) => Command::Http,
        // They build no server.
        #[cfg(feature = "http")]
        arguments::Command::Health { .. } | arguments::Command::NewKey { .. } => return,
    };
    let _ = COMMAND.set(command);
}
