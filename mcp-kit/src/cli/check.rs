//! `check`: a table of what holds for each tool, and what could be better.

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
    text.push('\n');
    text.push_str(&tool_table(server));
    text.push('\n');
    if warnings.is_empty() {
        text.push_str("no warnings\n");
    } else {
        let _ = writeln!(text, "{}:", count(warnings.len(), "warning"));
        for warning in &warnings {
            let _ = writeln!(text, "  - {warning}");
        }
    }
    match server.accepted_warnings() {
        0 => {}
        accepted => {
            let _ = writeln!(text, "{} accepted", count(accepted, "warning"));
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

/// One line for each tool, in columns.
fn tool_table(server: &Server) -> String {
    let mut lines = vec![["tool", "timeout", "result", "scope", "layers"].map(str::to_owned)];
    lines.extend(server.policies().map(tool_policy));
    let mut widths = [0; 5];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn tool_policy(policy: ToolPolicy<'_>) -> [String; 5] {
    let definition = policy.definition();
    let layers: Vec<Cow<'_, str>> = policy.layers().collect();
    [
        definition.name().to_owned(),
        readable(policy.timeout()),
        size(policy.result_bytes()),
        definition.scope().unwrap_or("none").to_owned(),
        layers.join(" → "),
    ]
}

fn write_rows(text: &mut String, rows: &[(&str, String)]) {
    for (name, value) in rows {
        let _ = writeln!(text, "  {name:<17}{value}");
    }
}
