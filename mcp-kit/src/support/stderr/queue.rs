//! The queue of lines: limited in size, and never waited for.

use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::stderr::dropped_lines;
use crate::support::threads;

/// A buffer of lines that grew larger than this, in bytes, is freed once it is
/// written.
const KEPT_BUFFER: usize = 64 * 1024;

/// The pause after an output accepts nothing and cannot be waited for.
const RETRY: Duration = Duration::from_millis(10);

/// How often an output without lines to write is checked.
const LOOK: Duration = Duration::from_secs(1);

thread_local! {
    /// Flushes if a thread that logged ends the process: `exit` runs the
    /// destructors of its thread.
    static AT_EXIT: Flush = const { Flush };
}

struct Flush;

impl Drop for Flush {
    fn drop(&mut self) {
        super::flush();
    }
}

/// The destination of lines.
pub(crate) trait Output: Write + Send {
    /// Called while there is nothing to write; returns whether to call it
    /// again.
    fn look(&mut self) -> bool {
        false
    }
}

pub(crate) struct Queue {
    room: usize,
    open: fn() -> Box<dyn Output>,
    state: Mutex<State>,
    /// Signalled when lines are added.
    filled: Condvar,
    /// Signalled when lines are written.
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
    pub(super) const fn new(room: usize, open: fn() -> Box<dyn Output>) -> Self {
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
    pub(crate) fn push(&'static self, line: &[u8]) {
        // A thread that is ending already needs no flush.
        let _ = AT_EXIT.try_with(|_| {});
        let mut state = self.lock();
        if state.waiting.len() + line.len() > self.room {
            state.dropped += 1;
            return;
        }
        state.waiting.extend_from_slice(line);
        self.run_thread(&mut state);
        if state.is_idle {
            state.is_idle = false;
            drop(state);
            self.filled.notify_one();
        }
    }

    /// Starts the thread even though there is no line yet.
    #[cfg(feature = "stdio")]
    pub(super) fn start(&'static self) {
        self.run_thread(&mut self.lock());
    }

    fn run_thread(&'static self, state: &mut State) {
        if !state.is_running {
            // Without a thread the lines wait; the next one tries again.
            let run = Box::new(|| self.run());
            state.is_running = threads::start("mcp-log", Some(128 * 1024), run).is_ok();
        }
    }

    /// Waits until the present lines are written, or until the given time.
    pub(super) fn flush(&self, until: Instant) {
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
        let mut is_looked_at = true;
        loop {
            if self.next(&mut batch, is_looked_at) {
                // A stderr that is closed or broken accepts nothing: the lines
                // are lost, and there is nowhere to report it.
                #[cfg(feature = "cli")]
                let _ = super::status::above_status(&mut batch, |lines| {
                    write_patiently(&mut *output, lines)
                });
                #[cfg(not(feature = "cli"))]
                let _ = write_patiently(&mut *output, &batch);
            } else {
                is_looked_at = output.look();
            }
        }
    }

    /// Waits for lines and swaps them for the batch that was written. Returns
    /// false if none arrived for a while and the output must be checked.
    fn next(&self, batch: &mut Vec<u8>, is_looked_at: bool) -> bool {
        batch.clear();
        if batch.capacity() > KEPT_BUFFER {
            *batch = Vec::new();
        }
        let mut state = self.lock();
        state.is_writing = false;
        self.written.notify_all();
        while state.waiting.is_empty() {
            state.is_idle = true;
            if is_looked_at {
                let waited = self.filled.wait_timeout(state, LOOK);
                let (after, waited) = waited.unwrap_or_else(PoisonError::into_inner);
                state = after;
                if waited.timed_out() && state.waiting.is_empty() {
                    return false;
                }
            } else {
                state = (self.filled.wait(state)).unwrap_or_else(PoisonError::into_inner);
            }
        }
        state.is_idle = false;
        state.is_writing = true;
        std::mem::swap(&mut state.waiting, batch);
        let dropped = std::mem::take(&mut state.dropped);
        drop(state);
        if dropped > 0 {
            batch.extend_from_slice(dropped_lines(dropped).as_bytes());
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes everything. A stderr that another process made non-blocking is tried
/// repeatedly: this thread has nothing better to do.
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A stderr that accepts nothing until it is released, and remembers the
    /// content of each write.
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

    impl Output for Handle {}

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn a_stderr_that_is_not_read_holds_up_no_writer_and_dropped_lines_are_counted() {
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
        // It is on its way out, and stderr is blocked.
        for number in 2..10 {
            QUEUE.push(format!("line {number}\n").as_bytes());
        }
        QUEUE.flush(Instant::now() + Duration::from_millis(1));
        assert!(SLOW.writes().is_empty());
        SLOW.open();
        QUEUE.flush(soon());
        let writes = SLOW.writes();
        assert_eq!(writes.len(), 2, "{writes:?}");
        assert_eq!(writes[0], "the first\n");
        // Three lines of seven bytes had room; they leave at once, and whole.
        let (lines, told) = writes[1].split_at(21);
        assert_eq!(lines, "line 2\nline 3\nline 4\n");
        assert!(told.contains('5'), "{told}");

        QUEUE.push(b"the last\n");
        QUEUE.flush(soon());
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
