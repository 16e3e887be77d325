//! The chaos server: tools that panic, leak, hang and print, so that tests can
//! see from outside that mcp-kit contains all of it.
//!
//! It is built exactly as a user's server is; nothing in mcp-kit knows of it.
//!
//! - `CHAOS_TRACE=<file>`: the tool `slow` appends `start <ms>` when it begins
//!   and `done <ms>` when it has run to its end.
//! - `CHAOS_RATE=<n>/s`: a rate limit for each caller on every tool. Unset, the
//!   limiter runs with a limit that no caller reaches, so that load tests measure
//!   it without meeting it. `CHAOS_ADDRESS_RATE`: the same for each address.
//! - `CHAOS_ROOT=<folder>`: where `read_file` reads. Unset, the tool refuses every
//!   path.
//! - `CHAOS_ALLOW_LOOPBACK_PORT=<port>`: the one port of 127.0.0.1 that `fetch` reaches.
//! - `CHAOS_HTTP_LIMITS=<name>=<value>,…`: bounds of HTTP, by the names of
//!   `HttpLimits`; times in `ms`.
//! - `CHAOS_SESSIONS=0`: no sessions for clients of the older revisions.
//! - `CHAOS_REDIS=<url>`: the limits are shared through this Redis, and while it
//!   is away nothing is served if `CHAOS_REDIS_CLOSED=1`. Tasks are kept there.
//! - `CHAOS_STATE_KEY=<text>`: the key that seals the state between the rounds of a
//!   call; `CHAOS_STATE_TTL=<time>`: how long that is valid, such as `2s`.
//! - `CHAOS_TOOLS=<n>`: so many more tools, `extra_0001` and so on.
//! - `CHAOS_TASK_TTL=<time>`: how long finished tasks are kept, such as `2s`.
//! - `CHAOS_NESTED=1`: adds the tool `levels`, whose type explodes when decoded.
//! - `CHAOS_SSE=1`: the transport of 2024-11-05 is served as well.
//! - `CHAOS_EXTENSION=1`: an extension of the protocol, with a middleware around every
//!   message.
//! - `CHAOS_PROCESS=1`: the tools that harm the process as a whole.
//! - `CHAOS_DRAIN=<ms>`: how long calls may go on once the server ends.
//! - `CHAOS_FLOOD=1`: one more tool, `flood`, which reports more progress than a
//!   client reads.
//! - `CHAOS_LOCAL_SCOPES=<scope>+<scope>`: the scopes of the caller over stdio,
//!   `none` for none. Unset, it holds every scope.
//! - `CHAOS_HOSTILE=1`: one more tool, `hostile`, whose errors and panics do harm
//!   of their own. `CHAOS_HOSTILE=gate`: an authenticator that panics for the
//!   key `panic`.

mod changes;
mod count;
mod extension;
mod fetch;
mod files;
mod hostile;
mod http_limits;
mod long;
mod nested;
mod process;
mod prompts;
mod questions;
mod resources;
mod structured;
mod tools;
mod trace;

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use mcp_kit::Server;
use mcp_kit::limits::Rate;
use mcp_kit::limits::RedisLimits;
use mcp_kit::server::RedisTasks;

use crate::trace::Trace;

fn main() -> ExitCode {
    mcp_kit::cli::run(build)
}

fn build() -> Result<Server, Box<dyn Error>> {
    let trace = Trace::open(env::var_os("CHAOS_TRACE"))?;
    let server = tools::register(Server::builder("chaos-server", env!("CARGO_PKG_VERSION")));
    let mut server = resources::register(server)
        .instructions("Every tool does one kind of harm. Nothing here is of use.")
        .state(trace)
        .state(files::Root::from_env()?)
        .state(fetch::client()?)
        .rate_limit(rate("CHAOS_RATE")?)
        .shared_limits(redis()?);
    server = long::register(prompts::register(server))?;
    let more = env::var("CHAOS_TOOLS").map_or(Ok(0), |number| number.parse())?;
    server = changes::register(server, more);
    if let Ok(scopes) = env::var("CHAOS_LOCAL_SCOPES") {
        let scopes = scopes.split('+').filter(|scope| *scope != "none");
        server = server.local_scopes(scopes);
    }
    if let Some(redis) = redis()? {
        server = server.task_store(RedisTasks::new(redis));
    }
    server = questions::register(server)?;
    if is_set("CHAOS_EXTENSION") {
        server = extension::register(server);
    }
    if is_set("CHAOS_FLOOD") {
        server = server.tool::<count::flood>();
    }
    if is_set("CHAOS_HOSTILE") {
        server = server.tool::<hostile::hostile>();
    }
    if is_set("CHAOS_PROCESS") {
        server = process::register(server);
    }
    if let Ok(ms) = env::var("CHAOS_DRAIN") {
        let time = Duration::from_millis(ms.parse()?);
        server = server.limits(|limits| limits.drain_time = time);
    }
    if is_set("CHAOS_NESTED") {
        server = nested::register(server);
    }
    let address_rate = rate("CHAOS_ADDRESS_RATE")?;
    let limits = http_limits::parse(&env::var("CHAOS_HTTP_LIMITS").unwrap_or_default())?;
    let server = server.http(|http| {
        let mut http = http.address_rate(address_rate).limits(|bounds| {
            for change in limits {
                change(bounds);
            }
        });
        if env::var("CHAOS_SESSIONS").is_ok_and(|value| value == "0") {
            http = http.without_sessions();
        }
        if env::var("CHAOS_HOSTILE").is_ok_and(|value| value == "gate") {
            http = http.authenticate(hostile::Gatekeeper);
        }
        if is_set("CHAOS_SSE") {
            http = http.sse();
        }
        http
    });
    Ok(server.build()?)
}

/// A rate that no caller reaches unless the environment sets another.
fn rate(name: &str) -> Result<Rate, Box<dyn Error>> {
    let rate = env::var(name).unwrap_or_else(|_| "1000000/s".to_owned());
    Ok(rate.parse()?)
}

fn is_set(name: &str) -> bool {
    env::var(name).is_ok_and(|value| value == "1")
}

/// The store that replicas share, if the environment names one.
fn redis() -> Result<Option<RedisLimits>, Box<dyn Error>> {
    let Ok(url) = env::var("CHAOS_REDIS") else {
        return Ok(None);
    };
    // Longer than a busy machine takes: tests see an absence, never a delay.
    let redis = RedisLimits::new(&url)?.timeout(Duration::from_secs(10));
    let is_closed = env::var("CHAOS_REDIS_CLOSED").is_ok_and(|value| value == "1");
    Ok(Some(if is_closed {
        redis.fail_closed()
    } else {
        redis
    }))
}
