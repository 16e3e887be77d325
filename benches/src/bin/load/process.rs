//! A server's process: started, read from `/proc`, killed at the end.

use std::fs;
use std::process::{Child, ChildStdin, ChildStdout, Command};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::placement::Placement;
use crate::watchdog::{self, SharedChild, Watchdog};

/// What a closed pipe or connection means.
pub(crate) const ENDED: &str = "the server ended before it had answered";

/// How to start a server.
pub(crate) struct ServerCommand {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

/// A running server. It is killed when dropped.
pub(crate) struct Process {
    child: SharedChild,
    pid: u32,
    started: Instant,
    watchdog: Watchdog,
}

impl ServerCommand {
    pub(crate) fn new(
        words: Vec<String>,
        environment: &[(String, String)],
    ) -> Result<Self, String> {
        let mut words = words.into_iter();
        let program = words.next().ok_or("a server's command is empty")?;
        Ok(ServerCommand {
            program,
            arguments: words.collect(),
            environment: environment.to_vec(),
        })
    }

    /// The program's file name.
    pub(crate) fn name(&self) -> &str {
        self.program.rsplit('/').next().unwrap_or(&self.program)
    }

    /// What the program is started with.
    pub(crate) fn arguments(&self) -> &[String] {
        &self.arguments
    }
}

impl Process {
    /// Starts the program with these arguments. `prepare` says what else the
    /// process needs.
    pub(crate) fn start(
        command: &ServerCommand,
        arguments: &[String],
        placement: &Placement,
        watchdog: &Watchdog,
        prepare: impl FnOnce(&mut Command),
    ) -> Result<Self, String> {
        let mut process = Command::new(&command.program);
        prepare(&mut process);
        process
            .args(arguments)
            .envs(command.environment.iter().cloned());
        let (started, child) = placement.on_servers_core(|| (Instant::now(), process.spawn()))?;
        let child = child.map_err(|error| format!("starting `{}`: {error}", command.program))?;
        Ok(Process {
            pid: child.id(),
            child: Arc::new(Mutex::new(child)),
            started,
            watchdog: watchdog.clone(),
        })
    }

    /// The time since before the process was started.
    pub(crate) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// The other ends of its stdin and stdout, once.
    pub(crate) fn pipes(&self) -> Option<(ChildStdin, ChildStdout)> {
        let mut child = self.child();
        child.stdin.take().zip(child.stdout.take())
    }

    /// True once the process has ended.
    pub(crate) fn has_ended(&self) -> bool {
        !matches!(self.child().try_wait(), Ok(None))
    }

    /// Asks the process to end and waits until it has.
    pub(crate) fn terminate(&self) -> Result<(), String> {
        let problem = |error| format!("ending the server: {error}");
        let pid = Pid::from_child(&self.child());
        let ended = pidfd_open(pid, PidfdFlags::empty()).map_err(problem)?;
        kill_process(pid, Signal::TERM).map_err(problem)?;
        // Waiting on the child would hold the lock that the watchdog needs.
        self.watched(|| {
            poll(&mut [PollFd::new(&ended, PollFlags::IN)], None).map_err(problem)?;
            Ok(())
        })
    }

    /// Runs a step that may not take for ever.
    pub(crate) fn watched<T>(&self, step: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
        self.watchdog.watch(&self.child, step)
    }

    /// CPU time that all living threads have used, in user and system mode.
    /// The scheduler counts it in nanoseconds; `/proc/PID/stat` has only ticks.
    pub(crate) fn cpu(&self) -> Result<Duration, String> {
        let folder = format!("/proc/{}/task", self.pid);
        let threads = fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))?;
        let mut sum = 0;
        for thread in threads {
            let path = thread
                .map_err(|error| format!("{folder}: {error}"))?
                .path()
                .join("schedstat");
            // A thread may end between the listing and the look at it.
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            sum += text
                .split_whitespace()
                .next()
                .and_then(|word| word.parse::<u64>().ok())
                .ok_or_else(|| format!("{} has no CPU time", path.display()))?;
        }
        Ok(Duration::from_nanos(sum))
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> Result<f64, String> {
        let path = format!("/proc/{}/status", self.pid);
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        text.lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<f64>().ok())
            .map(|kibibytes| kibibytes * 1024.0)
            .ok_or_else(|| format!("{path} has no VmRSS"))
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        watchdog::kill(&self.child);
        // It was killed, so this does not wait long; without it a zombie stays.
        let _ = self.child().wait();
    }
}
