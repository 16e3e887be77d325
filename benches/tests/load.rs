//! The load program ends by itself, whatever the server does.

// The figures come from `/proc`.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    reason = "a test that cannot be set up has failed"
)]

use std::path::Path;
use std::process::Command;

/// A short load, ready for more arguments.
fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_load"));
    command.args(["--runs", "1", "--starts", "1", "--load", "4:100"]);
    command
}

#[track_caller]
fn assert_refused(arguments: &[&str], message: &str) {
    let output = command()
        .args(arguments)
        .output()
        .expect("the load program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it reported success");
    assert!(stderr.contains(message), "it said: {stderr}");
}

/// A server in shell: it answers each request with its own id.
fn script(answer_to_a_call: &str) -> String {
    format!(
        r#"while IFS= read -r line; do
            id=${{line#*\"id\":}}; id=${{id%%,*}}; id=${{id%\}}}}
            case $line in
                *notifications*) ;;
                *tools/call*) {answer_to_a_call} ;;
                *) echo "{{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{{}}}}" ;;
            esac
        done"#
    )
}

#[test]
fn a_pair_of_servers_gives_medians_and_ratios() {
    let script = script(r#"echo "{\"id\":$id,\"result\":{\"text\":\"42\"}}""#);
    let folder = env!("CARGO_TARGET_TMPDIR");
    std::fs::write(Path::new(folder).join("server.sh"), script).expect("the script is written");
    let server = ["sh", "server.sh"];
    let output = command()
        .current_dir(folder)
        .args(["--place", "free", "--pair", &server.join(" "), "--"])
        .args(server)
        .output()
        .expect("the load program starts");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    for row in [
        "ratio",
        "cold start",
        "calls, 4 in flight",
        "CPU per call, 4 in flight",
        "memory when idle",
        "memory after the load",
    ] {
        assert!(stdout.contains(row), "no {row:?} in {stdout}");
    }
}

#[test]
fn wrong_answers_are_not_counted() {
    for answer in [
        r#"echo "{\"id\":$id,\"result\":{\"text\":\"41\"}}""#,
        r#"echo "{\"id\":$id,\"result\":{\"text\":\"42\",\"isError\":true}}""#,
        r#"echo "{\"id\":7,\"result\":{\"text\":\"42\"}}""#,
        r#"echo "{\"id\":1000000000,\"result\":{\"text\":\"42\"}}""#,
    ] {
        let arguments = ["--place", "free", "--", "sh", "-c", &script(answer)];
        assert_refused(&arguments, "not an answer that was expected");
    }
}

#[test]
fn a_server_that_hangs_or_ends_or_misbehaves_is_reported() {
    assert_refused(&["--", "true"], "ended before it had answered");
    assert_refused(&["--", "cat"], "refused the handshake");
    assert_refused(&["--patience", "1", "--", "sleep", "600"], "was killed");
    assert_refused(&["--", "no-such-server"], "starting `no-such-server`");
}

#[test]
fn options_that_cannot_work_are_refused() {
    assert_refused(
        &["--load", "1000:1000", "--", "cat"],
        "do not fit into a pipe",
    );
    assert_refused(&["--env", "NAME", "--", "cat"], "NAME=VALUE");
    assert_refused(&["--load", "64", "--", "cat"], "IN_FLIGHT:CALLS");
}
