//! `check`: tables of the policies of primitives, one for each kind, and
//! suggestions for improvement.

use std::borrow::Cow;
use std::fmt::Write as _;
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
    let numbers = Kind::ALL.iter().filter_map(|kind| {
        let number = server.policies(*kind).len();
        (number > 0).then(|| count(number, &kind.to_string()))
    });
    let numbers = numbers.collect::<Vec<_>>().join(", ");
    let numbers = if numbers.is_empty() {
        "nothing"
    } else {
        &numbers
    };
    let mut text = format!("{} {}: {numbers}\n", server.name(), server.version());
    let rows = [
        ("message", format!("up to {}", size(limits.message_bytes))),
        (
            "calls at once",
            format!(
                "{} per connection, {} in all, {} per caller over HTTP",
                limits.calls_per_connection, limits.calls_per_server, limits.calls_per_principal
            ),
        ),
        (
            "calls that wait",
            format!(
                "up to {} per connection, and up to {}",
                limits.pending_calls,
                size(limits.pending_bytes)
            ),
        ),
        (
            "unread answers",
            format!("up to {} per connection", size(limits.unread_bytes)),
        ),
        (
            "subscriptions",
            format!(
                "up to {} per caller, each for {} resources",
                limits.subscriptions_per_principal, limits.uris_per_subscription
            ),
        ),
        (
            "questions",
            format!(
                "up to {} at once per call, each answered within {}",
                limits.questions_per_call,
                readable(limits.question_time)
            ),
        ),
        ("drain", format!("up to {}", readable(limits.drain_time))),
    ];
    write_rows(&mut text, &rows);
    let extensions = server.extensions();
    if !extensions.is_empty() {
        write_rows(&mut text, &[("extensions", extensions.join(", "))]);
    }
    let policies = server.policies(Kind::Tool);
    if policies.iter().any(|policy| policy.task().is_some()) {
        let tasks = format!(
            "up to {} per caller, each up to {}; results are kept for {}",
            limits.tasks_per_principal,
            readable(limits.task_time),
            readable(limits.finished_task_time)
        );
        write_rows(&mut text, &[("tasks", tasks)]);
    }
    text
}

/// Returns one row for each primitive of a kind, with the columns that are not
/// empty.
fn table(kind: Kind, policies: &[CallPolicy]) -> String {
    let mut head = HEAD.map(str::to_owned);
    head[0] = kind.to_string();
    let mut rows = vec![head.to_vec()];
    rows.extend(policies.iter().map(|policy| row(policy).to_vec()));
    let columns: Vec<_> = (0..HEAD.len())
        .filter(|column| rows[1..].iter().any(|row| row[*column] != NOTHING))
        .collect();
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or_default()
    };
    let widths: Vec<_> = columns.iter().map(|column| width(*column)).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, width) in columns.iter().zip(&widths) {
            let _ = write!(line, "{:width$}  ", row[*column]);
        }
        text.push_str(line.trim_end());
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

fn row(policy: &CallPolicy) -> [String; HEAD.len()] {
    let layers: Vec<Cow<'_, str>> = policy.layers().collect();
    let of = |name: &str| {
        let inside = layers.iter().find_map(|layer| {
            let inside = layer.strip_prefix(name)?.strip_prefix('(')?;
            inside.strip_suffix(')').map(str::to_owned)
        });
        inside.unwrap_or_else(|| NOTHING.to_owned())
    };
    let own: Vec<_> = (layers.iter())
        .filter(|layer| {
            let name = layer.split('(').next().unwrap_or_default();
            !BUILT_IN.contains(&name)
        })
        .map(|layer| &**layer)
        .collect();
    let said = |words: String| {
        if words.is_empty() {
            NOTHING.to_owned()
        } else {
            words
        }
    };
    let provider = if policy.is_provider() {
        " (provider)"
    } else {
        ""
    };
    let tasks = match policy.task() {
        None => NOTHING,
        Some(TaskSupport::Optional) => "optional",
        Some(TaskSupport::Required) => "required",
    };
    [
        format!("{}{provider}", policy.info().name()),
        readable(policy.timeout()),
        of("RateLimit"),
        of("ConcurrencyLimit"),
        size(policy.result_bytes()),
        said(policy.scopes().collect::<Vec<_>>().join(", ")),
        said(hints(policy.annotations())),
        tasks.to_owned(),
        said(policy.completed().join(", ")),
        said(own.join(" → ")),
    ]
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

fn write_rows(text: &mut String, rows: &[(&str, String)]) {
    for (name, value) in rows {
        let _ = writeln!(text, "  {name:<17}{value}");
    }
}
