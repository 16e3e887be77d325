//! The options of `http` and `health`. Missing options are read from the
//! environment, which deployment files set.

use std::env;

use clap::{Arg, ArgAction, ArgMatches, Command as Clap};

use super::arguments::{flag, text};

pub(super) const ADDRESS: &str = "mcp_kit_addr";

/// The default address of a server.
const STANDARD_ADDRESS: &str = "127.0.0.1:8080";

/// The options for serving over HTTP.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct HttpArguments {
    pub(super) address: String,
    pub(super) public_url: Option<String>,
    pub(super) keys_file: Option<String>,
    /// The keys file comes from the option, not the variable.
    pub(super) keys_file_is_given: bool,
    pub(super) hosts: Vec<String>,
    pub(super) origins: Vec<String>,
    pub(super) proxies: Vec<String>,
    pub(super) drain_delay: Option<String>,
    #[cfg(feature = "metrics")]
    pub(super) metrics_address: Option<String>,
    pub(super) allow_unauthenticated: bool,
    pub(super) without_sessions: bool,
    #[cfg(feature = "sse")]
    pub(super) sse: bool,
}

/// An option: its id, its name, the variable that replaces it, its value, its
/// help.
type Described = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const OPTIONS: &[Described] = &[
    (
        ADDRESS,
        "addr",
        "MCP_HTTP_ADDR",
        "ADDRESS",
        "Address to listen on, 127.0.0.1:8080 by default; port 0 chooses a free port",
    ),
    (
        "mcp_kit_public_url",
        "public-url",
        "MCP_PUBLIC_URL",
        "URL",
        "URL of the endpoint that clients use, such as https://mcp.example.com/mcp",
    ),
    (
        "mcp_kit_keys_file",
        "keys-file",
        "MCP_API_KEYS_FILE",
        "FILE",
        "File of API keys, read again when it changes; MCP_API_KEYS has the keys themselves",
    ),
    (
        "mcp_kit_hosts",
        "allow-host",
        "MCP_ALLOWED_HOSTS",
        "HOST",
        "Also accept requests for this host; may be given several times; * accepts every host",
    ),
    (
        "mcp_kit_origins",
        "allow-origin",
        "MCP_ALLOWED_ORIGINS",
        "ORIGIN",
        "Accept requests that browsers send for pages of this origin; may be given several times",
    ),
    (
        "mcp_kit_proxies",
        "trust-proxy",
        "MCP_TRUSTED_PROXIES",
        "NETWORK",
        "Trust X-Forwarded-For from proxies in this network; may be given several times",
    ),
    (
        "mcp_kit_drain_delay",
        "drain-delay",
        "MCP_DRAIN_DELAY",
        "TIME",
        "How long to keep serving after SIGTERM while /readyz answers 503, such as 5s",
    ),
    #[cfg(feature = "metrics")]
    (
        "mcp_kit_metrics_addr",
        "metrics-addr",
        "MCP_METRICS_ADDR",
        "ADDRESS",
        "Also serve metrics on this address, without authentication, such as 127.0.0.1:9090",
    ),
];

const ALLOW_UNAUTHENTICATED: &str = "mcp_kit_allow_unauthenticated";
const WITHOUT_SESSIONS: &str = "mcp_kit_without_sessions";
#[cfg(feature = "sse")]
const SSE: &str = "mcp_kit_sse";

impl HttpArguments {
    pub(super) fn of(matches: &ArgMatches) -> Self {
        let one = |id: &str| {
            given(matches, id)
                .next()
                .or_else(|| variable(id))
                .filter(|value| !value.is_empty())
        };
        let several = |id: &str| -> Vec<String> {
            let given: Vec<_> = given(matches, id).collect();
            if !given.is_empty() {
                return given;
            }
            let listed = variable(id).unwrap_or_default();
            let items = listed.split(',').map(str::trim);
            items
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect()
        };
        Self {
            address: one(ADDRESS).unwrap_or_else(|| STANDARD_ADDRESS.to_owned()),
            public_url: one("mcp_kit_public_url"),
            keys_file: one("mcp_kit_keys_file"),
            keys_file_is_given: given(matches, "mcp_kit_keys_file").next().is_some(),
            hosts: several("mcp_kit_hosts"),
            origins: several("mcp_kit_origins"),
            proxies: several("mcp_kit_proxies"),
            drain_delay: one("mcp_kit_drain_delay"),
            #[cfg(feature = "metrics")]
            metrics_address: one("mcp_kit_metrics_addr"),
            allow_unauthenticated: flag(matches, ALLOW_UNAUTHENTICATED),
            without_sessions: flag(matches, WITHOUT_SESSIONS) || is_set("MCP_WITHOUT_SESSIONS"),
            #[cfg(feature = "sse")]
            sse: flag(matches, SSE) || is_set("MCP_SSE"),
        }
    }

    /// Returns the names that the program's own options cannot have.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        OPTIONS.iter().map(|(_, long, ..)| *long).chain([
            "allow-unauthenticated",
            "without-sessions",
            #[cfg(feature = "sse")]
            "sse",
        ])
    }
}

/// Returns the command `http`.
pub(super) fn command() -> Clap {
    let mut command = Clap::new("http").about("Serve over HTTP");
    for &(id, long, variable, value, help) in OPTIONS {
        let takes_several = help.contains("several times");
        command = command.arg(
            Arg::new(id)
                .long(long)
                .value_name(value)
                .action(if takes_several {
                    ArgAction::Append
                } else {
                    ArgAction::Set
                })
                .help(format!("{help} [{variable}]")),
        );
    }
    #[cfg(feature = "sse")]
    {
        command = command.arg(
            Arg::new(SSE)
                .long("sse")
                .action(ArgAction::SetTrue)
                .help("Also serve the transport of 2024-11-05, on /sse [MCP_SSE=1]"),
        );
    }
    command = command.arg(
        Arg::new(WITHOUT_SESSIONS)
            .long("without-sessions")
            .action(ArgAction::SetTrue)
            .help("Serve clients of older protocol versions without sessions: each request is independent [MCP_WITHOUT_SESSIONS=1]"),
    );
    command.arg(
        Arg::new(ALLOW_UNAUTHENTICATED)
            .long("allow-unauthenticated")
            .action(ArgAction::SetTrue)
            .help("Serve callers without authentication, on any address"),
    )
}

/// Returns the command `health`.
pub(super) fn health_command() -> Clap {
    Clap::new("health")
        .about("Ask a server on this machine whether it is ready; ends with 0 if it is")
        .arg(
            Arg::new(ADDRESS)
                .long("addr")
                .value_name("ADDRESS")
                .help("Address that it listens on, 127.0.0.1:8080 by default [MCP_HTTP_ADDR]"),
        )
}

/// Returns the address that `health` connects to.
pub(super) fn health_address(matches: &ArgMatches) -> String {
    let given = text(matches, ADDRESS);
    if !given.is_empty() {
        return given;
    }
    variable(ADDRESS)
        .filter(|address| !address.is_empty())
        .unwrap_or_else(|| STANDARD_ADDRESS.to_owned())
}

fn given<'a>(matches: &'a ArgMatches, id: &str) -> impl Iterator<Item = String> + use<'a> {
    let values = matches.try_get_many::<String>(id).ok().flatten();
    values.into_iter().flatten().cloned()
}

/// Whether the environment sets a flag.
fn is_set(variable: &str) -> bool {
    env::var(variable).is_ok_and(|value| value == "1")
}

/// Returns the environment's value for an option.
fn variable(id: &str) -> Option<String> {
    let (_, _, name, _, _) = OPTIONS.iter().find(|(known, ..)| *known == id)?;
    env::var(name).ok()
}
