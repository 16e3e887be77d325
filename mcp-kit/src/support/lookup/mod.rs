//! Runs the server's own blocking work: reading files, looking up names.
//!
//! tokio's pool for blocking work belongs to the tools. Tools that wait for a
//! dead backend fill all of its threads, and all work queued behind them waits
//! as long as they do. Whether a key was revoked, or where an issuer is, must
//! not wait for a tool; so this work has a few threads of its own.
//!
//! ```text
//! a request ──► Lane::run ──► a thread of the lane runs the work
//!      ▲                                  │ a result, or none within the patience
//!      └──────────────────────────────────┘
//! ```
//!
//! Each kind of work has a [`Lane`], so that a file system that does not answer
//! keeps no name from being looked up. Threads start when they are first needed
//! and then stay. Work that hangs keeps its thread; a lane whose work all hangs
//! refuses more of it at once, and never grows.

#[cfg(any(feature = "net", feature = "oauth", feature = "redis"))]
mod names;

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::support::lock::Lock;
use crate::support::threads;

#[cfg(any(feature = "oauth", feature = "redis"))]
pub(crate) use names::addresses;
#[cfg(feature = "net")]
pub(crate) use names::addresses_for_client;

/// Reads files of keys and certificates. Many may be read at the same moment:
/// only reads that hang should fill the lane.
#[cfg(any(feature = "http", feature = "net"))]
pub(crate) static FILES: Lane = Lane::new("mcp-files", 16);

/// Threads for one kind of work that may block.
pub(crate) struct Lane {
    name: &'static str,
    /// How many pieces of work run at once. There are twice as many threads:
    /// waiting for a result with a time limit also takes one.
    most: usize,
    state: Lock<LaneState>,
}

struct LaneState {
    jobs: VecDeque<Job>,
    /// Work that was accepted and has not ended.
    open: usize,
    /// Jobs that have a thread or need one. A thread that only has to report
    /// its result already counts as free, so quick work, one piece after
    /// another, starts no second thread.
    unfinished: usize,
    threads: usize,
    /// Idle threads. The last one that became idle is used first, since its
    /// caches are warm.
    idle: Vec<Thread>,
}

type Job = Box<dyn FnOnce() + Send>;

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfinished {
    /// The work takes longer than its caller waits. It continues.
    Slow,
    /// As much work of this kind hangs as may run at once.
    Full,
    /// The work panicked, or the operating system could not start a thread for
    /// it.
    Failed,
}

impl Lane {
    pub(crate) const fn new(name: &'static str, most: usize) -> Self {
        Self {
            name,
            most,
            state: Lock::new(LaneState {
                jobs: VecDeque::new(),
                open: 0,
                unfinished: 0,
                threads: 0,
                idle: Vec::new(),
            }),
        }
    }

    /// Runs `work` and waits for its result, for `patience` of real time: a
    /// paused clock of tokio does not shorten it.
    ///
    /// Work that takes a fraction of a millisecond, as most does, is waited for
    /// in place. That is quicker than being woken, and lets no paused clock
    /// jump ahead meanwhile.
    #[cfg(any(feature = "http", feature = "net"))]
    pub(crate) async fn run<T: Send + 'static>(
        &'static self,
        patience: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        let (tell, told) = mpsc::sync_channel(1);
        self.start(move || {
            let _ = tell.send(work());
        })?;
        if let Some(outcome) = wait_in_place(&told, patience) {
            return outcome;
        }
        let (tell, later) = oneshot::channel();
        self.state.lock().unfinished += 1;
        let waiting = Unended {
            lane: self,
            is_work: false,
        };
        self.push(Box::new(move || {
            let result = told.recv_timeout(patience);
            drop(waiting);
            let _ = tell.send(result);
        }))?;
        match later.await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(RecvTimeoutError::Timeout)) => Err(Unfinished::Slow),
            Ok(Err(RecvTimeoutError::Disconnected)) | Err(_) => Err(Unfinished::Failed),
        }
    }

    /// Runs `work` and waits for its result, however long it takes. Dropping the future
    /// does not end the work.
    ///
    /// A worker of the runtime does not wait in place, as in [`Lane::run`]: much of this work
    /// may run at once, and each piece of it may take as long as a disk does.
    #[cfg(any(feature = "fs", feature = "process"))]
    pub(crate) async fn finish<T: Send + 'static>(
        &'static self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        let (tell, told) = mpsc::sync_channel(1);
        let (wake, woken) = oneshot::channel::<()>();
        let begun = tokio::time::Instant::now();
        let open = self.admit()?;
        self.push(Box::new(move || {
            let result = work();
            // Before the caller wakes, which may have more work at once.
            drop(open);
            let _ = tell.send(result);
            let _ = wake.send(());
        }))?;
        // Probably a paused clock, which must not advance meanwhile.
        if begun.elapsed().is_zero()
            && let Some(outcome) = wait_in_place(&told, Duration::MAX)
        {
            return outcome;
        }
        // Also wakes, with an error, if the work panicked.
        let _ = woken.await;
        told.try_recv().map_err(|_| Unfinished::Failed)
    }

    /// Starts `work` without waiting for its result.
    #[cfg(any(feature = "http", feature = "net", feature = "process"))]
    pub(crate) fn start(
        &'static self,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), Unfinished> {
        let open = self.admit()?;
        self.push(Box::new(move || {
            let _open = open;
            work();
        }))
    }

    /// Counts work until the result is dropped, also if the work panics or is
    /// dropped before it starts.
    fn admit(&'static self) -> Result<Unended, Unfinished> {
        let mut state = self.state.lock();
        if state.open >= self.most {
            return Err(Unfinished::Full);
        }
        state.open += 1;
        state.unfinished += 1;
        Ok(Unended {
            lane: self,
            is_work: true,
        })
    }

    fn push(&'static self, job: Job) -> Result<(), Unfinished> {
        let mut state = self.state.lock();
        state.jobs.push_back(job);
        if let Some(idle) = state.idle.pop() {
            drop(state);
            idle.unpark();
        } else if state.threads < state.unfinished.min(2 * self.most) {
            let serve = Box::new(|| self.serve());
            if threads::start(self.name, None, serve).is_err() {
                let job = state.jobs.pop_back();
                drop(state);
                drop(job);
                return Err(Unfinished::Failed);
            }
            state.threads += 1;
        }
        // Otherwise a thread that reports its result looks for the next job
        // afterwards.
        Ok(())
    }

    fn serve(&self) {
        let mut state = self.state.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                // A task that waits for the job finds that there is no result.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.state.lock();
                continue;
            }
            state.idle.push(thread::current());
            drop(state);
            thread::park();
            state = self.state.lock();
            // A spurious wake-up leaves it in the list.
            let this = thread::current().id();
            state.idle.retain(|idle| idle.id() != this);
        }
    }
}

/// A job that has not ended: accepted work, or a wait for its result.
struct Unended {
    lane: &'static Lane,
    is_work: bool,
}

impl Drop for Unended {
    fn drop(&mut self) {
        let mut state = self.lane.state.lock();
        state.unfinished -= 1;
        state.open -= usize::from(self.is_work);
    }
}

/// Waits for work that is about to end; `None` if it is not.
fn wait_in_place<T>(told: &Receiver<T>, patience: Duration) -> Option<Result<T, Unfinished>> {
    /// How long a worker of the runtime is blocked for it.
    const BRIEF: Duration = Duration::from_millis(1);
    let begun = tokio::time::Instant::now();
    let outcome = match told.recv_timeout(BRIEF) {
        // A clock that does not advance is a paused one, on a runtime of one
        // thread that would treat the wait as idleness, and advance the clock
        // to the next timer.
        Err(RecvTimeoutError::Timeout) if begun.elapsed().is_zero() => told.recv_timeout(patience),
        Err(RecvTimeoutError::Timeout) => return None,
        outcome => outcome,
    };
    Some(outcome.map_err(|error| match error {
        RecvTimeoutError::Timeout => Unfinished::Slow,
        RecvTimeoutError::Disconnected => Unfinished::Failed,
    }))
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slow => "no answer in time",
            Self::Full => "too much work of this kind hangs already",
            Self::Failed => "no thread could be started for it, or it panicked",
        })
    }
}

impl std::error::Error for Unfinished {}

#[cfg(all(test, any(feature = "http", feature = "net")))]
mod tests {
    #[cfg(any(feature = "fs", feature = "process"))]
    use std::sync::Barrier;
    use std::sync::mpsc::channel;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn work_ends_with_its_result_whether_it_is_quick_or_not() {
        static LANE: Lane = Lane::new("test", 2);
        assert_eq!(LANE.run(LONG, || 7).await, Ok(7));
        let (go, gate) = channel::<()>();
        let slow = tokio::spawn(LANE.run(LONG, move || gate.recv().is_ok()));
        // It does not block the thread of the test.
        tokio::task::yield_now().await;
        go.send(()).unwrap();
        assert_eq!(slow.await.unwrap(), Ok(true));
        let panicked = LANE.run(LONG, || panic!("on purpose")).await;
        assert_eq!(panicked, Err::<(), _>(Unfinished::Failed));
        assert_eq!(LANE.run(LONG, || 8).await, Ok(8));
    }

    #[tokio::test]
    async fn work_that_hangs_takes_its_thread_and_no_other_lane() {
        static HUNG: Lane = Lane::new("hung", 1);
        static OTHER: Lane = Lane::new("other", 1);
        let (go, gate) = channel::<()>();
        let brief = Duration::from_millis(5);
        let slow = HUNG.run(brief, move || gate.recv().is_ok()).await;
        assert_eq!(slow, Err(Unfinished::Slow));
        assert_eq!(HUNG.run(brief, || 7).await, Err(Unfinished::Full));
        assert_eq!(OTHER.run(LONG, || 7).await, Ok(7));
        drop(go);
        // The blocked work has ended, and there is room again.
        loop {
            match HUNG.run(LONG, || 7).await {
                Err(Unfinished::Full) => tokio::task::yield_now().await,
                outcome => break assert_eq!(outcome, Ok(7)),
            }
        }
    }

    #[cfg(any(feature = "fs", feature = "process"))]
    #[tokio::test]
    async fn work_that_follows_other_work_has_the_same_thread() {
        static LANE: Lane = Lane::new("warm", 16);
        let first = LANE.finish(|| thread::current().id()).await;
        for _ in 0..1000 {
            assert_eq!(LANE.finish(|| thread::current().id()).await, first);
        }
        // Work that only ends together with other work has a thread each.
        static BOTH: Barrier = Barrier::new(2);
        let meet = || BOTH.wait().is_leader();
        let (one, other) = tokio::join!(LANE.finish(meet), LANE.finish(meet));
        assert_ne!(one, other);
    }

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_does_not_move_meanwhile() {
        static LANE: Lane = Lane::new("paused", 1);
        let begun = tokio::time::Instant::now();
        let timer = tokio::spawn(tokio::time::sleep(LONG));
        let work = LANE.run(LONG, || std::thread::sleep(Duration::from_millis(20)));
        assert_eq!(work.await, Ok(()));
        assert!(begun.elapsed().is_zero() && !timer.is_finished());
    }
}
