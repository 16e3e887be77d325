//! What can be asked for on the command line.

use std::str::FromStr;
use std::time::Duration;

use clap::Parser;

use crate::call::{Call, Era};
use crate::http::Web;
use crate::placement::Place;
use crate::process::ServerCommand;
use crate::stdio::Lines;

/// Puts a built MCP server under load, over stdio or HTTP.
#[derive(Parser)]
#[command(name = "load")]
pub(crate) struct Options {
    /// Talks over HTTP, at the path /mcp. The servers' arguments have to contain
    /// `{port}`, which becomes a free port of 127.0.0.1.
    #[arg(long)]
    http: bool,

    /// A second server, measured in turn with the first: ratios are to this one.
    /// Its words are split at spaces.
    #[arg(long, value_name = "COMMAND")]
    pair: Option<String>,

    /// Calls kept in flight, over HTTP each on a connection of its own, and how
    /// many are timed in one run. Repeatable. [default: 1:10000 and 64:200000;
    /// over HTTP 1:10000 and 64:100000]
    #[arg(long = "load", value_name = "IN_FLIGHT:CALLS")]
    loads: Vec<Load>,

    /// Runs, each with new processes. The table shows medians.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) runs: u32,

    /// Starts that the cold start is taken from.
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) starts: u32,

    /// The cores that the load and the servers run on. Starts are not tied to one.
    #[arg(long, value_enum, default_value_t = Place::Apart)]
    pub(crate) place: Place,

    /// The tool to call.
    #[arg(long, default_value = "add")]
    tool: String,

    /// Its arguments, as JSON.
    #[arg(long, value_name = "JSON", default_value = r#"{"a":20,"b":22}"#)]
    arguments: String,

    /// What every answer has to contain.
    #[arg(long, value_name = "TEXT", default_value = r#""42""#)]
    expect: String,

    /// The protocol's era that the calls are of. Over stdio the handshake is the
    /// legacy one; over HTTP legacy means a session per connection. [default:
    /// legacy; over HTTP modern]
    #[arg(long, value_enum)]
    era: Option<Era>,

    /// API keys, which the servers find in `MCP_API_KEYS` and the connections and
    /// sessions use in turn.
    #[arg(long, default_value_t = 32, requires = "http", value_parser = clap::value_parser!(u16).range(0..=1000))]
    keys: u16,

    /// Sessions to open for the memory of an idle one, over HTTP. 0: none.
    #[arg(long, default_value_t = 3000, requires = "http")]
    pub(crate) idle_sessions: usize,

    /// Connections to open for the memory of an idle one, over HTTP. 0: none.
    #[arg(long, default_value_t = 1000, requires = "http")]
    pub(crate) idle_connections: usize,

    /// A variable for the servers' environment. Repeatable.
    #[arg(long = "env", value_name = "NAME=VALUE")]
    environment: Vec<String>,

    /// Seconds that one run may take before the server counts as stuck.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    patience: u64,

    /// The server and its arguments.
    #[arg(last = true, required = true, value_name = "SERVER")]
    server: Vec<String>,
}

/// One kind of load.
#[derive(Clone)]
pub(crate) struct Load {
    /// Requests sent and not yet answered.
    pub(crate) in_flight: usize,
    /// Timed calls in one run.
    pub(crate) calls: usize,
}

impl Options {
    /// The servers in the order in which they take turns: the one to compare
    /// with, if there is one, then the one that is measured.
    pub(crate) fn commands(&self) -> Result<Vec<ServerCommand>, String> {
        let mut environment = Vec::new();
        if self.http && self.keys > 0 {
            environment.push(("MCP_API_KEYS".to_owned(), named(&self.keys())));
        }
        for entry in &self.environment {
            match entry.split_once('=') {
                Some((name, value)) if !name.is_empty() => {
                    environment.push((name.to_owned(), value.to_owned()));
                }
                _ => return Err(format!("`--env {entry}` has to be NAME=VALUE")),
            }
        }
        let pair = self
            .pair
            .iter()
            .map(|words| words.split_whitespace().map(str::to_owned).collect());
        pair.chain([self.server.clone()])
            .map(|words| ServerCommand::new(words, &environment))
            .collect()
    }

    /// Calls over HTTP, if they were asked for.
    pub(crate) fn web(&self) -> Result<Option<Web>, String> {
        if !self.http {
            return Ok(None);
        }
        let era = self.era.unwrap_or(Era::Modern);
        Ok(Some(Web::new(
            self.call(era)?,
            &self.tool,
            era,
            self.keys(),
        )))
    }

    /// Calls over stdio.
    pub(crate) fn lines(&self) -> Result<Lines, String> {
        let era = self.era.unwrap_or(Era::Legacy);
        Lines::new(self.call(era)?, &self.loads())
    }

    pub(crate) fn loads(&self) -> Vec<Load> {
        if !self.loads.is_empty() {
            return self.loads.clone();
        }
        let many = if self.http { 100_000 } else { 200_000 };
        [(1, 10_000), (64, many)]
            .map(|(in_flight, calls)| Load { in_flight, calls })
            .to_vec()
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.patience)
    }

    fn call(&self, era: Era) -> Result<Call, String> {
        Call::new(&self.tool, &self.arguments, &self.expect, era)
    }

    /// Long enough for servers that refuse short keys.
    fn keys(&self) -> Vec<String> {
        (0..self.keys)
            .map(|index| format!("key-of-a-load-on-this-machine-only-{index:04}"))
            .collect()
    }
}

/// The keys with names, as `MCP_API_KEYS` has them.
fn named(keys: &[String]) -> String {
    let entries: Vec<String> = (0..)
        .zip(keys)
        .map(|(index, key): (u32, _)| format!("load-{index}:{key}"))
        .collect();
    entries.join(",")
}

impl FromStr for Load {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<usize>().ok().filter(|&number| number > 0);
        text.split_once(':')
            .and_then(|(in_flight, calls)| {
                Some(Load {
                    in_flight: number(in_flight)?,
                    calls: number(calls)?,
                })
            })
            .filter(|load| load.calls <= 100_000_000)
            .ok_or_else(|| "has to be IN_FLIGHT:CALLS, as in 64:200000".to_owned())
    }
}
