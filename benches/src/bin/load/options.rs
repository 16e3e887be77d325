//! What can be asked for on the command line.

use std::str::FromStr;
use std::time::Duration;

use clap::Parser;

use crate::exchange::{Era, Request};
use crate::placement::Place;
use crate::server::ServerCommand;

/// How many bytes an empty pipe takes. Requests in flight have to fit in, or
/// both sides could wait for each other's reads.
const PIPE: usize = 64 * 1024;

/// Puts a built MCP server under load over stdio.
#[derive(Parser)]
#[command(name = "load")]
pub(crate) struct Options {
    /// A second server, measured in turn with the first: ratios are to this one.
    /// Its words are split at spaces.
    #[arg(long, value_name = "COMMAND")]
    pair: Option<String>,

    /// Calls kept in flight, and how many are timed in one run. Repeatable.
    #[arg(long = "load", value_name = "IN_FLIGHT:CALLS", default_values = ["1:10000", "64:200000"])]
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

    /// What every answer's line has to contain.
    #[arg(long, value_name = "TEXT", default_value = r#""42""#)]
    expect: String,

    /// The protocol's era that the calls are of. The handshake is the legacy one.
    #[arg(long, value_enum, default_value_t = Era::Legacy)]
    era: Era,

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
        let environment: Vec<(String, String)> = self
            .environment
            .iter()
            .map(|entry| match entry.split_once('=') {
                Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
                _ => Err(format!("`--env {entry}` has to be NAME=VALUE")),
            })
            .collect::<Result<_, _>>()?;
        let pair = self
            .pair
            .iter()
            .map(|words| words.split_whitespace().map(str::to_owned).collect());
        pair.chain([self.server.clone()])
            .map(|words| ServerCommand::new(words, &environment))
            .collect()
    }

    pub(crate) fn request(&self) -> Result<Request, String> {
        let request = Request::new(&self.tool, &self.arguments, &self.expect, self.era)?;
        match self
            .loads
            .iter()
            .find(|load| load.in_flight * request.len() > PIPE)
        {
            Some(load) => Err(format!(
                "{} requests in flight do not fit into a pipe: at most {} of this size do",
                load.in_flight,
                PIPE / request.len()
            )),
            None => Ok(request),
        }
    }

    pub(crate) fn loads(&self) -> &[Load] {
        &self.loads
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.patience)
    }
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
