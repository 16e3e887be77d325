//! What is written in place of a key that `#[tool]` does not have.

use super::KNOWN;
use crate::suggest::unknown_key;

/// Keys of other frameworks and of the protocol, and what is written here.
const FOREIGN: &[(&[&str], &str)] = &[
    (
        &["annotations", "hints"],
        "write each hint by itself: `read_only`, `destructive`, `idempotent`, `open_world`",
    ),
    (
        &["writes", "mutating", "safe"],
        "the hints are `read_only` and `destructive = false`",
    ),
    (
        &[
            "desc",
            "doc",
            "docs",
            "about",
            "summary",
            "help",
            "prompt",
            "instructions",
        ],
        "write a doc comment above the function, or `description = \"…\"`",
    ),
    (&["rename", "id", "alias"], "write `name = \"…\"`"),
    (&["label", "display_name"], "write `title = \"…\"`"),
    (
        &[
            "deadline",
            "time_limit",
            "max_time",
            "timeout_ms",
            "timeout_secs",
            "timeout_seconds",
        ],
        "write `timeout = \"15s\"`",
    ),
    (
        &[
            "rate_limit",
            "rate_limits",
            "limit",
            "throttle",
            "rpm",
            "rps",
            "calls_per_minute",
        ],
        "write `rate = \"60/min\"`",
    ),
    (
        &[
            "max_concurrency",
            "concurrency_limit",
            "concurrent",
            "max_concurrent",
            "parallel",
        ],
        "write `concurrency = 4`",
    ),
    (
        &[
            "max_result_bytes",
            "max_bytes",
            "max_result",
            "result_limit",
            "result_size",
            "max_size",
        ],
        "write `result_bytes = 65_536`",
    ),
    (
        &[
            "scopes",
            "permission",
            "permissions",
            "role",
            "roles",
            "auth",
            "requires",
            "require",
        ],
        "write `scope = \"…\"`",
    ),
    (
        &[
            "input_schema",
            "schema",
            "args",
            "arguments",
            "params",
            "parameters",
            "input",
        ],
        "the input schema is made of the function's argument struct",
    ),
    (
        &["output_schema", "output", "returns", "structured"],
        "the output schema is made of the return type: return `Json<T>`",
    ),
    (
        &["sync", "block", "spawn_blocking", "is_blocking"],
        "write `blocking`",
    ),
    (
        &["layer", "layers", "middleware", "middlewares"],
        "give it where the tool is registered: `.tool_with::<name>(|tool| tool.layer(…))`",
    ),
    (
        &[
            "accept_warning",
            "accept_warnings",
            "accept",
            "warnings",
            "ignore",
            "lint",
            "expect",
        ],
        "write `allow(…)` with the codes of warnings, such as `allow(long_timeout)`",
    ),
];

/// The message for an unknown key.
pub(super) fn unknown(key: &str) -> String {
    let plain = key.to_lowercase().replace('_', "");
    let foreign = FOREIGN
        .iter()
        .find(|(words, _)| words.iter().any(|word| word.replace('_', "") == plain));
    match foreign {
        Some((_, advice)) => format!("unknown key `{key}`: {advice}"),
        None => unknown_key(key, KNOWN),
    }
}
