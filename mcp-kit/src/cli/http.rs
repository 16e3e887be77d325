//! `http`: serves on a socket.

use std::env;
use std::pin::pin;
use std::time::Duration;

use super::build::{Failure, Program};
use super::http_arguments::HttpArguments;
use super::runtime::LazyRuntime;
use crate::auth::{ApiKeys, ApiKeysError};
use crate::logging;
use crate::server::Server;
use crate::support::task::block_on;
use crate::transport::http::HttpOptions;
use crate::transport::{Ending, LAST_WRITE};

/// Serves over HTTP until the process is asked to end.
pub(super) fn serve(program: &mut dyn Program, arguments: &HttpArguments) -> Result<(), Failure> {
    let _logs = logging::init();
    let runtime = LazyRuntime::default();
    let server = configured(&program.build(&runtime)?, arguments)?;
    let address = arguments.address.clone();
    let runtime = runtime.get()?;
    // Connections may take this time twice: to write their last answers, and to
    // close.
    let after = server.inner().http().drain_delay + LAST_WRITE * 2;
    let _ending =
        Ending::start(server.inner(), runtime.handle(), after, || false).map_err(|error| {
            Failure(format!(
                "the thread that ends the process cannot be started: {error}"
            ))
        })?;
    let mut served = Ok(());
    let serving = async { served = server.serve_http(address).await };
    block_on(runtime, pin!(serving));
    served.map_err(|error| Failure(format!("cannot serve on {}: {error}", arguments.address)))
}

/// Returns the server with the settings of the command line and the
/// environment.
fn configured(server: &Server, arguments: &HttpArguments) -> Result<Server, Failure> {
    let mut http = server.inner().http();
    if let Some(url) = &arguments.public_url {
        http = http.public_url(url);
    }
    for host in &arguments.hosts {
        http = match host.trim() {
            "*" => http.allow_any_host(),
            host => http.allow_host(host),
        };
    }
    for origin in &arguments.origins {
        http = http.allow_origin(origin);
    }
    for proxy in &arguments.proxies {
        http = http.trust_proxy(proxy);
    }
    if let Some(delay) = &arguments.drain_delay {
        http = http.drain_delay(duration(delay)?);
    }
    #[cfg(feature = "metrics")]
    if let Some(address) = &arguments.metrics_address {
        let address = address.parse().map_err(|_| {
            Failure(format!(
                "{address:?} is not a valid address for metrics; write one such as 127.0.0.1:9090"
            ))
        })?;
        http = http.metrics_on(address);
        if server.metrics().is_none() {
            return Err(Failure(crate::transport::http::NO_METRICS.to_owned()));
        }
    }
    if arguments.allow_unauthenticated {
        http = http.allow_unauthenticated();
    }
    if arguments.without_sessions {
        http = http.without_sessions();
    }
    #[cfg(feature = "sse")]
    if arguments.sse {
        http = http.sse();
    }
    http = with_keys(http, arguments)?;
    let problems: Vec<_> = http.own_problems().collect();
    if problems.is_empty() {
        server.set_network(http);
        Ok(server.clone())
    } else {
        Err(Failure(problems.join("; ")))
    }
}

/// Authenticates with the keys of the environment and the keys file, unless the
/// server already has an authenticator: then these keys must not appear to
/// count.
fn with_keys(mut http: HttpOptions, arguments: &HttpArguments) -> Result<HttpOptions, Failure> {
    if http.has_authentication() {
        if arguments.keys_file_is_given {
            return Err(Failure(
                "--keys-file cannot be used: the program sets an authenticator of its own (HttpOptions::authenticate), and keys of the file would not be accepted; remove the option".to_owned(),
            ));
        }
        let ignored = [
            ("MCP_API_KEYS", env::var_os("MCP_API_KEYS").is_some()),
            ("MCP_API_KEYS_FILE", arguments.keys_file.is_some()),
        ];
        for (variable, is_set) in ignored {
            if is_set {
                tracing::warn!(
                    target: "mcp_kit::auth",
                    variable,
                    "is ignored: the program sets an authenticator of its own; unset it"
                );
            }
        }
        return Ok(http);
    }
    let failure = |error: ApiKeysError| Failure(error.to_string());
    match env::var_os("MCP_API_KEYS") {
        None => {}
        Some(keys) if keys.is_empty() => {
            tracing::warn!(target: "mcp_kit::auth", "MCP_API_KEYS is set but empty, and has no effect: give it entries such as name:key, or unset it");
        }
        Some(_) => http = http.authenticate(ApiKeys::from_env().map_err(failure)?),
    }
    if let Some(file) = &arguments.keys_file {
        http = http.authenticate(ApiKeys::from_file(file).map_err(failure)?);
    }
    Ok(http)
}

/// "5s", "500ms", "2min".
fn duration(text: &str) -> Result<Duration, Failure> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: Option<u64> = number.parse().ok();
    let millis = match unit.trim() {
        "ms" => number,
        "s" => number.and_then(|number| number.checked_mul(1_000)),
        "min" => number.and_then(|number| number.checked_mul(60_000)),
        _ => None,
    };
    millis.map(Duration::from_millis).ok_or_else(|| {
        Failure(format!(
            "{text:?} is not a valid time; write a whole number and ms, s or min, such as \"5s\""
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_would_not_count_are_not_taken_in_silence() {
        let server = Server::builder("test", "1")
            .http(|http| {
                let keys = ApiKeys::builder().key("alice", "a-long-random-key");
                http.authenticate(keys.build().unwrap())
            })
            .build()
            .unwrap();
        let mut arguments = HttpArguments {
            keys_file: Some("keys".to_owned()),
            keys_file_is_given: true,
            ..HttpArguments::default()
        };
        let Err(Failure(refused)) = configured(&server, &arguments) else {
            panic!("it is taken");
        };
        assert!(refused.contains("--keys-file"), "{refused}");
        // A variable may be meant for other programs.
        arguments.keys_file_is_given = false;
        assert!(configured(&server, &arguments).is_ok());
    }
}
