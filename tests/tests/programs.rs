//! Programs of a server that ends, however it ends, and what many of them leave in it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Three processes that ignore SIGTERM and write their numbers into a file.
const FAMILY: &str = "#!/bin/sh\nPATH=/usr/bin:/bin\ntrap '' TERM INT\n\
    (trap '' TERM INT; sh -c 'echo $PPID' >> \"$1\"; sleep 600 & echo $! >> \"$1\"; wait) &\n\
    echo $$ >> \"$1\"; wait\n";
const FLOOD: &str = "#!/bin/sh\nexec /usr/bin/head -c \"$1\" /dev/zero\n";
const DESCRIPTORS: &str = "#!/bin/sh\nexec /bin/ls -l /proc/self/fd\n";

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("programs-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for (name, script) in [
        ("family", FAMILY),
        ("flood", FLOOD),
        ("descriptors", DESCRIPTORS),
        ("leaves", "#!/bin/sh\n: > file\n"),
        ("stalled", "#!/bin/sh\n"),
    ] {
        fs::write(folder.join(name), script).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
});

struct Runner {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Runner {
    fn start(program: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_runner"))
            .args(["stdio", "--program"])
            .arg(FOLDER.join(program))
            .arg("--second")
            .arg(FOLDER.join("stalled"))
            .env("RUST_LOG", "off")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut runner = Self { child, stdout };
        runner.send(&json!({
            "jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": {
                "protocolVersion": "2025-11-25", "capabilities": {},
                "clientInfo": { "name": "test", "version": "1" },
            },
        }));
        runner.receive();
        runner.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        runner
    }

    fn send(&mut self, message: &Value) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(format!("{message}\n").as_bytes()).unwrap();
    }

    fn receive(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn begin(&mut self, tool: &str, value: &str) {
        self.send(&json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": tool, "arguments": { "value": value } },
        }));
    }

    fn call(&mut self, tool: &str, value: &str) -> String {
        self.begin(tool, value);
        let answer = self.receive();
        answer["result"]["content"][0]["text"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id()))
            .unwrap()
            .count()
    }

    /// The most memory that the server has had, in KiB.
    fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// How many children it has, zombies among them.
    fn children(&self) -> usize {
        let parent = format!(" {} ", self.child.id());
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let is_child = |entry: &fs::DirEntry| {
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let rest = stat.rsplit(") ").next().unwrap_or_default().to_owned();
            rest.get(1..).is_some_and(|rest| rest.starts_with(&parent))
        };
        processes.filter(is_child).count()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many descriptors this process passes on to its children, beside the first three.
fn inheritable() -> usize {
    let descriptors = fs::read_dir("/proc/self/fdinfo").unwrap().flatten();
    let is_passed_on = |entry: &fs::DirEntry| {
        let number: u32 = entry.file_name().to_str().unwrap().parse().unwrap();
        let info = fs::read_to_string(entry.path()).unwrap_or_default();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|octal| u32::from_str_radix(octal.trim(), 8).ok());
        number > 2 && flags.is_some_and(|flags| flags & 0o2_000_000 == 0)
    };
    descriptors.filter(is_passed_on).count()
}

fn pause() {
    thread::sleep(Duration::from_millis(2));
}

/// A file for the numbers of one family.
fn numbers(test: &str) -> String {
    FOLDER.join(test).to_str().unwrap().to_owned()
}

/// The numbers in a file, once there are three.
fn family(numbers: &str) -> Vec<u32> {
    loop {
        let text = fs::read_to_string(numbers).unwrap_or_default();
        let family: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
        if family.len() == 3 && text.ends_with('\n') {
            return family;
        }
        pause();
    }
}

fn is_running(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// Waits for the end of the server, and then of a family.
fn all_end(mut runner: Runner, family: Vec<u32>) {
    runner.child.wait().unwrap();
    for id in family {
        while is_running(id) {
            pause();
        }
    }
}

#[test]
fn signal_ends_programs_with_the_drain() {
    for (test, tool) in [("signal", "run"), ("signal-aside", "run_aside")] {
        let mut runner = Runner::start("family");
        let numbers = numbers(test);
        runner.begin(tool, &numbers);
        let family = family(&numbers);
        kill_process(runner.pid(), Signal::TERM).unwrap();
        all_end(runner, family);
    }
}

#[test]
fn second_signal_ends_programs_at_once() {
    let mut runner = Runner::start("family");
    let numbers = numbers("second");
    runner.begin("run", &numbers);
    let family = family(&numbers);
    kill_process(runner.pid(), Signal::TERM).unwrap();
    let _ = kill_process(runner.pid(), Signal::INT);
    all_end(runner, family);
}

#[test]
fn signal_ends_the_programs_of_a_single_call() {
    let numbers = numbers("single");
    let call = json!({ "value": numbers }).to_string();
    let mut child = Command::new(env!("CARGO_BIN_EXE_runner"))
        .args(["call", "run", &call, "--program"])
        .arg(FOLDER.join("family"))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let family = family(&numbers);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    for id in family {
        while is_running(id) {
            pause();
        }
    }
}

#[test]
fn end_of_the_input_ends_programs() {
    for (test, tool) in [("input", "run"), ("input-aside", "run_aside")] {
        let mut runner = Runner::start("family");
        let numbers = numbers(test);
        runner.begin(tool, &numbers);
        let family = family(&numbers);
        drop(runner.child.stdin.take());
        all_end(runner, family);
    }
}

#[test]
fn programs_end_with_a_server_whose_workers_are_all_blocked() {
    let mut runner = Runner::start("family");
    let numbers = numbers("blocked");
    assert_eq!(runner.call("run_aside", &numbers), "started");
    let family = family(&numbers);
    runner.begin("block", &format!("{numbers}-worker"));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let is_blocked = |entry: &fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        name.starts_with("blocked-worker-")
    };
    while fs::read_dir(&*FOLDER)
        .unwrap()
        .flatten()
        .filter(is_blocked)
        .count()
        < workers.max(2)
    {
        pause();
    }
    kill_process(runner.pid(), Signal::TERM).unwrap();
    all_end(runner, family);
}

/// The file of the second program has a lease of another process: the system opens it for none.
#[test]
fn start_that_hangs_keeps_no_other_program_alive_when_the_server_ends() {
    const HOLD: &str = "$SIG{IO} = 'IGNORE'; $| = 1; open(F, '+<', $ARGV[0]) or die; \
        select(undef, undef, undef, 0.01) until fcntl(F, 1024, 1); \
        print \"held\\n\"; sysread(STDIN, $_, 1)";
    let mut runner = Runner::start("family");
    let numbers = numbers("hangs");
    assert_eq!(runner.call("run_aside", &numbers), "started");
    let family = family(&numbers);
    let mut holder = Command::new("perl")
        .args(["-e", HOLD])
        .arg(FOLDER.join("stalled"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(holder.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "held\n");
    assert_eq!(runner.call("run_second", ""), "started");
    // The first program, and the process that is to become the second.
    while runner.children() < 2 {
        pause();
    }
    kill_process(runner.pid(), Signal::TERM).unwrap();
    all_end(runner, family);
    holder.kill().unwrap();
    holder.wait().unwrap();
}

#[test]
fn single_call_leaves_no_folder_of_its_program() {
    let folder = FOLDER.join("temporary");
    fs::create_dir(&folder).unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_runner"))
        .args(["call", "run", r#"{"value":""}"#, "--program"])
        .arg(FOLDER.join("leaves"))
        .env("TMPDIR", &folder)
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn a_gigabyte_of_output_takes_the_memory_of_its_limit() {
    let mut runner = Runner::start("flood");
    assert!(runner.call("run", "1000").starts_with("false "));
    let before = runner.peak();
    // The result of 1 MiB of NUL characters is refused for its size: that is the server's limit.
    runner.begin("run", "1073741824");
    runner.receive();
    let grown = runner.peak() - before;
    assert!(grown < 64 * 1024, "{grown} KiB");
}

#[test]
fn program_inherits_three_descriptors_and_nothing_is_left_of_many_runs() {
    let mut runner = Runner::start("descriptors");
    let listed = runner.call("run", "first");
    let shown: Vec<&str> = listed.lines().filter(|line| line.contains("->")).collect();
    // The fourth is the folder that `ls` reads. What this test passes on by itself is not the
    // server's.
    assert_eq!(shown.len(), 4 + inheritable(), "{listed}");
    assert!(shown[0].ends_with("0 -> /dev/null"), "{listed}");
    for stream in [" 1 -> pipe:[", " 2 -> pipe:["] {
        assert!(listed.contains(stream), "{listed}");
    }
    let before = runner.descriptors();
    for _ in 0..200 {
        runner.call("run", "again");
    }
    assert_eq!(runner.descriptors(), before);
    assert_eq!(runner.children(), 0);
}

#[test]
fn cancelled_programs_are_not_left_as_zombies() {
    let mut runner = Runner::start("family");
    for round in 0..10 {
        let numbers = numbers(&format!("zombie-{round}"));
        runner.begin("run", &numbers);
        let family = family(&numbers);
        runner.send(&json!({
            "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 },
        }));
        for id in family {
            while is_running(id) {
                pause();
            }
        }
    }
    while runner.children() > 0 {
        pause();
    }
}
