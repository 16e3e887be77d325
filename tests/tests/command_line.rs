//! The command line that every server gets, as people and hosts meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

#[path = "command_line/stdio.rs"]
mod stdio;
#[cfg(unix)]
#[path = "command_line/terminal.rs"]
mod terminal;

fn greeter() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greeter"));
    command.env_remove("RUST_LOG");
    command
}

fn run(arguments: &[&str]) -> Output {
    greeter()
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
fn succeeds(arguments: &[&str]) -> String {
    let output = run(arguments);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {stdout}{stderr}");
    stdout
}

/// Ends with `code`; what it says on stdout and on stderr.
#[track_caller]
fn ends_with(code: i32, arguments: &[&str]) -> (String, String) {
    let output = run(arguments);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {stdout}{stderr}"
    );
    (stdout, stderr)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The system's words for it.
fn no_such_file() -> String {
    std::io::Error::from_raw_os_error(2).to_string()
}

#[test]
fn tools_are_listed_for_people_and_for_programs() {
    let list = succeeds(&["tools"]);
    for expected in [
        "greeter 1.2.3: 9 tools",
        "greet – Greet (read-only, closed world)",
        "Greets a guest in the house's own words.",
        "name: string, at least 1 character, at most 40 characters – Whom to greet.",
        "text: string – What to say.",
    ] {
        assert!(list.contains(expected), "{expected}: {list}");
    }
    let list: Value = serde_json::from_str(&succeeds(&["tools", "--json"])).unwrap();
    assert_eq!(list["tools"][0]["name"], "greet");
    assert_eq!(list["tools"][0]["inputSchema"]["required"], json!(["name"]));
}

#[test]
fn a_call_prints_its_result() {
    let arguments = r#"{"name": "Ada"}"#;
    let printed = succeeds(&["call", "greet", arguments]);
    assert!(
        printed.ends_with("{\n  \"text\": \"Hello, Ada!\"\n}\n"),
        "{printed}"
    );
    for line in [
        ["--greeting", "Ahoy", "call", "greet", arguments],
        ["call", "greet", arguments, "--greeting", "Ahoy"],
    ] {
        assert!(succeeds(&line).contains("Ahoy, Ada!"), "{line:?}");
    }
    let result = succeeds(&["call", "greet", arguments, "--json"]);
    let result = result.trim_start_matches("not for the client\n");
    let result: Value = serde_json::from_str(result).unwrap();
    assert_eq!(result["structuredContent"]["text"], "Hello, Ada!");
}

#[test]
fn calls_that_become_tasks_print_the_result_of_the_task() {
    for tool in ["print_menus", "engrave"] {
        let result: Value = serde_json::from_str(&succeeds(&["call", tool, "--json"])).unwrap();
        assert!(result["content"][0]["text"].is_string(), "{tool}: {result}");
    }
    assert_eq!(succeeds(&["call", "engrave"]), "engraved\n");
}

#[test]
fn blocks_that_are_not_text_are_printed_in_one_line() {
    let expected = "[image/png, 68 bytes]
[audio/wav, 2 KiB]
[link to wedding://photo – photo]
[wedding://guests]
Ada
";
    assert_eq!(succeeds(&["call", "album"]), expected);
    let result: Value = serde_json::from_str(&succeeds(&["call", "album", "--json"])).unwrap();
    assert_eq!(result["content"][1]["mimeType"], "audio/wav");
}

#[test]
fn prompts_are_listed_and_their_messages_printed() {
    let list = succeeds(&["prompts"]);
    let expected = "greeter 1.2.3: 3 prompts

speech – Wedding speech
  Writes a speech for a wedding.
  arguments:
    whom: string, at least 1 character, at most 40 characters – Who is married.
    minutes: integer, at least 0, at most 60, default 0, optional – The minutes that it may take.
    style: one of \"formal\", \"cheerful\", optional – How it sounds.

misplace
  Opens a file that does not exist.
  no arguments

invite
  Invites a guest who agrees.
  no arguments
";
    assert_eq!(list, expected);
    let list: Value = serde_json::from_str(&succeeds(&["prompts", "--json"])).unwrap();
    assert_eq!(list["prompts"][0]["arguments"][0]["name"], "whom");

    let arguments = r#"{"whom": "Ada", "minutes": "5"}"#;
    assert_eq!(
        succeeds(&["prompt", "speech", arguments]),
        "user: A speech for Ada of 5 minutes.\nassistant: Dear guests,\n"
    );
    let result: Value =
        serde_json::from_str(&succeeds(&["prompt", "speech", arguments, "--json"])).unwrap();
    assert_eq!(result["messages"][1]["role"], "assistant");
}

#[test]
fn prompt_that_fails_is_code_1_and_a_wrong_request_code_2() {
    let (said, logged) = ends_with(1, &["prompt", "misplace"]);
    assert_eq!(said, "");
    assert!(
        logged.contains("error: An internal error occurred (reference "),
        "{logged}"
    );
    for (arguments, expected) in [
        (&["prompt", "speach"][..], "did you mean \"speech\"?"),
        (
            &["prompt", "greet"],
            "there is no prompt \"greet\"; there are: speech, misplace, invite",
        ),
        (
            &["prompt", "speech"],
            "Invalid arguments: whom: is required",
        ),
        (&["prompt", "speech", "[1]"], "must be a JSON object"),
    ] {
        let (_, said) = ends_with(2, arguments);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn resources_are_listed_and_read() {
    let list = succeeds(&["resources"]);
    let expected = "greeter 1.2.3: 2 resources, 1 template, 1 provider

wedding://guests – Guests (text/plain, 9 bytes)
  The guests.

wedding://photo – photo (image/png)
  The photograph.

wedding://tables/{table} – table
  Who sits at a table.

wedding://plan/{+part} – plan (provider)
";
    assert_eq!(list, expected);
    let list: Value = serde_json::from_str(&succeeds(&["resources", "--json"])).unwrap();
    assert_eq!(list["resources"][0]["uri"], "wedding://guests");
    let template = &list["resourceTemplates"][0];
    assert_eq!(template["uriTemplate"], "wedding://tables/{table}");

    assert_eq!(succeeds(&["read", "wedding://guests"]), "Ada\nAlan\n");
    assert_eq!(
        succeeds(&["read", "wedding://tables/3"]),
        "Table 3 is empty.\n"
    );
    assert_eq!(
        succeeds(&["read", "wedding://photo"]),
        "[image/png, 4 bytes]\n"
    );
    let read: Value =
        serde_json::from_str(&succeeds(&["read", "wedding://photo", "--json"])).unwrap();
    assert_eq!(read["contents"][0]["blob"], "iVBORw==");
}

#[test]
fn resource_that_fails_is_code_1_and_a_wrong_uri_code_2() {
    let (said, logged) = ends_with(1, &["read", "wedding://tables/9"]);
    assert_eq!(said, "");
    assert!(
        logged.contains("error: An internal error occurred (reference "),
        "{logged}"
    );
    for (uri, expected) in [
        (
            "wedding://cake",
            "Resource not found: \"wedding://cake\"; the command `resources` lists",
        ),
        ("wedding://guest", "did you mean \"wedding://guests\"?"),
        ("wedding://tables/10", "table: must be at most 9"),
        ("guests", "must begin with a scheme"),
    ] {
        let (_, said) = ends_with(2, &["read", uri]);
        assert!(said.contains(expected), "{uri}: {said}");
    }
}

#[test]
fn arguments_may_come_from_stdin() {
    let mut child = greeter()
        .args(["call", "greet", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(b"{\n  \"name\":\r\n  \"Grace\"\n}\n")
        .unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(text(&output.stdout).contains("Hello, Grace!"));
}

#[test]
fn a_tool_that_fails_is_code_1() {
    let (said, _) = ends_with(1, &["call", "greet", r#"{"nam": ""}"#]);
    assert!(said.starts_with("Invalid arguments: "), "{said}");
    assert!(said.contains(r#"did you mean "name"?"#), "{said}");

    let (said, logged) = ends_with(1, &["call", "lose"]);
    assert!(
        said.starts_with("An internal error occurred (reference "),
        "{said}"
    );
    let reference = said
        .split(['(', ')'])
        .nth(1)
        .unwrap()
        .replace("reference ", "");
    let line: Value =
        serde_json::from_str(logged.lines().find(|line| line.starts_with('{')).unwrap()).unwrap();
    assert_eq!(line["reference"], reference.as_str());
    assert!(
        line["error"].as_str().unwrap().contains(&no_such_file()),
        "{line}"
    );
}

#[test]
fn a_wrong_command_line_is_code_2() {
    for (arguments, expected) in [
        (&["call", "greed"][..], "did you mean \"greet\"?"),
        (&["call", "zzz"], "there are: greet, lose, stumble"),
        (&["call", "greet", "[1]"], "must be a JSON object"),
        (&["call", "greet", "{\"name\""], "not JSON"),
        (&["call"], "<TOOL>"),
        (&["serve"], "unrecognized subcommand"),
        (&["--greetin", "x"], "--greeting"),
    ] {
        let (stdout, stderr) = ends_with(2, arguments);
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
        assert_eq!(stdout, "", "{arguments:?}");
    }
}

#[test]
fn check_shows_policies_and_warns() {
    let report = succeeds(&["check"]);
    for expected in [
        "greeter 1.2.3: 9 tools, 3 prompts, 2 resources, 2 resource templates, 1 method",
        "tool \"lose\": it is declared neither read_only nor destructive",
        "(missing-effect-hint)\n",
        "questions        up to 64 at once per call, each answered within 10 min\n",
        "tasks            up to 100 per caller, each up to 60 min; results are kept for 10 min\n",
        "wedding://plan/{+part} (provider)",
        "extensions       com.example/toasts\n",
    ] {
        assert!(report.contains(expected), "{expected}: {report}");
    }
    assert!(!report.contains("tool \"greet\":"), "{report}");
    // One row for each tool, in columns.
    let row = |tool: &str| report.lines().find(|line| line.starts_with(tool)).unwrap();
    assert!(row("greet ").contains("  read-only, closed world  "));
    let columns = |tool| ["30 s", "KiB"].map(|cell| row(tool).find(cell));
    assert_eq!(columns("greet "), columns("lose "));
    assert_eq!(row("tool ").find("timeout"), columns("greet ")[0]);
    assert!(row("prompt ").contains("timeout") && row("speech ").contains("30 s"));
    // A column only for what has values.
    assert_eq!(
        row("tool ").find("tasks"),
        row("print_menus ").find("optional")
    );
    assert_eq!(row("tool ").find("tasks"), row("engrave ").find("required"));
    assert_eq!(
        row("prompt ").find("completes"),
        row("speech ").find("style")
    );
    assert!(
        row("toasts/give ").ends_with("RequireExtension(com.example/toasts)"),
        "{report}"
    );
    assert!(!row("resource ").contains("tasks"), "{report}");
    ends_with(1, &["check", "--strict"]);
}

/// A file or a database that the tools need is not needed to look at them.
#[test]
fn commands_that_run_no_tool_need_nothing_that_tools_need() {
    let missing = ["--guest-book", "/no/such/file"];
    for command in ["check", "tools", "prompts", "resources", "--version"] {
        succeeds(&[command, missing[0], missing[1]]);
    }
    for command in [&["stdio"][..], &[], &["call", "greet", r#"{"name":"Ada"}"#]] {
        let (_, stderr) = ends_with(1, &[command, &missing].concat());
        assert!(stderr.contains("the guest book"), "{command:?}: {stderr}");
    }
}

#[test]
fn a_server_that_cannot_be_built_is_code_1_for_every_command() {
    for command in [
        &["check"][..],
        &["tools"],
        &["call", "greet"],
        &["stdio"],
        &[],
    ] {
        let arguments = [command, &["--broken"]].concat();
        let (stdout, stderr) = ends_with(1, &arguments);
        assert!(
            stderr.starts_with(&format!("error: the guest book: {}", no_such_file())),
            "{stderr}"
        );
        assert_eq!(stdout, "");
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    let help = succeeds(&["--help"]);
    for expected in [
        "stdio",
        "tools",
        "call",
        "check",
        "--greeting",
        "How guests are greeted",
    ] {
        assert!(help.contains(expected), "{expected}: {help}");
    }
    assert_eq!(succeeds(&["--version"]), "greeter 1.2.3\n");
}
