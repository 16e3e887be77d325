//! The server with databases that answer late, in paused time.

mod support;

use std::time::Duration;

use async_trait::async_trait;
use database::{
    Cursors, Database, DatabaseError, Db, Description, Page, Query, Table, database_server, limits,
};
use mcp_kit::testing::TestClient;
use support::refusal;

/// Every step takes its longest time: a free connection, connecting, the query.
struct Slow(Duration);

#[async_trait]
impl Database for Slow {
    fn dialect(&self) -> &str {
        "slow"
    }

    async fn tables(&self, _: &str, _: u32) -> Result<Vec<Table>, DatabaseError> {
        Ok(Vec::new())
    }

    async fn describe(&self, _: &str) -> Result<Option<Description>, DatabaseError> {
        Ok(None)
    }

    async fn query(&self, _: Query) -> Result<Page, DatabaseError> {
        tokio::time::sleep(limits::WAIT_TIME + limits::CONNECT_TIME + self.0).await;
        Err(DatabaseError::Timeout(self.0))
    }

    async fn is_ready(&self) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn the_databases_own_time_limit_comes_before_the_calls_time_limit() {
    for query_time in [Duration::from_secs(1), limits::QUERY_TIME] {
        let cursors = Cursors::new().expect("random numbers");
        let server = database_server(Db::new(Slow(query_time)), cursors, query_time);
        let client = TestClient::new(&server.expect("a server")).await;
        let text = refusal(&client, "SELECT 1").await;
        assert!(text.contains("The query was cancelled after"), "{text}");
    }
}
