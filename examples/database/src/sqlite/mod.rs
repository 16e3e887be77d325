//! SQLite, on threads of its own.
//!
//! SQLite blocks, so no query runs on the runtime's workers, nor on the pool
//! that blocking tools share: a few threads, each with a connection, take jobs
//! from a short queue. A full queue refuses at once.
//!
//! ```text
//! query() ──try_send──▶ queue ──▶ thread: connection, progress handler
//!    │ dropped: stop flag ─────────────────▲ asks every 1,000 steps
//! ```

mod catalog;
mod functions;
mod open;
mod read;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{Database, DatabaseError, Description, Page, Query, Table, limits};

/// How many steps of SQLite's machine pass between two looks at the clock and
/// the stop flag: some microseconds.
const STEPS: i32 = 1_000;

/// An SQLite database.
pub struct Sqlite {
    jobs: SyncSender<Job>,
    dialect: String,
    query_time: Duration,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Where the database comes from.
#[derive(Clone)]
enum Source {
    File(PathBuf),
    Sample,
}

impl Sqlite {
    /// Opens a file for reading.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or is not a SQLite database.
    pub fn open(path: &Path) -> Result<Self, rusqlite::Error> {
        Self::start(&Source::File(path.to_owned()))
    }

    /// The sample database: a small shop, in memory.
    ///
    /// # Errors
    ///
    /// When SQLite fails.
    pub fn sample() -> Result<Self, rusqlite::Error> {
        Self::start(&Source::Sample)
    }

    fn start(source: &Source) -> Result<Self, rusqlite::Error> {
        let (jobs, queue) = sync_channel(limits::QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..limits::CONNECTIONS {
            let connection = open::connection(source)?;
            let queue = Arc::clone(&queue);
            thread::spawn(move || work(connection, &queue));
        }
        Ok(Self {
            jobs,
            dialect: format!("SQLite {}", rusqlite::version()),
            query_time: limits::QUERY_TIME,
        })
    }

    /// The longest time of one query, in place of [`limits::QUERY_TIME`].
    #[must_use]
    pub fn query_time(mut self, time: Duration) -> Self {
        self.query_time = time;
        self
    }

    /// Runs `work` on one of the threads. The work is stopped after the query
    /// time, or when the returned future is dropped.
    async fn run<T, F>(&self, work: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, DatabaseError> + Send + 'static,
    {
        let limit = self.query_time;
        let stop = StopOnDrop::default();
        let stopped = Arc::clone(&stop.0);
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |connection: &mut Connection| {
            if stopped.load(Ordering::Relaxed) {
                return;
            }
            let began = Instant::now();
            let must_stop = move || stopped.load(Ordering::Relaxed) || began.elapsed() >= limit;
            let outcome = connection
                .progress_handler(STEPS, Some(must_stop))
                .map_err(DatabaseError::internal)
                .and_then(|()| work(connection));
            // SQLite's own error only reports that it was interrupted.
            let outcome = outcome.map_err(|error| match began.elapsed() {
                ran if ran >= limit => DatabaseError::Timeout(limit),
                _ => error,
            });
            let _ = answer.send(outcome); // the caller may have left
        });
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => DatabaseError::Busy,
            TrySendError::Disconnected(_) => DatabaseError::internal("SQLite's threads ended"),
        })?;
        answered
            .await
            .map_err(|_| DatabaseError::internal("the query's thread panicked"))?
    }
}

/// Stops the query when its future is dropped.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A thread's work, until the [`Sqlite`] is dropped.
fn work(mut connection: Connection, queue: &Mutex<Receiver<Job>>) {
    loop {
        // The lock is held while waiting: the thread that has it gets the next job.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else {
            return;
        };
        // A panic drops the job's answer, which the caller sees; the thread goes on.
        let _ = catch_unwind(AssertUnwindSafe(|| job(&mut connection)));
    }
}

#[async_trait]
impl Database for Sqlite {
    fn dialect(&self) -> &str {
        &self.dialect
    }

    async fn tables(&self, part: &str, limit: u32) -> Result<Vec<Table>, DatabaseError> {
        let part = part.to_owned();
        self.run(move |connection| catalog::tables(connection, &part, limit))
            .await
    }

    async fn describe(&self, table: &str) -> Result<Option<Description>, DatabaseError> {
        let table = table.to_owned();
        self.run(move |connection| catalog::describe(connection, &table))
            .await
    }

    async fn query(&self, query: Query) -> Result<Page, DatabaseError> {
        self.run(move |connection| read::page(connection, &query))
            .await
    }

    async fn is_ready(&self) -> bool {
        !matches!(self.tables("", 1).await, Err(DatabaseError::Internal(_)))
    }
}
