//! A `redis-server` of a test's own: on a free port of the loopback, with a
//! password, and without anything kept on disk.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) const PASSWORD: &str = "hunter2";

pub(crate) struct Redis {
    process: Option<Child>,
    port: u16,
    folder: PathBuf,
}

impl Redis {
    /// Starts one, or says on stderr that the test is skipped: where there is
    /// no `redis-server`, and `MCP_KIT_REQUIRE_REDIS` does not ask for it.
    pub(crate) fn start() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if Command::new("redis-server")
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .is_err()
        {
            assert!(
                std::env::var_os("MCP_KIT_REQUIRE_REDIS").is_none(),
                "redis-server is not installed"
            );
            eprintln!("SKIPPED: redis-server is not installed");
            return None;
        }
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("redis-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        // Somebody else may take a port between the look and the start.
        for _ in 0..10 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let mut redis = Self {
                process: None,
                port: free.local_addr().unwrap().port(),
                folder: folder.clone(),
            };
            drop(free);
            if redis.restart() {
                return Some(redis);
            }
        }
        panic!("redis-server does not start");
    }

    /// Starts it again, empty, on the same port; whether that worked.
    pub(crate) fn restart(&mut self) -> bool {
        self.kill();
        let mut process = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .args(["--requirepass", PASSWORD])
            .arg("--dir")
            .arg(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let is_ready = lines
            .by_ref()
            .map_while(Result::ok)
            .any(|line| line.contains("Ready to accept connections"));
        // Whatever else it says is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        self.process = Some(process);
        is_ready
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}", self.port)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
