//! What the tests of every transport share: JSON-RPC messages, the server's
//! log, its trace, and what the system says of its process.

pub(crate) mod log;
pub(crate) mod os;
pub(crate) mod random;
pub(crate) mod rpc;
pub(crate) mod trace;

use std::io::{BufRead as _, BufReader, Read};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// How long a test waits for anything before it fails. Far longer than any
/// answer takes, also on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A path for a file of the test with this name. Nothing is there yet.
pub(crate) fn scratch(name: &str) -> std::path::PathBuf {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

/// Reads lines on a thread of its own. Invalid UTF-8 is replaced, so that it
/// fails the test that looks at the line and not the reader.
pub(crate) fn lines_of(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver): (Sender<String>, _) = channel();
    thread::spawn(move || {
        for line in BufReader::with_capacity(1 << 16, pipe)
            .split(b'\n')
            .map_while(Result::ok)
        {
            if sender
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                return;
            }
        }
    });
    receiver
}
