//! What the command line asks for.

use std::ffi::OsString;

use clap::{Args, Command as Clap, Error};

/// What to do, and with which of the program's own options.
#[derive(Debug)]
pub(super) struct Invocation<O> {
    pub(super) options: O,
    pub(super) command: Command,
}

/// A command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Stdio,
}

/// Reads the process' arguments.
pub(super) fn parse<O: Args>() -> Result<Invocation<O>, Error> {
    parse_from(std::env::args_os().collect())
}

fn parse_from<O: Args>(arguments: Vec<OsString>) -> Result<Invocation<O>, Error> {
    let mut clap = command::<O>();
    let mut matches = clap.try_get_matches_from_mut(arguments)?;
    let command = Command::Stdio;
    let options = O::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut clap))?;
    Ok(Invocation { options, command })
}

fn command<O: Args>() -> Clap {
    // clap shows the name under which the program was started.
    O::augment_args(Clap::new("server"))
        // Global arguments cannot be required; what is missing is found when
        // the options are made of the matches.
        .mut_args(|argument| {
            if argument.is_positional() {
                argument
            } else {
                argument.required(false).global(true)
            }
        })
        .subcommand_negates_reqs(true)
        .subcommand(Clap::new("stdio").about("Serve one client over stdin and stdout (the default)"))
}
