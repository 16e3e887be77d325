//! Small programs for the tests. All are written before the first one runs: a process that is
//! being forked would hold a file open for writing, which then cannot be run.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::LazyLock;

use mcp_kit::guard::Command;

const SCRIPTS: &[(&str, &str)] = &[
    ("arguments", "for one; do printf '<%s>' \"$one\"; done"),
    ("folder", "pwd; ls -A; : > left; mkdir inside; ls -A"),
    ("input", "cat; echo end"),
    ("fails", "echo out; echo password=hunter2 >&2; exit 3"),
    ("killed", "kill -ABRT $$"),
    ("words", "printf 'stdout'; printf 'stderr' >&2"),
    // Children that ignore SIGTERM and keep stdout and stderr open.
    (
        "leaves",
        "(trap '' TERM; sh -c 'echo $PPID' >> \"$1\"; sleep 600 & echo $! >> \"$1\"; wait) & \
         echo $$ >> \"$1\"; while [ $(wc -l < \"$1\") -lt 3 ]; do :; done; echo leader",
    ),
    (
        "family",
        "trap '' TERM; (trap '' TERM; sh -c 'echo $PPID' >> \"$1\"; sleep 600 & echo $! >> \"$1\"; wait) & \
         echo $$ >> \"$1\"; wait",
    ),
    (
        "escapes",
        "setsid sh -c 'echo $$ >> \"$1\"; exec sleep 600' - \"$1\" & \
         while [ ! -s \"$1\" ]; do :; done; echo leader",
    ),
    (
        "flood",
        "head -c \"$1\" /dev/zero; head -c 100 /dev/zero >&2",
    ),
    (
        "stalled",
        "if [ \"$1\" = stay ]; then while :; do sleep 1; done; fi; echo end",
    ),
];

/// Programs whose names the guard looks at, in the folder `named`.
const NAMES: &[&str] = &[
    "bash-5.2",
    "bash-language-server",
    "busybox",
    "busybox.static",
    "envsubst",
    "ksh93",
    "ksh93u+m",
    "nu",
    "numfmt",
    "pwsh-preview",
    "rbash",
    "shfmt",
    "zsh-5.9",
    "zsh-static",
];

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("guard_process-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for (name, script) in SCRIPTS {
        let path = folder.join(name);
        let script = format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(folder.join("plain"), "not a program").unwrap();
    symlink("/bin/sh", folder.join("linked")).unwrap();
    let named = folder.join("named");
    fs::create_dir_all(&named).unwrap();
    for name in NAMES {
        fs::copy(folder.join("words"), named.join(name)).unwrap();
    }
    symlink("/usr/bin/env", named.join("linked-env")).unwrap();
    symlink("busybox", named.join("linked-busybox")).unwrap();
    folder
});

pub fn path(name: &str) -> PathBuf {
    FOLDER.join(name)
}

pub fn script(name: &str) -> Command {
    Command::new(path(name)).unwrap()
}

/// A new file, which the processes of one test write their numbers to.
pub fn numbers(test: &str) -> PathBuf {
    FOLDER.join(format!("{test}.pids"))
}

/// The processes in a file, once there are three.
pub async fn family(numbers: &Path) -> Vec<u32> {
    loop {
        let text = fs::read_to_string(numbers).unwrap_or_default();
        let family: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
        if family.len() == 3 && text.ends_with('\n') {
            return family;
        }
        pause().await;
    }
}

/// Waits until a process is gone, or a zombie that its parent has not waited for yet.
pub async fn ended(id: u32) {
    while is_running(id) {
        pause().await;
    }
}

pub fn is_running(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// Until it is dropped, the system starts a program of the tests only as far as opening its file,
/// as on a file system that does not answer: another process has a lease of the file.
pub struct Lease(Child);

impl Lease {
    pub fn take(name: &str) -> Self {
        const HOLD: &str = "$SIG{IO} = 'IGNORE'; $| = 1; open(F, '+<', $ARGV[0]) or die; \
            select(undef, undef, undef, 0.01) until fcntl(F, 1024, 1); \
            print \"held\\n\"; sysread(STDIN, $_, 1)";
        let mut holder = std::process::Command::new("perl")
            .args(["-e", HOLD])
            .arg(path(name))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(holder.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Self(holder)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // The end of its stdin would come too late: the process that hangs in its start has a copy
        // of the pipe's other end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a script of the tests runs.
pub fn script_is_running(name: &str) -> bool {
    let path = path(name);
    let path = path.to_str().unwrap();
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let arguments = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        arguments.split('\0').any(|argument| argument == path)
    })
}

/// Between two looks at what no event tells of.
pub async fn pause() {
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
}
