//! Parses the command line.

use std::ffi::OsString;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command as Clap, Error};

use super::build::Program;
#[cfg(feature = "http")]
use super::http_arguments::{HttpArguments, health_address};

/// A command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Stdio,
    Tools {
        json: bool,
    },
    Call {
        tool: String,
        /// JSON text, or `-` for stdin.
        arguments: String,
        json: bool,
    },
    Prompts {
        json: bool,
    },
    Prompt {
        prompt: String,
        /// JSON text, or `-` for stdin.
        arguments: String,
        json: bool,
    },
    Resources {
        json: bool,
    },
    Read {
        uri: String,
        json: bool,
    },
    Check {
        strict: bool,
    },
    #[cfg(feature = "http")]
    Http(HttpArguments),
    #[cfg(feature = "http")]
    Health {
        address: String,
    },
    #[cfg(feature = "http")]
    NewKey {
        name: String,
        scopes: Vec<String>,
    },
    Version,
}

/// Parses the process' arguments; the program keeps its own options. The error is what
/// clap prints instead of running a command, which may be the help.
pub(super) fn parse(program: &mut dyn Program) -> Result<Command, Error> {
    parse_from(program, std::env::args_os().collect())
}

fn parse_from(program: &mut dyn Program, arguments: Vec<OsString>) -> Result<Command, Error> {
    let own = program.add_options(Clap::new("server"));
    let mut clap = with_commands(own)?.display_name(name(&arguments));
    let mut matches = clap.try_get_matches_from_mut(arguments)?;
    let command = asked_for(&matches);
    (program.read_options(&mut matches)).map_err(|error| error.format(&mut clap))?;
    Ok(command)
}

/// Returns the name under which the program was started.
fn name(arguments: &[OsString]) -> String {
    let name = (arguments.first()).and_then(|path| Path::new(path).file_stem());
    name.map_or_else(|| "server".into(), |name| name.to_string_lossy().into())
}

fn asked_for(matches: &ArgMatches) -> Command {
    if flag(matches, "mcp_kit_version") {
        return Command::Version;
    }
    match matches.subcommand() {
        Some(("tools", tools)) => Command::Tools {
            json: flag(tools, "mcp_kit_json"),
        },
        Some(("call", call)) => Command::Call {
            tool: text(call, "mcp_kit_tool"),
            arguments: text(call, "mcp_kit_arguments"),
            json: flag(call, "mcp_kit_json"),
        },
        Some(("prompts", prompts)) => Command::Prompts {
            json: flag(prompts, "mcp_kit_json"),
        },
        Some(("prompt", prompt)) => Command::Prompt {
            prompt: text(prompt, "mcp_kit_prompt"),
            arguments: text(prompt, "mcp_kit_arguments"),
            json: flag(prompt, "mcp_kit_json"),
        },
        Some(("resources", resources)) => Command::Resources {
            json: flag(resources, "mcp_kit_json"),
        },
        Some(("read", read)) => Command::Read {
            uri: text(read, "mcp_kit_uri"),
            json: flag(read, "mcp_kit_json"),
        },
        Some(("check", check)) => Command::Check {
            strict: flag(check, "mcp_kit_strict"),
        },
        #[cfg(feature = "http")]
        Some(("http", http)) => Command::Http(HttpArguments::of(http)),
        #[cfg(feature = "http")]
        Some(("health", health)) => Command::Health {
            address: health_address(health),
        },
        #[cfg(feature = "http")]
        Some(("new-key", new_key)) => super::new_key::of(new_key),
        _ => Command::Stdio,
    }
}

pub(super) fn flag(matches: &ArgMatches, id: &str) -> bool {
    matches!(matches.try_get_one(id), Ok(Some(true)))
}

pub(super) fn text(matches: &ArgMatches, id: &str) -> String {
    matches
        .try_get_one::<String>(id)
        .ok()
        .flatten()
        .cloned()
        .unwrap_or_default()
}

/// Returns the whole command line: the program's own options and the commands.
fn with_commands(own: Clap) -> Result<Clap, Error> {
    let own_option = |name: &str| {
        let mut all = own.get_arguments();
        all.any(|argument| argument.get_long() == Some(name))
    };
    #[cfg(feature = "http")]
    let taken = ["json", "strict"].into_iter().chain(HttpArguments::names());
    #[cfg(not(feature = "http"))]
    let taken = ["json", "strict"];
    for taken in taken {
        if own_option(taken) {
            return Err(Error::raw(
                ErrorKind::ArgumentConflict,
                format!(
                    "the program's own option --{taken} has the name of an option of mcp-kit's commands; rename it\n"
                ),
            ));
        }
    }
    let says_version =
        own.get_version().is_some() || own.get_long_version().is_some() || own_option("version");
    // Global arguments cannot be required; a missing one is found when the
    // options are made from the matches.
    let mut all = own.mut_args(|argument| {
        if argument.is_positional() {
            argument
        } else {
            argument.required(false).global(true)
        }
    });
    if !says_version {
        all = with(
            all,
            flag_named(&Named {
                id: "mcp_kit_version",
                name: "version",
                help: "Print the server's name and version",
            }),
        );
    }
    all = all.subcommand_negates_reqs(true);
    for command in COMMANDS {
        all = all.subcommand(command.command());
    }
    #[cfg(feature = "http")]
    let all = all
        .subcommand(super::http_arguments::command())
        .subcommand(super::http_arguments::health_command())
        .subcommand(super::new_key::command());
    Ok(all)
}

/// One subcommand. A table, because each chain of builder calls adds code to the binary.
struct CommandSpec {
    name: &'static str,
    about: &'static str,
    /// Its first argument, which is required.
    value: Option<Named>,
    /// Whether JSON text follows.
    takes_json: bool,
    flag: Option<Named>,
}

/// An argument or a flag.
struct Named {
    id: &'static str,
    /// The name of an argument in the help, or that of a flag after `--`.
    name: &'static str,
    help: &'static str,
}

const fn described(name: &'static str, about: &'static str, flag: Option<Named>) -> CommandSpec {
    CommandSpec {
        name,
        about,
        value: None,
        takes_json: false,
        flag,
    }
}

const fn json(help: &'static str) -> Option<Named> {
    Some(Named {
        id: "mcp_kit_json",
        name: "json",
        help,
    })
}

const LIST: Option<Named> = json("Print the list as clients get it");

const RESULT: Option<Named> = json("Print the result as clients get it");

const COMMANDS: &[CommandSpec] = &[
    described(
        "stdio",
        "Serve one client over stdin and stdout; the default without a command",
        None,
    ),
    described("tools", "List the tools with their schemas", LIST),
    CommandSpec {
        value: Some(Named {
            id: "mcp_kit_tool",
            name: "TOOL",
            help: "The tool's name",
        }),
        takes_json: true,
        ..described(
            "call",
            "Call one tool and print the result; on a terminal with its progress and its questions",
            RESULT,
        )
    },
    described("prompts", "List the prompts with their arguments", LIST),
    CommandSpec {
        value: Some(Named {
            id: "mcp_kit_prompt",
            name: "PROMPT",
            help: "The prompt's name",
        }),
        takes_json: true,
        ..described("prompt", "Print the messages of one prompt", RESULT)
    },
    described(
        "resources",
        "List the resources, their templates and their providers",
        json("Print the lists as clients get them"),
    ),
    CommandSpec {
        value: Some(Named {
            id: "mcp_kit_uri",
            name: "URI",
            help: "The resource's URI",
        }),
        ..described("read", "Read one resource and print its text", RESULT)
    },
    described(
        "check",
        "Show the limits and policy of each primitive, and warnings",
        Some(Named {
            id: "mcp_kit_strict",
            name: "strict",
            help: "Exit with 1 if there is a warning",
        }),
    ),
];

impl CommandSpec {
    fn command(&self) -> Clap {
        let mut command = Clap::new(self.name).about(self.about);
        if let Some(value) = &self.value {
            command = with(command, value_named(value).required(true));
        }
        if self.takes_json {
            let value = value_named(&Named {
                id: "mcp_kit_arguments",
                name: "JSON",
                help: "The arguments as a JSON object; - reads them from stdin",
            });
            command = with(command, value.default_value("{}"));
        }
        if let Some(flag) = &self.flag {
            command = with(command, flag_named(flag));
        }
        command
    }
}

// clap's builders are inlined into each of their callers, so they are called here.

#[inline(never)]
fn with(command: Clap, argument: Arg) -> Clap {
    command.arg(argument)
}

fn flag_named(flag: &Named) -> Arg {
    described_argument(flag)
        .long(flag.name)
        .action(ArgAction::SetTrue)
}

fn value_named(value: &Named) -> Arg {
    described_argument(value).value_name(value.name)
}

#[inline(never)]
fn described_argument(named: &Named) -> Arg {
    Arg::new(named.id).help(named.help)
}

#[cfg(test)]
mod tests {
    use clap::Args;

    use super::super::build::Author;
    use super::*;
    use crate::server::Server;

    #[derive(Args, Debug, PartialEq)]
    struct Options {
        /// Where the documents are.
        #[arg(long, default_value = "docs")]
        corpus: String,
        /// Which address.
        #[arg(long)]
        address: Option<String>,
    }

    #[derive(Args, Debug)]
    struct Demanding {
        /// The key.
        #[arg(long)]
        key: String,
    }

    fn parse<O: Args>(line: &str) -> Result<(O, Command), Error> {
        let arguments: Vec<_> = line.split_whitespace().map(OsString::from).collect();
        let mut author = Author::new(|_: O| Err::<Server, _>("no server"));
        let command = parse_from(&mut author, arguments)?;
        Ok((author.options.unwrap(), command))
    }

    fn refusal<O: Args>(line: &str) -> Error {
        match parse::<O>(line) {
            Ok((_, command)) => panic!("{line}: {command:?}"),
            Err(error) => error,
        }
    }

    #[test]
    fn the_default_is_to_serve() {
        for line in [
            "server",
            "server stdio",
            "server --address x",
            "server stdio --address x",
        ] {
            let (options, command) = parse::<Options>(line).unwrap();
            assert_eq!(command, Command::Stdio, "{line}");
            assert_eq!(options.corpus, "docs");
            assert_eq!(options.address.is_some(), line.contains("--address"));
        }
        assert_eq!(parse::<()>("server").unwrap().1, Command::Stdio);
    }

    #[test]
    fn options_stand_before_and_after_the_command() {
        for line in [
            "server --corpus c call search {\"q\":1} --json",
            "server call --corpus c search {\"q\":1} --json",
            "server call search {\"q\":1} --json --corpus c",
        ] {
            let (options, command) = parse::<Options>(line).unwrap();
            assert_eq!(options.corpus, "c", "{line}");
            let expected = Command::Call {
                tool: "search".to_owned(),
                arguments: "{\"q\":1}".to_owned(),
                json: true,
            };
            assert_eq!(command, expected);
        }
    }

    #[test]
    fn arguments_may_be_left_out_or_come_from_stdin() {
        for (line, expected) in [("server call search", "{}"), ("server call search -", "-")] {
            let (_, command) = parse::<()>(line).unwrap();
            assert!(
                matches!(&command, Command::Call { arguments, json: false, .. } if arguments == expected),
                "{command:?}"
            );
        }
    }

    #[test]
    fn prompts_are_listed_and_requested() {
        let (_, command) = parse::<()>("server prompts --json").unwrap();
        assert_eq!(command, Command::Prompts { json: true });
        let (_, command) = parse::<()>("server prompt review {\"path\":\"a\"}").unwrap();
        let expected = Command::Prompt {
            prompt: "review".to_owned(),
            arguments: "{\"path\":\"a\"}".to_owned(),
            json: false,
        };
        assert_eq!(command, expected);
        assert!(
            refusal::<()>("server prompt")
                .to_string()
                .contains("PROMPT")
        );
    }

    #[test]
    fn resources_are_listed_and_read() {
        let (_, command) = parse::<()>("server resources --json").unwrap();
        assert_eq!(command, Command::Resources { json: true });
        let (_, command) = parse::<()>("server read docs://index").unwrap();
        let expected = Command::Read {
            uri: "docs://index".to_owned(),
            json: false,
        };
        assert_eq!(command, expected);
        assert!(refusal::<()>("server read").to_string().contains("URI"));
    }

    #[test]
    fn a_missing_option_is_reported_wherever_it_is_missing() {
        for line in [
            "server",
            "server stdio",
            "server tools",
            "server check --strict",
        ] {
            let error = refusal::<Demanding>(line);
            assert!(error.to_string().contains("key"), "{line}: {error}");
            assert_eq!(error.exit_code(), 2);
        }
        for line in [
            "server --key k check --strict",
            "server check --key k --strict",
        ] {
            let (options, command) = parse::<Demanding>(line).unwrap();
            assert_eq!(
                (options.key.as_str(), command),
                ("k", Command::Check { strict: true })
            );
        }
    }

    #[test]
    fn mistakes_are_reported() {
        assert!(refusal::<()>("server stdi").to_string().contains("stdio"));
        assert!(
            refusal::<()>("server --nothing")
                .to_string()
                .contains("--nothing")
        );
        assert!(refusal::<()>("server call").to_string().contains("TOOL"));
        assert_eq!(refusal::<()>("server --help").exit_code(), 0);

        #[derive(Args, Debug)]
        struct Taken {
            #[arg(long)]
            json: bool,
        }
        assert!(
            refusal::<Taken>("server tools")
                .to_string()
                .contains("--json")
        );
    }

    #[test]
    fn the_version_is_the_servers_unless_the_options_have_one() {
        #[derive(Args, Debug)]
        #[command(version = "7.8.9")]
        struct Versioned {}

        assert_eq!(parse::<()>("server --version").unwrap().1, Command::Version);
        let shown = refusal::<Versioned>("path/to/greeter --version");
        assert_eq!(shown.exit_code(), 0);
        assert_eq!(shown.to_string(), "greeter 7.8.9\n");
    }
}
