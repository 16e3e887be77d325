//! PostgreSQL, by URL.
//!
//! Each call has a connection of its own, with one read-only transaction, and
//! closes it: nothing that a query leaves (settings, locks, prepared
//! statements) reaches the next caller. A connection costs a few milliseconds.
//!
//! ```text
//! query() ── permit ── connect, check the role ── START TRANSACTION READ ONLY
//!    │                     DECLARE … FOR <the query> ── MOVE ── FETCH ── close
//!    │ dropped or too late: cancel request on a second connection, close
//! ```

mod catalog;
mod connect;
mod read;
mod stream;
mod values;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use mcp_kit::guard::Sensitive;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{Database, DatabaseError, Description, Page, Query, Table, error::LARGE_ROW, limits};
use connect::{Link, Session};

pub use connect::PostgresSetupError;

/// A PostgreSQL database.
pub struct Postgres {
    link: Arc<Link>,
    permits: Arc<Semaphore>,
    dialect: String,
    query_time: Duration,
}

impl Postgres {
    /// Connects once, to check the URL and what the role may do. `query_time`
    /// is the longest time of one query.
    ///
    /// # Errors
    ///
    /// When the URL is wrong, the server cannot be reached, or the role could do
    /// more than read. The texts do not have the URL.
    pub async fn connect(
        url: &Sensitive<String>,
        query_time: Duration,
    ) -> Result<Self, PostgresSetupError> {
        let link = Link::new(url, query_time)?;
        let session = link.session().await?;
        connect::warn_about(&session.client).await?;
        Ok(Self {
            dialect: format!("PostgreSQL {}", connect::version(&session.client).await?),
            link: Arc::new(link),
            permits: Arc::new(Semaphore::new(limits::CONNECTIONS)),
            query_time,
        })
    }

    /// A connection for one call.
    async fn start(&self) -> Result<Running, DatabaseError> {
        let permit = timeout(limits::WAIT_TIME, Arc::clone(&self.permits).acquire_owned());
        let permit = permit.await.map_err(|_| DatabaseError::Busy)?;
        let permit = permit.map_err(DatabaseError::internal)?;
        let session = self.link.session().await.map_err(DatabaseError::internal)?;
        Ok(Running {
            work: Some((session, permit)),
            link: Arc::clone(&self.link),
            limit: self.query_time,
        })
    }
}

/// A call that may be at work in the database. Dropped before its end, it
/// cancels there.
struct Running {
    work: Option<(Session, OwnedSemaphorePermit)>,
    link: Arc<Link>,
    limit: Duration,
}

impl Running {
    /// Runs `work` to its end, or cancels it when its time is over.
    async fn run<T>(
        mut self,
        work: impl AsyncFnOnce(&Session) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let Some((session, _)) = &self.work else {
            return Err(DatabaseError::internal("a connection is used once"));
        };
        let outcome = timeout(self.limit, work(session)).await;
        let outcome = outcome.map_err(|_| DatabaseError::Timeout(self.limit))?;
        let outcome = if session.met_large_row() {
            Err(LARGE_ROW)
        } else {
            outcome
        };
        self.work = None;
        outcome
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some((session, permit)) = self.work.take() else {
            return;
        };
        // Without a runtime the process ends. PostgreSQL then sees the closed
        // connection (client_connection_check_interval).
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let link = Arc::clone(&self.link);
        runtime.spawn(async move {
            link.cancel(&session).await;
            drop((session, permit));
        });
    }
}

#[async_trait]
impl Database for Postgres {
    fn dialect(&self) -> &str {
        &self.dialect
    }

    async fn tables(&self, part: &str, limit: u32) -> Result<Vec<Table>, DatabaseError> {
        let running = self.start().await?;
        running
            .run(async |session| catalog::tables(&session.client, part, limit).await)
            .await
    }

    async fn describe(&self, table: &str) -> Result<Option<Description>, DatabaseError> {
        let running = self.start().await?;
        running
            .run(async |session| catalog::describe(&session.client, table).await)
            .await
    }

    async fn query(&self, query: Query) -> Result<Page, DatabaseError> {
        let running = self.start().await?;
        running
            .run(async |session| read::page(session, &query).await)
            .await
    }

    async fn is_ready(&self) -> bool {
        match self.start().await {
            // To its end, or it would be cancelled on drop.
            Ok(running) => running.run(async |_| Ok(())).await.is_ok(),
            Err(error) => matches!(error, DatabaseError::Busy),
        }
    }
}
