//! The queue between those who log and stderr: bounded, and never waited for.

use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

use super::format;

/// How many bytes of lines may wait. As many again may be on their way out.
const ROOM: usize = 1024 * 1024;

/// A buffer of lines that grew beyond this is given back once it is written.
const KEPT_BUFFER: usize = 64 * 1024;

/// How long to leave a stderr alone that takes nothing and cannot be waited for.
const RETRY: Duration = Duration::from_millis(10);

/// The lines on their way to stderr. Its thread starts with the first one.
pub(super) fn stderr() -> &'static Queue {
    static STDERR: Queue = Queue::new(ROOM, || Box::new(io::stderr()));
    &STDERR
}

pub(super) struct Queue {
    room: usize,
    open: fn() -> Box<dyn Write + Send>,
    state: Mutex<State>,
    /// Lines came.
    filled: Condvar,
    /// Lines left.
    written: Condvar,
}

struct State {
    /// Whole lines.
    waiting: Vec<u8>,
    /// Lines that found no room since the last batch left.
    dropped: u64,
    is_running: bool,
    is_writing: bool,
    is_idle: bool,
}

impl Queue {
    const fn new(room: usize, open: fn() -> Box<dyn Write + Send>) -> Self {
        Self {
            room,
            open,
            state: Mutex::new(State {
                waiting: Vec::new(),
                dropped: 0,
                is_running: false,
                is_writing: false,
                is_idle: false,
            }),
            filled: Condvar::new(),
            written: Condvar::new(),
        }
    }

    /// Adds a line, newline included.
    pub(super) fn push(&'static self, line: &[u8]) {
        let mut state = self.lock();
        if state.waiting.len() + line.len() > self.room {
            state.dropped += 1;
            return;
        }
        state.waiting.extend_from_slice(line);
        if !state.is_running {
            // Without a thread the lines wait; the next one tries again.
            state.is_running = thread::Builder::new()
                .name("mcp-log".to_owned())
                .stack_size(128 * 1024)
                .spawn(move || self.run())
                .is_ok();
        }
        if state.is_idle {
            state.is_idle = false;
            drop(state);
            self.filled.notify_one();
        }
    }

    /// Waits until what was pushed is written, for at most `longest`.
    pub(super) fn flush(&self, longest: Duration) {
        let until = Instant::now() + longest;
        let mut state = self.lock();
        while state.is_running && (state.is_writing || !state.waiting.is_empty()) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self
                .written
                .wait_timeout(state, left)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        }
    }

    fn run(&self) {
        let mut output = (self.open)();
        let mut batch = Vec::new();
        loop {
            self.next(&mut batch);
            // A stderr that is closed or broken takes nothing: the lines are
            // lost, and there is nobody to tell.
            let _ = write_patiently(&mut *output, &batch);
        }
    }

    /// Waits for lines and swaps them for the batch that was written.
    fn next(&self, batch: &mut Vec<u8>) {
        batch.clear();
        if batch.capacity() > KEPT_BUFFER {
            *batch = Vec::new();
        }
        let mut state = self.lock();
        state.is_writing = false;
        self.written.notify_all();
        while state.waiting.is_empty() {
            state.is_idle = true;
            state = self
                .filled
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.is_idle = false;
        state.is_writing = true;
        std::mem::swap(&mut state.waiting, batch);
        let dropped = std::mem::take(&mut state.dropped);
        drop(state);
        if dropped > 0 {
            batch.extend_from_slice(format::dropped_lines(dropped).as_bytes());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes everything. A stderr that someone else made non-blocking is tried
/// again and again: this thread has nothing better to do.
fn write_patiently(output: &mut dyn Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(RETRY),
            Err(error) => return Err(error),
        }
    }
    output.flush()
}

impl<'a> MakeWriter<'a> for &'static Queue {
    type Writer = LineWriter;

    fn make_writer(&'a self) -> LineWriter {
        LineWriter(self)
    }
}

/// Takes one line per write, as tracing-subscriber gives them.
pub(super) struct LineWriter(&'static Queue);

impl Write for LineWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A stderr that takes nothing until it is told to, and remembers what each
    /// write held.
    #[derive(Default)]
    struct Slow {
        is_open: Mutex<bool>,
        opened: Condvar,
        writes: Mutex<Vec<String>>,
    }

    impl Slow {
        const fn new() -> Self {
            Self {
                is_open: Mutex::new(false),
                opened: Condvar::new(),
                writes: Mutex::new(Vec::new()),
            }
        }

        fn open(&self) {
            *self.is_open.lock().unwrap() = true;
            self.opened.notify_all();
        }

        fn writes(&self) -> Vec<String> {
            self.writes.lock().unwrap().clone()
        }
    }

    struct Handle {
        slow: &'static Slow,
        begun: mpsc::Sender<()>,
    }

    impl Write for Handle {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.begun.send(());
            let mut is_open = self.slow.is_open.lock().unwrap();
            while !*is_open {
                is_open = self.slow.opened.wait(is_open).unwrap();
            }
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            self.slow.writes.lock().unwrap().push(text);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_stderr_that_nobody_reads_holds_up_nobody_and_what_was_dropped_is_told() {
        static SLOW: Slow = Slow::new();
        static BEGUN: Mutex<Option<mpsc::Sender<()>>> = Mutex::new(None);
        static QUEUE: Queue = Queue::new(25, || {
            Box::new(Handle {
                slow: &SLOW,
                begun: BEGUN.lock().unwrap().take().unwrap(),
            })
        });
        let (sender, begun) = mpsc::channel();
        *BEGUN.lock().unwrap() = Some(sender);

        QUEUE.push(b"the first\n");
        begun.recv().unwrap();
        // It is on its way out, and stderr takes nothing.
        for number in 2..10 {
            QUEUE.push(format!("line {number}\n").as_bytes());
        }
        QUEUE.flush(Duration::from_millis(1));
        assert!(SLOW.writes().is_empty());
        SLOW.open();
        QUEUE.flush(LONG);
        let writes = SLOW.writes();
        assert_eq!(writes.len(), 2, "{writes:?}");
        assert_eq!(writes[0], "the first\n");
        // Three lines of seven bytes had room; they leave at once, and whole.
        let (lines, told) = writes[1].split_at(21);
        assert_eq!(lines, "line 2\nline 3\nline 4\n");
        let told: serde_json::Value = serde_json::from_str(told).unwrap();
        assert_eq!(told["dropped"], 5);

        QUEUE.push(b"the last\n");
        QUEUE.flush(LONG);
        assert_eq!(SLOW.writes()[2..], ["the last\n"]);
    }

    #[test]
    fn a_stderr_that_asks_to_wait_is_tried_again_and_a_broken_one_is_left() {
        struct Odd(Vec<io::Result<usize>>, Vec<u8>);

        impl Write for Odd {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let count = self.0.remove(0)?;
                self.1.extend_from_slice(&bytes[..count]);
                Ok(count)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let wait = || Err(io::ErrorKind::WouldBlock.into());
        let mut odd = Odd(
            vec![Ok(2), wait(), Err(io::ErrorKind::Interrupted.into()), Ok(3)],
            Vec::new(),
        );
        write_patiently(&mut odd, b"hello").unwrap();
        assert_eq!(odd.1, b"hello");
        let mut broken = Odd(vec![Err(io::ErrorKind::BrokenPipe.into())], Vec::new());
        assert!(write_patiently(&mut broken, b"hello").is_err());
    }
}
