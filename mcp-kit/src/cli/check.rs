//! `check`: what holds for each tool, and what could be better.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::process::ExitCode;

use super::TOOL_ERROR;
use super::build::Failure;
use super::output::{count, print, size};
use crate::middleware::readable;
use crate::server::{Server, ToolPolicy};

/// Prints the policies and the warnings.
pub(super) fn check(server: &Server, is_strict: bool) -> Result<ExitCode, Failure> {
    let warnings = server.warnings();
    let mut text = server_policy(server);
    for policy in server.policies() {
        text.push('\n');
        tool_policy(&mut text, policy);
    }
    text.push('\n');
    if warnings.is_empty() {
        text.push_str("no warnings\n");
    } else {
        let _ = writeln!(text, "{}:", count(warnings.len(), "warning"));
        for warning in &warnings {
            let _ = writeln!(text, "  - {warning}");
        }
    }
    let printed = print(&text)?;
    Ok(if is_strict && !warnings.is_empty() {
        ExitCode::from(TOOL_ERROR)
    } else {
        printed
    })
}

fn server_policy(server: &Server) -> String {
    let limits = server.limits();
    let number = server.tools().count();
    let mut text = format!(
        "{} {}: {}\n",
        server.name(),
        server.version(),
        count(number, "tool")
    );
    let rows = [
        ("message", format!("up to {}", size(limits.message_bytes))),
        (
            "calls at once",
            format!(
                "{} per connection, {} in all, {} of one caller over HTTP",
                limits.calls_per_connection, limits.calls_per_server, limits.calls_per_principal
            ),
        ),
        (
            "calls that wait",
            format!(
                "up to {} or {} per connection",
                limits.pending_calls,
                size(limits.pending_bytes)
            ),
        ),
        (
            "unread answers",
            format!("up to {} per connection", size(limits.unread_bytes)),
        ),
        ("drain", format!("up to {}", readable(limits.drain_time))),
    ];
    write_rows(&mut text, &rows);
    text
}

fn tool_policy(text: &mut String, policy: ToolPolicy<'_>) {
    let definition = policy.definition();
    let _ = writeln!(text, "{}", definition.name());
    let layers: Vec<Cow<'_, str>> = policy.layers().collect();
    let rows = [
        ("timeout", readable(policy.timeout())),
        ("result", format!("up to {}", size(policy.result_bytes()))),
        (
            "scope",
            definition.scope().unwrap_or("none needed").to_owned(),
        ),
        ("layers", layers.join(" → ")),
    ];
    write_rows(text, &rows);
}

fn write_rows(text: &mut String, rows: &[(&str, String)]) {
    for (name, value) in rows {
        let _ = writeln!(text, "  {name:<17}{value}");
    }
}
