//! Small programs for the tests. All are written before the first one runs: a process that is
//! being forked would hold a file open for writing, which then cannot be run.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
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
    std::os::unix::fs::symlink("/bin/sh", folder.join("linked")).unwrap();
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

/// Between two looks at what no event tells of.
async fn pause() {
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
}
