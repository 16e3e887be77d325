//! The command line that every server gets.
//!
//! ```no_run
//! use std::error::Error;
//! use std::process::ExitCode;
//!
//! use mcp_kit::prelude::*;
//!
//! /// Says hello.
//! #[tool]
//! async fn hello(State(greeting): State<String>) -> String {
//!     greeting
//! }
//!
//! #[derive(clap::Args)]
//! struct Options {
//!     /// What to say.
//!     #[arg(long, default_value = "Hello!")]
//!     greeting: String,
//! }
//!
//! fn build(options: Options) -> Result<Server, Box<dyn Error>> {
//!     Ok(Server::builder("greeter", env!("CARGO_PKG_VERSION"))
//!         .state(options.greeting)
//!         .tool::<hello>()
//!         .build()?)
//! }
//!
//! fn main() -> ExitCode {
//!     mcp_kit::cli::run(build)
//! }
//! ```
//!
//! | command | what it does |
//! |---|---|
//! | `stdio`, or none | serves one client over stdin and stdout |
//! | `tools` | lists the tools with their schemas |
//! | `call TOOL JSON` | calls one tool and prints the result |
//! | `prompts` | lists the prompts with their arguments |
//! | `prompt PROMPT JSON` | prints the messages of one prompt |
//! | `resources` | lists the resources, the templates and the providers |
//! | `read URI` | reads one resource and prints its text |
//! | `check` | shows the policy of each primitive, and suggestions for improvement |
//! | `http` | serves over HTTP (feature `http`) |
//! | `new-key NAME SCOPE…` | makes an API key: prints its entry for the keys file on stdout, and the key on stderr (feature `http`) |
//! | `health` | checks whether a server on this machine is ready (feature `http`) |
//!
//! On a terminal `call`, `prompt` and `read` show the handler's progress on stderr, and
//! ask its questions: forms field by field, and URLs. Ctrl-D closes a question. Without
//! a terminal the handler sees a client that cannot be asked.
//!
//! The program's own options may be given before and after the command; the
//! ones without a name only before. The names `--json`, `--strict`, `--help`,
//! `--version`, and those of the options of `http` are taken.
//! `#[command(version)]` on the options makes `--version` print the package's
//! version; without it the server is built, and prints its own.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done; a server has ended as it was asked to, by the end of stdin or a signal |
//! | 1 | the server could not be built or served, stdout could not be written, or the tool, the prompt or the resource failed; or the drain time was over while handlers blocked every worker, so that their calls got no answer |
//! | 2 | the command line is wrong |
//!
//! A first SIGTERM or SIGINT, or the end of stdin, begins the drain: calls in
//! flight have [`Limits::drain_time`](crate::server::Limits) to end. The next
//! signal ends the process at once. Both hold, and the drain time too, if every
//! worker of the runtime is blocked.
//!
//! The guide explains [the command line](crate::guide::command_line).

mod arguments;
mod build;
mod call;
mod check;
mod command;
#[cfg(feature = "http")]
mod health;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "http")]
mod http_arguments;
mod list;
#[cfg(feature = "http")]
mod new_key;
mod output;
mod runtime;
mod serve;
mod terminal;

use std::process::ExitCode;

pub use build::Build;
pub use command::{Command, command};

use crate::logging;
use crate::primitive::Kind;
use crate::server::Server;
use crate::support::stderr;
use crate::support::text::plain;
use arguments::Command as Asked;
use build::{Author, Failure, Program};
use call::Requested;
use runtime::LazyRuntime;

/// The exit code for an invalid command line, as clap defines it.
const USAGE: u8 = 2;

/// The exit code for a tool that reports an error, and for a strict check that
/// finds something.
const TOOL_ERROR: u8 = 1;

/// Runs the program: reads the command line, builds the server and runs the
/// command, which is to serve over stdio by default.
///
/// It does the setup that is easy to forget, in the right order: stdin and
/// stdout are reserved for the protocol before any code can print; then the
/// log, the panic hook, the runtime and the signals are set up. At the end it
/// does not wait for a handler that blocks, and writes the last log lines. So
/// call it first in `main`, and keep printing and work for `build`.
///
/// `build` can call [`command`] to learn which command runs, so that `tools`,
/// `prompts`, `resources` and `check` need no database.
///
/// A subscriber that is already installed remains; see [`logging`].
pub fn run<Kind, B: Build<Kind>>(build: B) -> ExitCode {
    run_program(&mut Author::new(build))
}

fn run_program(program: &mut dyn Program) -> ExitCode {
    let command = match arguments::parse(program) {
        Ok(command) => command,
        Err(error) => {
            let _ = error.print(); // no other output is left
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
        }
    };
    command::remember(&command);
    let outcome = match command {
        Asked::Stdio => serve::stdio(program).map(|()| ExitCode::SUCCESS),
        #[cfg(feature = "http")]
        Asked::Http(arguments) => http::serve(program, &arguments).map(|()| ExitCode::SUCCESS),
        #[cfg(feature = "http")]
        Asked::Health { address } => health::ask(&address).map(|()| ExitCode::SUCCESS),
        #[cfg(feature = "http")]
        Asked::NewKey { name, scopes } => new_key::new_key(&name, &scopes),
        command => {
            // People read this: only problems, unless `RUST_LOG` is set.
            let _logs = logging::init_with("warn");
            let runtime = LazyRuntime::default();
            let server = program.build(&runtime);
            server.and_then(|server| with_server(&command, &server, &runtime))
        }
    };
    end(outcome)
}

/// Returns the exit code. Reports a failure.
fn end(outcome: Result<ExitCode, Failure>) -> ExitCode {
    outcome.unwrap_or_else(|failure| {
        // Through the queue: the exit must not wait for a stderr that is not read.
        stderr::last_line(&format!("error: {failure}"));
        ExitCode::FAILURE
    })
}

/// Runs a command that prints something and ends.
fn with_server(
    command: &Asked,
    server: &Server,
    runtime: &LazyRuntime,
) -> Result<ExitCode, Failure> {
    let call = |kind, name, arguments, as_json| {
        let requested = Requested {
            kind,
            name,
            arguments,
        };
        call::call(server, runtime, &requested, as_json)
    };
    match command {
        Asked::Tools { json } => list::list(server, list::TOOLS, *json),
        Asked::Call {
            tool,
            arguments,
            json,
        } => call(Kind::Tool, tool, arguments, *json),
        Asked::Prompts { json } => list::list(server, list::PROMPTS, *json),
        Asked::Prompt {
            prompt,
            arguments,
            json,
        } => call(Kind::Prompt, prompt, arguments, *json),
        Asked::Resources { json } => list::list(server, list::RESOURCES, *json),
        Asked::Read { uri, json } => call(Kind::Resource, uri, "", *json),
        Asked::Check { strict } => check::check(server, *strict),
        Asked::Version => output::print(&format!("{} {}\n", server.name(), server.version())),
        // `run_program` has run it.
        Asked::Stdio => Ok(ExitCode::SUCCESS),
        #[cfg(feature = "http")]
        Asked::Http(_) | Asked::Health { .. } | Asked::NewKey { .. } => Ok(ExitCode::SUCCESS),
    }
}

/// Reports what is wrong with the command line.
fn usage(problem: &str) -> ExitCode {
    // It may repeat a handler's text.
    eprintln!("error: {}", plain(problem));
    ExitCode::from(USAGE)
}
