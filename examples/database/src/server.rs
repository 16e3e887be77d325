//! Puts a database and the tools together.

use std::time::Duration;

use mcp_kit::{Server, server::BuildError};

use crate::{
    Cursors, Db, limits,
    tools::{describe_table, list_tables, query},
};

/// A server that reads `database`, whose queries run for at most `query_time`.
///
/// # Errors
///
/// When mcp-kit finds something wrong with the tools.
pub fn database_server(
    database: Db,
    cursors: Cursors,
    query_time: Duration,
) -> Result<Server, BuildError> {
    // The database's own limits come first, since their messages advise the
    // client: a free connection, connecting, the query. A second is for the rest.
    let timeout = limits::WAIT_TIME + limits::CONNECT_TIME + query_time + Duration::from_secs(1);
    let ready = database.clone();
    Server::builder("database", env!("CARGO_PKG_VERSION"))
        .instructions(format!(
            "The database is {}. list_tables and describe_table show what it has, query reads it. Queries are cancelled after {query_time:?}.",
            database.dialect()
        ))
        .limits(|server| server.calls_per_principal = limits::CALLS_PER_CALLER)
        .state(database)
        .state(cursors)
        .tool_with::<list_tables>(|tool| tool.timeout(timeout))
        .tool_with::<describe_table>(|tool| tool.timeout(timeout))
        .tool_with::<query>(|tool| tool.timeout(timeout))
        .http(|http| {
            http.ready_check("database", move || {
                let database = ready.clone();
                async move { database.is_ready().await }
            })
        })
        .build()
}
