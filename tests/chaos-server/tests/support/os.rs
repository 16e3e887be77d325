//! What the system says of a server's process: its end, its memory, its rest.

use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use super::PATIENCE;
use super::log::Log;

/// Waits for the process to end.
pub(crate) fn wait(child: &mut Child, log: &Log) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            return status;
        }
        assert!(
            Instant::now() < deadline,
            "the server did not exit within {PATIENCE:?}; stderr:\n{}",
            log.text()
        );
        thread::sleep(Duration::from_millis(2));
    }
}

/// The process as `/proc` shows it.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy)]
pub(crate) struct Proc(pub(crate) u32);

#[cfg(target_os = "linux")]
impl Proc {
    /// The path of one of its entries.
    pub(crate) fn entry(self, entry: &str) -> std::path::PathBuf {
        std::path::PathBuf::from(format!("/proc/{}/{entry}", self.0))
    }

    /// The most memory the process has held so far, in bytes.
    pub(crate) fn peak_memory(self) -> u64 {
        let status = std::fs::read_to_string(self.entry("status")).expect("the process is there");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM:"))
            .expect("VmHWM is listed");
        let kib: u64 = line
            .split_whitespace()
            .nth(1)
            .and_then(|word| word.parse().ok())
            .expect("a number of kB");
        kib * 1024
    }

    /// Waits until the process has used no processor time for a while: it has
    /// done all that it can do without us. There is no event for that.
    pub(crate) fn wait_until_idle(self) {
        let deadline = Instant::now() + PATIENCE;
        let (mut last, mut quiet) = (self.processor_time(), 0);
        while quiet < 50 {
            assert!(
                Instant::now() < deadline,
                "the server does not come to rest"
            );
            thread::sleep(Duration::from_millis(10));
            let now = self.processor_time();
            quiet = if now == last { quiet + 1 } else { 0 };
            last = now;
        }
    }

    fn processor_time(self) -> (String, String) {
        let stat = std::fs::read_to_string(self.entry("stat")).expect("the process is there");
        let after_name = stat.rsplit(')').next().expect("stat names the command");
        let mut words = after_name.split_whitespace().skip(11).map(str::to_owned);
        (words.next().expect("utime"), words.next().expect("stime"))
    }
}
