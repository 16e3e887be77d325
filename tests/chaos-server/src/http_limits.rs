//! `CHAOS_HTTP_LIMITS`: bounds of HTTP that tests can meet soon.

use std::error::Error;
use std::time::Duration;

use mcp_kit::transport::http::HttpLimits;

/// A change of one bound.
pub(crate) type Change = Box<dyn FnOnce(&mut HttpLimits)>;

/// Reads `header_time=400ms,connections=4`.
pub(crate) fn parse(text: &str) -> Result<Vec<Change>, Box<dyn Error>> {
    text.split(',')
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            change(entry).map_err(|error| format!("CHAOS_HTTP_LIMITS: {entry:?}: {error}").into())
        })
        .collect()
}

fn change(entry: &str) -> Result<Change, Box<dyn Error>> {
    let (name, value) = entry.split_once('=').ok_or("a name and a value")?;
    let (digits, is_time) = match value.strip_suffix("ms") {
        Some(digits) => (digits, true),
        None => (value, false),
    };
    let number: u64 = digits.parse()?;
    let count = usize::try_from(number)?;
    let time = Duration::from_millis(number);
    Ok(match (name, is_time) {
        ("header_time", true) => Box::new(move |limits| limits.header_time = time),
        ("body_time", true) => Box::new(move |limits| limits.body_time = time),
        ("idle_time", true) => Box::new(move |limits| limits.idle_time = time),
        ("session_idle", true) => Box::new(move |limits| limits.session_idle = time),
        ("keep_alive", true) => Box::new(move |limits| limits.keep_alive = time),
        ("connections", false) => Box::new(move |limits| limits.connections = count),
        ("requests", false) => Box::new(move |limits| limits.requests = count),
        ("incoming_bytes", false) => Box::new(move |limits| limits.incoming_bytes = count),
        ("sessions", false) => Box::new(move |limits| limits.sessions = count),
        ("sessions_per_principal", false) => {
            Box::new(move |limits| limits.sessions_per_principal = count)
        }
        _ => return Err("no bound of this name and kind".into()),
    })
}
