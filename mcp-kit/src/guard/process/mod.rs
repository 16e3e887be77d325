//! `Command`: a program that runs without a shell, with nothing of the server's, and that
//! cannot outlive the call which started it.
//!
//! ```text
//! at start    Command::new("git")      resolves the program once, refuses a shell
//! per call    .arg("log")              fixed text of the author
//!             .value(&args.path)       the client's text: no "-" in front, no NUL, a limit
//!             .run()                   own group, own folder, empty environment and stdin
//! at its end  exit, time limit, a dropped future, the end of the process: the group is killed
//! ```
//!
//! `resolve` finds the program, `start` starts it on a thread that may block, `run` reads what it
//! prints, `groups` has every live process group so that the process does not end before they do.

mod error;
mod folder;
mod groups;
mod resolve;
mod run;
mod start;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

pub use error::{CommandError, CommandErrorKind};
#[cfg(feature = "cli")]
pub(crate) use groups::{kill_all, open};
pub use run::CommandOutput;

use folder::Folder;
use start::Turn;

/// The limit of all arguments and the environment together, in bytes. Windows
/// takes no more than 32,767 characters.
const LONGEST: usize = if cfg!(windows) { 30_000 } else { 128 * 1024 };

/// A program of the host, run without a shell.
///
/// A `Command` is made once, when the server starts, and given to tools as state. There it is a
/// clone of their own: they add the arguments of their call and [run](Self::run) it.
///
/// ```no_run
/// use std::time::Duration;
///
/// use garde::Validate;
/// use mcp_kit::guard::Command;
/// use mcp_kit::prelude::*;
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
/// struct HistoryArgs {
///     /// Only commits after this date, such as 2026-12-31.
///     #[garde(length(chars, max = 40))]
///     since: Option<String>,
///     /// The file or folder.
///     #[garde(length(chars, max = 400))]
///     path: String,
/// }
///
/// /// Show the history of a file.
/// #[tool(read_only)]
/// async fn history(args: HistoryArgs, State(git): State<Command>) -> Result<String, ToolError> {
///     let mut log = git.arg("log").arg("--oneline").arg("--max-count=50");
///     if let Some(since) = &args.since {
///         log = log.option("--since", since);
///     }
///     let output = log.arg("--").value(&args.path).run().await?;
///     Ok(output.text()?)
/// }
///
/// let git = Command::new("git")?
///     .folder("/srv/repository")
///     .env("PATH", "/usr/bin:/bin")
///     .time_limit(Duration::from_secs(10));
/// let server = Server::builder("git", "1.0.0").state(git).tool::<history>().build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Arguments
///
/// Arguments are a list: no shell splits or expands them, and known shells are refused as
/// programs. The methods separate the author's text from the client's by type:
///
/// | method | takes | refuses |
/// |---|---|---|
/// | [`arg`](Self::arg) | `&'static str` | – |
/// | [`value`](Self::value), [`values`](Self::values) | any text | a `-` in front, NUL |
/// | [`option`](Self::option) | a `&'static str` and any text, as `--name=text` | NUL |
/// | [`hyphen_value`](Self::hyphen_value) | any text | NUL |
///
/// What a program makes of a value is the program's own: a path or a URL can still lead anywhere.
/// Use `SandboxPath` (feature `fs`) or a rule of [`text`](super::text) for them. Other users of the
/// machine can read a process's arguments; give a secret with [`env`](Self::env).
///
/// # What the program gets
///
/// - An environment that is empty but for [`env`](Self::env) (on Windows also `SystemRoot`), so
///   no credentials of the server.
/// - An empty stdin, and no other descriptor of the server. Those that the server itself got from
///   its parent are passed on, if the parent did not mark them close-on-exec.
/// - A new empty folder to work in, which is removed afterwards, unless there is a
///   [`folder`](Self::folder).
///
/// # Limits
///
/// | limit | default | above it |
/// |---|---|---|
/// | [`time_limit`](Self::time_limit) | 30 seconds | the program is killed |
/// | [`output_limit`](Self::output_limit), each of stdout and stderr | 1 MiB | the rest is read and dropped |
/// | [`concurrency`](Self::concurrency) | 16 | a run waits within its time limit |
/// | arguments and environment together | 128 KiB (Windows: 30,000 bytes) | refused |
///
/// # The end
///
/// On Unix the program is the leader of a process group. The whole group is killed (SIGKILL, which
/// cannot be ignored) when the program exits, at the time limit, when the future of `run` is
/// dropped (the call was cancelled, or its own time is over), and when a server of the command
/// line ends, even if its runtime is blocked. So children that the program leaves behind end with
/// it, and a child that keeps stdout open holds nothing up.
///
/// A start that hangs, on a file system that does not answer, blocks no worker of the runtime and
/// no other `Command`. At the time limit its caller gets the error; the start goes on, keeps its
/// place in the [`concurrency`](Self::concurrency), and the program is killed as soon as it has
/// started. The whole process starts 64 programs at a time; a run above that waits within its time
/// limit.
///
/// Not covered: the memory, the processor time and the space on disk that the program takes, in
/// its temporary folder or elsewhere; a descendant that starts a session of its own (`setsid`); a
/// start that still hangs when the server's process ends; the server's own death by SIGKILL; on
/// Windows, where groups do not exist, the children of the program, and the program itself if the
/// server's process ends.
#[derive(Clone)]
pub struct Command {
    program: Arc<Path>,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, OsString)>,
    folder: Folder,
    time_limit: Duration,
    output_limit: usize,
    permits: Arc<Semaphore>,
    /// The first mistake, for `run` to report.
    invalid: Option<CommandError>,
}

impl Command {
    /// Resolves a program: an absolute path, or a name that is looked up in the
    /// `PATH` of the server. The program is looked up once; later changes of
    /// `PATH` have no effect.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such program or it cannot be run, if it
    /// is a known shell (`bash`, `zsh-5.9`) or runs the program that its
    /// arguments name (`env`, `busybox`), and on Windows if it is a `.bat` or
    /// `.cmd` file, which is run by a shell. The text has the path: it is for
    /// the operator, at the start of the server.
    pub fn new(program: impl AsRef<OsStr>) -> io::Result<Self> {
        Self::in_path(program, std::env::var_os("PATH").unwrap_or_default())
    }

    /// Resolves a program like [`new`](Self::new), and looks its name up in the
    /// folders of `path`, written as in `PATH`.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`new`](Self::new).
    pub fn in_path(program: impl AsRef<OsStr>, path: impl AsRef<OsStr>) -> io::Result<Self> {
        Ok(Self {
            program: resolve::resolve(program.as_ref(), path.as_ref())?.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            folder: Folder::Temporary,
            time_limit: Duration::from_secs(30),
            output_limit: 1 << 20,
            permits: Arc::new(Semaphore::new(16)),
            invalid: None,
        })
    }

    /// Adds an argument that the author wrote.
    #[must_use]
    pub fn arg(mut self, argument: &'static str) -> Self {
        self.push(argument.to_owned());
        self
    }

    /// Adds an argument that came from the client. [`run`](Self::run) refuses it if it begins
    /// with `-` (on Windows also `/`), since the program could read it as an option.
    #[must_use]
    pub fn value(mut self, value: impl AsRef<str>) -> Self {
        let value = value.as_ref();
        if value.starts_with(resolve::OPTION_MARKS) {
            self.refuse(CommandError::hyphen(value));
        }
        self.push(value.to_owned());
        self
    }

    /// Adds arguments that came from the client, each as [`value`](Self::value) does.
    #[must_use]
    pub fn values<V: AsRef<str>>(self, values: impl IntoIterator<Item = V>) -> Self {
        values.into_iter().fold(self, Self::value)
    }

    /// Adds an option whose value came from the client, as one argument `--name=value`. The value
    /// may begin with `-`.
    ///
    /// `name` begins with `--`. For an option of one letter write `.arg("-n").value(…)`.
    #[must_use]
    pub fn option(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        if !name.starts_with("--") || name.len() == 2 {
            self.refuse(CommandError::misuse(format!(
                "the option {name:?} does not begin with `--`: write `.arg({name:?}).value(…)`"
            )));
        }
        self.push(format!("{name}={}", value.as_ref()));
        self
    }

    /// Adds an argument that came from the client and may begin with `-`. Use
    /// it only if the program reads no options there, such as after `--`.
    #[must_use]
    pub fn hyphen_value(mut self, value: impl AsRef<str>) -> Self {
        self.push(value.as_ref().to_owned());
        self
    }

    /// Adds a variable to the environment, which is empty otherwise.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        let value = value.as_ref();
        if value.contains('\0') {
            self.refuse(CommandError::nul_in_variable(name));
        }
        self.environment.push((name, value.into()));
        self
    }

    /// Runs the program in a folder of the host, in place of a new one.
    #[must_use]
    pub fn folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.folder = Folder::Fixed(Arc::from(path.into()));
        self
    }

    /// Runs the program in a sandboxed folder, in place of a new one. The program itself is not
    /// held inside of it. Needs the feature `fs`.
    ///
    /// Works on Linux, Android, macOS and Apple's other systems. Elsewhere a program cannot be led
    /// to an open folder, and [`run`](Self::run) returns an
    /// [internal](CommandErrorKind::Internal) error: use [`folder`](Self::folder) there.
    #[cfg(feature = "fs")]
    #[must_use]
    pub fn sandbox(mut self, folder: &super::SandboxDir) -> Self {
        self.folder = Folder::Sandbox(folder.clone());
        self
    }

    /// Limits the time of one run, including the wait for its turn.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Limits the bytes that are kept of stdout, and of stderr.
    #[must_use]
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.output_limit = bytes;
        self
    }

    /// Limits the runs at the same time, of this `Command` and its clones
    /// together.
    #[must_use]
    pub fn concurrency(mut self, runs: usize) -> Self {
        self.permits = Arc::new(Semaphore::new(runs.clamp(1, Semaphore::MAX_PERMITS)));
        self
    }

    /// Runs the program and waits for its end.
    ///
    /// Dropping the future kills the program and what it started. Needs a tokio runtime with IO
    /// and time.
    ///
    /// # Errors
    ///
    /// If an argument is refused, if the program does not end in time, if too many runs go on
    /// already, or if the system cannot start it. A program that fails is not an error here: see
    /// [`CommandOutput::status`] and [`CommandOutput::text`].
    pub async fn run(mut self) -> Result<CommandOutput, CommandError> {
        if let Some(error) = self.invalid.take() {
            return Err(error);
        }
        if self.length() > LONGEST {
            return Err(CommandError::too_long(LONGEST));
        }
        let limit = self.time_limit;
        let mut has_turn = false;
        let running = async {
            let turn = Turn::wait(Arc::clone(&self.permits)).await?;
            has_turn = true;
            run::run(self, turn).await
        };
        let ended = timeout(limit, running).await;
        match ended {
            Ok(ended) => ended,
            Err(_) if has_turn => Err(CommandError::timed_out(limit)),
            Err(_) => Err(CommandError::busy()),
        }
    }

    fn push(&mut self, argument: String) {
        if argument.contains('\0') {
            self.refuse(CommandError::nul(&argument));
        }
        self.arguments.push(argument.into());
    }

    /// The bytes of the arguments and the environment, each with what ends it.
    fn length(&self) -> usize {
        let arguments = self.arguments.iter().map(|one| one.len() + 1);
        let environment = self.environment.iter();
        let environment = environment.map(|(name, value)| name.len() + value.len() + 2);
        arguments.chain(environment).sum()
    }

    fn refuse(&mut self, error: CommandError) {
        self.invalid.get_or_insert(error);
    }
}

/// Omits the values: they are the client's, or secrets.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let environment = self.environment.iter().map(|(name, _)| name);
        f.debug_struct("Command")
            .field("program", &self.program)
            .field("arguments", &self.arguments.len())
            .field("environment", &environment.collect::<Vec<_>>())
            .field("time_limit", &self.time_limit)
            .field("output_limit", &self.output_limit)
            .finish_non_exhaustive()
    }
}
