//! What the server's descriptors may be, and what it may do to them.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _, pipe};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use rustix::fs::{OFlags, fcntl_getfl};
use serde_json::{Value, json};

use crate::process::{Trace, lines_of, scratch, setup};
use crate::rpc;

/// A conversation as the text of a file: handshake, calls, an odd line.
fn conversation() -> String {
    let mut text = format!("{}\n", rpc::initialize("hello", "2025-11-25"));
    for id in 0..100 {
        let params = json!({ "name": "add", "arguments": { "a": id, "b": 1 } });
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        text.push_str(&format!("{call}\n"));
    }
    text.push_str("not json\n");
    text
}

fn assert_conversation(answers: &[Value]) {
    assert_eq!(answers.len(), 102, "{answers:?}");
    for id in 0..100 {
        let answer = answers
            .iter()
            .find(|answer| answer["id"] == id)
            .expect("an answer");
        assert_eq!(rpc::text(rpc::result(answer)), (id + 1).to_string());
    }
    assert!(answers.iter().any(|answer| answer["id"] == "hello"));
    assert!(
        answers
            .iter()
            .any(|answer| answer["error"]["code"] == -32700)
    );
}

fn is_blocking(descriptor: impl AsFd) -> bool {
    !fcntl_getfl(descriptor)
        .expect("the flags can be read")
        .contains(OFlags::NONBLOCK)
}

#[test]
fn stdin_may_be_a_file() {
    let path = scratch("stdin-file");
    std::fs::write(&path, conversation()).unwrap();
    let mut chaos = setup().stdin(File::open(&path).unwrap()).start();
    let answers = chaos.rest();
    assert!(chaos.wait().success());
    assert_conversation(&answers);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn stdout_may_be_a_file() {
    let path = scratch("stdout-file");
    let mut chaos = setup().stdout(File::create(&path).unwrap()).start();
    chaos.write(conversation().as_bytes());
    chaos.close_input();
    assert!(chaos.wait().success());
    let text = std::fs::read_to_string(&path).unwrap();
    assert_conversation(&text.lines().map(rpc::parse).collect::<Vec<_>>());
    std::fs::remove_file(path).unwrap();
}

#[test]
fn both_may_be_files() {
    let (input, output) = (scratch("both-in"), scratch("both-out"));
    std::fs::write(&input, conversation()).unwrap();
    let mut chaos = setup()
        .stdin(File::open(&input).unwrap())
        .stdout(File::create(&output).unwrap())
        .start();
    assert!(chaos.wait().success());
    let text = std::fs::read_to_string(&output).unwrap();
    assert_conversation(&text.lines().map(rpc::parse).collect::<Vec<_>>());
    std::fs::remove_file(input).unwrap();
    std::fs::remove_file(output).unwrap();
}

#[test]
fn stdin_may_be_empty() {
    let mut chaos = setup().stdin(Stdio::null()).start();
    assert!(chaos.rest().is_empty());
    assert!(chaos.wait().success());
}

#[test]
fn all_output_may_go_nowhere() {
    let mut chaos = setup().stdout(Stdio::null()).stderr(Stdio::null()).start();
    chaos.write(conversation().as_bytes());
    chaos.close_input();
    assert!(chaos.wait().success());
}

/// Node gives its children socket pairs.
#[test]
fn stdin_and_stdout_may_be_socket_pairs_and_stay_blocking_for_others() {
    let (our_input, its_input) = UnixStream::pair().unwrap();
    let (our_output, its_output) = UnixStream::pair().unwrap();
    let (kept_input, kept_output) = (
        its_input.try_clone().unwrap(),
        its_output.try_clone().unwrap(),
    );
    let mut chaos = setup()
        .stdin(OwnedFd::from(its_input))
        .stdout(OwnedFd::from(its_output))
        .start();
    let mut input = our_input;
    let mut output = BufReader::new(our_output);
    input.write_all(conversation().as_bytes()).unwrap();
    let mut answers = Vec::new();
    while answers.len() < 102 {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        answers.push(rpc::parse(line.trim_end()));
    }
    assert_conversation(&answers);
    assert!(
        is_blocking(&kept_input),
        "stdin's flags are shared and must stay"
    );
    assert!(
        is_blocking(&kept_output),
        "stdout's flags are shared and must stay"
    );
    drop(kept_output);
    drop(kept_input);
    drop(input);
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert!(rest.is_empty());
    assert!(chaos.wait().success());
}

/// One socket for both, as inetd and some supervisors do.
#[test]
fn stdin_and_stdout_may_be_the_same_socket() {
    let (ours, its) = UnixStream::pair().unwrap();
    let mut chaos = setup()
        .stdin(OwnedFd::from(its.try_clone().unwrap()))
        .stdout(OwnedFd::from(its))
        .start();
    let mut writer = ours.try_clone().unwrap();
    writer.write_all(conversation().as_bytes()).unwrap();
    writer.shutdown(std::net::Shutdown::Write).unwrap();
    let mut text = String::new();
    BufReader::new(ours).read_to_string(&mut text).unwrap();
    assert_conversation(&text.lines().map(rpc::parse).collect::<Vec<_>>());
    assert!(chaos.wait().success());
}

/// `server 2>&1`: what makes one end non-blocking makes the other.
#[test]
fn stdout_and_stderr_may_be_the_same_pipe() {
    let (reader, writer) = pipe().unwrap();
    let (input_end, mut input) = pipe().unwrap();
    let (kept_output, kept_input) = (writer.try_clone().unwrap(), input_end.try_clone().unwrap());
    let mut chaos = setup()
        .env("RUST_LOG", "info")
        .stdin(OwnedFd::from(input_end))
        .stdout(OwnedFd::from(writer.try_clone().unwrap()))
        .stderr(OwnedFd::from(writer))
        .start();
    let lines = lines_of(reader);
    input.write_all(conversation().as_bytes()).unwrap();
    let (mut answers, mut logged) = (Vec::new(), 0);
    while answers.len() < 102 {
        let line = lines
            .recv_timeout(crate::process::PATIENCE)
            .expect("a line");
        let value: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("lines are mixed: {line}"));
        if value.get("jsonrpc").is_some() {
            answers.push(value);
        } else {
            logged += 1;
        }
    }
    assert_conversation(&answers);
    assert!(
        is_blocking(&kept_output),
        "the pipe is non-blocking for the processes that share it"
    );
    assert!(
        is_blocking(&kept_input),
        "stdin is non-blocking for the processes that share it"
    );
    drop(kept_output);
    drop(kept_input);
    drop(input);
    logged += lines.iter().count();
    assert!(logged >= 100, "{logged} log lines for 100 calls");
    assert!(chaos.wait().success());
}

#[test]
fn a_host_that_never_reads_stderr_stops_nothing() {
    let mut chaos = setup()
        .env("RUST_LOG", "debug")
        .without_reading_stderr()
        .legacy();
    for round in 0..40 {
        for id in 0..200 {
            chaos.send_call(id, "fail", json!({}));
        }
        for id in 0..200 {
            assert!(
                rpc::is_error(rpc::result(&chaos.answer(id))),
                "round {round}"
            );
        }
    }
    chaos.assert_alive();
    assert!(chaos.finish().is_empty());
}

#[test]
fn a_stderr_that_is_closed_stops_nothing() {
    let (reader, writer) = pipe().unwrap();
    let mut chaos = setup()
        .env("RUST_LOG", "debug")
        .stderr(OwnedFd::from(writer))
        .legacy();
    drop(reader);
    for _ in 0..20 {
        chaos.failure("leak", json!({}));
        chaos.failure("panic", json!({}));
        // Rust's `println!` panics when it cannot print; that is contained too.
        chaos.call("print", json!({}));
    }
    chaos.assert_alive();
    assert!(chaos.finish().is_empty());
}

/// The client did not get its answers, and the operator must learn why.
#[cfg(target_os = "linux")]
#[test]
fn a_stdout_that_cannot_be_written_is_an_error_with_a_reason() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut chaos = setup().stdout(full).start();
    chaos.send(&rpc::initialize(1, "2025-11-25"));
    assert_eq!(chaos.wait().code(), Some(1));
    let log = chaos.log.all().join("\n");
    assert!(
        log.contains("error: ") && log.contains("No space left"),
        "{log}"
    );
}

/// Whatever is wanting, it is an error, and never a panic.
#[test]
fn a_server_without_descriptors_says_so() {
    for limit in 3..20 {
        let output = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!("ulimit -n {limit}; exec \"$0\" stdio"))
            .arg(env!("CARGO_BIN_EXE_chaos-server"))
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked"), "{limit}: {stderr}");
        match output.status.code() {
            Some(0) => {}
            // Without descriptors for its libraries it does not start at all.
            Some(127) => assert!(stderr.contains("shared libraries"), "{limit}: {stderr}"),
            code => {
                assert_eq!(code, Some(1), "{limit}: {stderr}");
                assert!(stderr.contains("Too many open files"), "{limit}: {stderr}");
            }
        }
    }
}

#[test]
fn a_client_that_is_gone_ends_the_server() {
    let (reader, writer) = pipe().unwrap();
    let mut chaos = setup().stdout(OwnedFd::from(writer)).start();
    let mut output = BufReader::new(reader);
    chaos.send(&rpc::initialize(1, "2025-11-25"));
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    chaos.send_call(2, "slow", json!({ "ms": 29_000 }));
    drop(output);
    // Nobody is there to read this answer; stdin stays open.
    chaos.send_request(3, "tools/list", json!({}));
    chaos.wait();
}

/// Nothing is ever written that would fail, and stdin stays open.
#[cfg(target_os = "linux")]
#[test]
fn a_client_that_closes_stdout_ends_the_server_and_its_calls() {
    let (reader, writer) = pipe().unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let kinds: [(OwnedFd, OwnedFd); 2] =
        [(reader.into(), writer.into()), (ours.into(), theirs.into())];
    for (ours, theirs) in kinds {
        let mut trace = Trace::new("stdout-closed");
        let mut chaos = setup()
            .env("CHAOS_TRACE", trace.path())
            .stdout(theirs)
            .start();
        let mut output = BufReader::new(File::from(ours));
        chaos.send(&rpc::initialize(1, "2025-11-25"));
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        chaos.send_call(2, "slow", json!({ "ms": 29_000 }));
        trace.wait_for("start 29000");
        drop(output);
        assert_eq!(chaos.wait().code(), Some(0));
        assert!(!trace.has("done 29000"), "the server waited for the call");
    }
}

/// The same socket both ways: its end is more than the end of stdin, after which
/// calls would have their time.
#[cfg(target_os = "linux")]
#[test]
fn a_client_that_closes_the_one_socket_ends_the_server_and_its_calls() {
    let mut trace = Trace::new("socket-closed");
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut chaos = setup()
        .env("CHAOS_TRACE", trace.path())
        .stdin(OwnedFd::from(theirs.try_clone().unwrap()))
        .stdout(OwnedFd::from(theirs))
        .start();
    let params = json!({ "name": "slow", "arguments": { "ms": 9_000 } });
    let call = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params });
    writeln!(&ours, "{}\n{call}", rpc::initialize(1, "2025-11-25")).unwrap();
    trace.wait_for("start 9000");
    drop(ours);
    assert_eq!(chaos.wait().code(), Some(0));
    assert!(!trace.has("done 9000"), "the server waited for the call");
}

/// What a child process would inherit: nothing to eat, nowhere to write into.
#[cfg(target_os = "linux")]
#[test]
fn children_cannot_reach_the_protocol() {
    use std::os::fd::AsRawFd as _;
    use std::path::{Path, PathBuf};

    let (its_input, mut input) = pipe().unwrap();
    let (output, its_output) = pipe().unwrap();
    let target = |path: PathBuf| std::fs::read_link(path).expect("the descriptor is open");
    let ours = |descriptor: i32| target(PathBuf::from(format!("/proc/self/fd/{descriptor}")));
    let protocol = [ours(its_input.as_raw_fd()), ours(its_output.as_raw_fd())];
    let mut output = BufReader::new(output);
    let chaos = setup()
        .stdin(OwnedFd::from(its_input))
        .stdout(OwnedFd::from(its_output))
        .start();
    writeln!(input, "{}", rpc::initialize(1, "2025-11-25")).unwrap();
    output.read_line(&mut String::new()).unwrap();

    assert_eq!(target(chaos.proc("fd/0")), Path::new("/dev/null"));
    // What is printed goes into the log's queue, and never straight to stderr.
    let printed = target(chaos.proc("fd/1"));
    assert!(!protocol.contains(&printed) && printed != target(chaos.proc("fd/2")));
    let mut private = 0;
    for entry in std::fs::read_dir(chaos.proc("fdinfo")).unwrap() {
        let entry = entry.unwrap();
        let descriptor = chaos.proc("fd").join(entry.file_name());
        // One may be closed while the folder is read.
        let (Ok(info), Ok(file)) = (
            std::fs::read_to_string(entry.path()),
            std::fs::read_link(descriptor),
        ) else {
            continue;
        };
        if !protocol.contains(&file) {
            continue;
        }
        let flags = info
            .lines()
            .find_map(|line| line.strip_prefix("flags:"))
            .expect("flags");
        let flags = u32::from_str_radix(flags.trim(), 8).expect("octal");
        assert!(
            flags & OFlags::CLOEXEC.bits() != 0,
            "{:?} would be inherited",
            entry.file_name()
        );
        private += 1;
    }
    assert!(private >= 2, "the server speaks through something else");
}
