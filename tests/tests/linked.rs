//! What a server does not use is not in its program: this one has a tool and nothing else.
//!
//! The code of tasks, of questions and of the middlewares around messages is reached through
//! values that only their setters refer to, that of resources through what registers one,
//! that of completions and the texts of a kind for the command line through its
//! definitions, and that of extensions through the trait object that their setter makes. A
//! further reference, such as a function of them that dispatch calls by its name, brings all
//! of it into every server.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::ExitCode;

use mcp_kit::prelude::*;
use mcp_kit::server::BuildError;
use serde_json::json;

/// Says hello.
#[tool]
async fn hello() -> &'static str {
    "Hello!"
}

#[tokio::test]
async fn a_server_with_one_tool_contains_no_code_of_what_it_does_not_use() {
    let server = Server::builder("greeter", "1.0.0").tool::<hello>().build();
    let server = server.unwrap();
    let local = Principal::new("test", ["read"]);
    let result = server.call(&local, "hello", json!({})).await.unwrap();
    assert_eq!(result.as_text(), Some("Hello!"));

    // The command line as any server has it.
    type Build = fn() -> Result<Server, BuildError>;
    let run: fn(Build) -> ExitCode = mcp_kit::cli::run;
    std::hint::black_box(run);

    let names = names_of_symbols();
    let has = |path: &[&str]| {
        let path = path.iter().map(|name| format!("{}{name}", name.len()));
        names.contains(&path.collect::<String>())
    };
    assert!(has(&["server", "dispatch"]), "the program has no symbols");
    assert!(has(&["tool", "shown"]), "the program has no command line");
    for path in [
        &["server", "tasks", "start"][..],
        &["server", "tasks", "run"],
        &["server", "tasks", "memory"],
        &["server", "messages", "rewritten", "sent_call"],
        &["open_questions", "refused"],
        &["registry", "resources", "position"],
        &["registry", "watches", "Watches"],
        &["uri", "normalised"],
        &["completion", "request"],
        &["completion", "source"],
        &["extension", "declared", "name_problem"],
        &["answers", "person", "questions"],
        &["prompt", "shown", "describe"],
        &["resource", "shown", "describe"],
    ] {
        assert!(!has(path), "the program contains {path:?}");
    }
}

/// Returns the names of the symbols of this program, mangled: each part of a path follows
/// its length.
fn names_of_symbols() -> String {
    const SYMBOLS: u64 = 2;
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let number = |at: usize, bytes: usize| {
        let read = program[at..at + bytes].iter().rev();
        read.fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    let position = |at: usize, bytes: usize| usize::try_from(number(at, bytes)).unwrap();
    assert_eq!(program[..5], *b"\x7fELF\x02", "64 bits");
    let (first, size) = (position(0x28, 8), position(0x3a, 2));
    let section = |index: usize| first + index * size;
    let symbols = (0..position(0x3c, 2))
        .map(section)
        .find(|at| number(at + 4, 4) == SYMBOLS)
        .expect("a table of symbols");
    let names = section(position(symbols + 0x28, 4));
    let (from, length) = (position(names + 0x18, 8), position(names + 0x20, 8));
    String::from_utf8_lossy(&program[from..from + length]).into_owned()
}
