//! `check`: tables of the policies of primitives, one for each kind, and
//! suggestions for improvement.

use std::fmt::{self, Write as _};
use std::process::ExitCode;

use super::TOOL_ERROR;
use super::build::Failure;
use super::output::print;
use crate::call::readable;
use crate::primitive::shown::hints;
use crate::primitive::{Kind, TaskSupport};
use crate::registry::CallPolicy;
use crate::server::Server;
use crate::support::text::{count, size};

/// Prints the policies and the warnings.
pub(super) fn check(server: &Server, is_strict: bool) -> Result<ExitCode, Failure> {
    let warnings = server.warnings();
    let mut text = server_policy(server);
    text.push('\n');
    for kind in Kind::ALL {
        let policies = server.policies(*kind);
        if !policies.is_empty() {
            text.push_str(&table(*kind, &policies));
            text.push('\n');
        }
    }
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
    let mut numbers = String::new();
    for kind in Kind::ALL {
        let number = server.policies(*kind).len();
        if number > 0 {
            separate(&mut numbers, ", ");
            numbers.push_str(&count(number, &kind.to_string()));
        }
    }
    if numbers.is_empty() {
        numbers.push_str("nothing");
    }
    let mut text = format!("{} {}: {numbers}\n", server.name(), server.version());
    let mut row = |name: &str, value: fmt::Arguments<'_>| {
        let _ = writeln!(text, "  {name:<17}{value}");
    };
    row(
        "message",
        format_args!("up to {}", size(limits.message_bytes)),
    );
    row(
        "calls at once",
        format_args!(
            "{} per connection, {} in all, {} per caller over HTTP",
            limits.calls_per_connection, limits.calls_per_server, limits.calls_per_principal
        ),
    );
    row(
        "calls that wait",
        format_args!(
            "up to {} per connection, and up to {}",
            limits.pending_calls,
            size(limits.pending_bytes)
        ),
    );
    row(
        "unread answers",
        format_args!("up to {} per connection", size(limits.unread_bytes)),
    );
    row(
        "subscriptions",
        format_args!(
            "up to {} per caller, each for {} resources",
            limits.subscriptions_per_principal, limits.uris_per_subscription
        ),
    );
    row(
        "questions",
        format_args!(
            "up to {} at once per call, each answered within {}",
            limits.questions_per_call,
            readable(limits.question_time)
        ),
    );
    row(
        "drain",
        format_args!("up to {}", readable(limits.drain_time)),
    );
    let extensions = server.extensions();
    if !extensions.is_empty() {
        row("extensions", format_args!("{}", extensions.join(", ")));
    }
    let policies = server.policies(Kind::Tool);
    if policies.iter().any(|policy| policy.task().is_some()) {
        row(
            "tasks",
            format_args!(
                "up to {} per caller, each up to {}; results are kept for {}",
                limits.tasks_per_principal,
                readable(limits.task_time),
                readable(limits.finished_task_time)
            ),
        );
    }
    text
}

/// Writes a separator, unless the text is empty.
fn separate(text: &mut String, separator: &str) {
    if !text.is_empty() {
        text.push_str(separator);
    }
}

/// Returns one row for each primitive of a kind, with the columns that are not
/// empty.
fn table(kind: Kind, policies: &[CallPolicy]) -> String {
    let mut cells = Vec::new();
    cells.push(kind.to_string());
    for name in &HEAD[1..] {
        cells.push((*name).to_owned());
    }
    for policy in policies {
        row(policy, &mut cells);
    }
    // The widths of columns; 0 for those in which only the first row has a text.
    let mut widths = [0; HEAD.len()];
    for (at, width) in widths.iter_mut().enumerate() {
        let mut is_empty = true;
        let mut widest = 0;
        for (row, cells) in cells.chunks_exact(HEAD.len()).enumerate() {
            is_empty &= row == 0 || cells[at] == NOTHING;
            widest = widest.max(cells[at].chars().count());
        }
        if !is_empty {
            *width = widest;
        }
    }
    let mut text = String::new();
    for row in cells.chunks_exact(HEAD.len()) {
        for (cell, &width) in row.iter().zip(&widths) {
            if width > 0 {
                let _ = write!(text, "{cell:width$}  ");
            }
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

const HEAD: [&str; 10] = [
    "name",
    "timeout",
    "rate",
    "at once",
    "result",
    "scope",
    "hints",
    "tasks",
    "completes",
    "middlewares",
];

/// The text of a cell without a value.
const NOTHING: &str = "–";

/// Adds the cells of a primitive.
fn row(policy: &CallPolicy, cells: &mut Vec<String>) {
    let (mut rate, mut at_once, mut own) = (String::new(), String::new(), String::new());
    for layer in policy.layers() {
        let (name, inside) = layer.split_once('(').unwrap_or((&layer, ""));
        let inside = inside.strip_suffix(')').unwrap_or_default();
        match name {
            "RateLimit" if rate.is_empty() => rate.push_str(inside),
            "ConcurrencyLimit" if at_once.is_empty() => at_once.push_str(inside),
            name if BUILT_IN.contains(&name) => {}
            _ => {
                separate(&mut own, " → ");
                own.push_str(&layer);
            }
        }
    }
    let mut scopes = String::new();
    for scope in policy.scopes() {
        separate(&mut scopes, ", ");
        scopes.push_str(scope);
    }
    let mut name = policy.info().name().to_owned();
    if policy.is_provider() {
        name.push_str(" (provider)");
    }
    let tasks = match policy.task() {
        None => "",
        Some(TaskSupport::Optional) => "optional",
        Some(TaskSupport::Required) => "required",
    };
    let row = [
        name,
        readable(policy.timeout()),
        rate,
        at_once,
        size(policy.result_bytes()),
        scopes,
        hints(policy.annotations()),
        tasks.to_owned(),
        policy.completed().join(", "),
        own,
    ];
    for cell in row {
        cells.push(match cell.is_empty() {
            true => NOTHING.to_owned(),
            false => cell,
        });
    }
}

/// Middlewares that mcp-kit adds around primitives: the other columns show them.
const BUILT_IN: [&str; 6] = [
    "Authorize",
    "ConcurrencyLimit",
    "RateLimit",
    "Timeout",
    "Validate",
    "ValidateOutput",
];
