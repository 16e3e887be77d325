//! Connecting, and what a role must not be allowed to do.
//!
//! A read-only transaction stops SQL that writes. It does not stop a function
//! that reads the server's files or opens a connection of its own: only the
//! role's rights do. So a role that can do more than read is refused, or
//! reported in the log.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mcp_kit::guard::Sensitive;
use tokio::{task::JoinHandle, time::timeout};
use tokio_postgres::{Client, NoTls, config::Config, config::SslMode};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::stream::{self, Limited, Stream};
use crate::limits;

/// Why there is no connection. For operators: no text has the URL or a part of
/// it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresSetupError {
    /// The URL cannot be read.
    #[error(
        "the PostgreSQL URL is wrong: write postgres://user:password@host:5432/database, with special characters percent-encoded"
    )]
    Url,
    /// The server did not accept the connection.
    #[error("no connection to PostgreSQL")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The role could do more than read.
    #[error(
        "the PostgreSQL role has the rights of {0}, which are more than reading needs: use a role that can only read (CREATE ROLE … LOGIN; GRANT pg_read_all_data TO …, or GRANT SELECT on single tables)"
    )]
    Role(String),
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PostgresSetupError {
    PostgresSetupError::Connect(error.into())
}

/// How to reach the server.
pub(super) struct Link {
    config: Config,
    tls: Arc<ClientConfig>,
}

impl Link {
    pub(super) fn new(
        url: &Sensitive<String>,
        query_time: Duration,
    ) -> Result<Self, PostgresSetupError> {
        // Certificates are always verified, so `require` is `verify-full`.
        let url = url
            .expose_secret()
            .replace("sslmode=verify-full", "sslmode=require");
        let mut config: Config = url.parse().map_err(|_| PostgresSetupError::Url)?;
        // The database's own limits end what this process could not cancel.
        let most = (query_time + limits::WAIT_TIME).as_millis();
        let lock = limits::WAIT_TIME.as_millis();
        let options = config.get_options().unwrap_or_default();
        let options = format!(
            "{options} -c default_transaction_read_only=on -c statement_timeout={most} -c lock_timeout={lock} -c idle_in_transaction_session_timeout={most} -c DateStyle=ISO -c IntervalStyle=iso_8601 -c TimeZone=UTC -c bytea_output=hex -c extra_float_digits=1"
        );
        config.options(options);
        if config.get_application_name().is_none() {
            config.application_name("mcp database");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            config,
            tls: Arc::new(tls),
        })
    }

    /// A stream to the server, on which nothing was sent.
    pub(super) async fn open(&self) -> io::Result<Box<dyn Stream>> {
        stream::open(&self.config, &self.tls).await
    }

    /// A connection that was checked.
    pub(super) async fn session(&self) -> Result<Session, PostgresSetupError> {
        let session = timeout(limits::WAIT_TIME * 2, self.unchecked()).await;
        let session = session.map_err(failed)??;
        let role = rights(&session.client).await.map_err(failed)?;
        match role {
            Some(rights) => Err(PostgresSetupError::Role(rights)),
            None => Ok(session),
        }
    }

    async fn unchecked(&self) -> Result<Session, PostgresSetupError> {
        let stream = self.open().await.map_err(failed)?;
        let large_row = Arc::new(AtomicBool::new(false));
        let stream = Limited::new(stream, Arc::clone(&large_row));
        // The stream is encrypted already if it has to be.
        let mut config = self.config.clone();
        config.ssl_mode(SslMode::Disable);
        let (client, connection) = config.connect_raw(stream, NoTls).await.map_err(failed)?;
        let connection = tokio::spawn(async move {
            let _ = connection.await; // the client's calls report why it ended
        });
        // Ends the query of a process that was killed. Not every system has it.
        let _ = client
            .batch_execute("SET client_connection_check_interval = '500ms'")
            .await;
        Ok(Session {
            client,
            large_row,
            connection,
        })
    }
}

/// A connection to the server, which is closed on drop.
pub(super) struct Session {
    pub(super) client: Client,
    large_row: Arc<AtomicBool>,
    connection: JoinHandle<()>,
}

impl Session {
    /// Whether the connection broke off since a row was too large.
    pub(super) fn met_large_row(&self) -> bool {
        self.large_row.load(Ordering::Relaxed)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// The rights of the role that reading does not need, its own or those of a role that it can become.
async fn rights(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    const RIGHTS: &str = "
        SELECT pg_catalog.string_agg(CASE WHEN rolsuper THEN 'a superuser' WHEN rolreplication THEN 'replication' ELSE rolname::text END, ', ')
        FROM pg_catalog.pg_roles
        WHERE (rolsuper OR rolreplication OR rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))
          AND pg_catalog.pg_has_role(session_user, oid, 'MEMBER')";
    client.query_one(RIGHTS, &[]).await?.try_get(0)
}

/// Reports rights that only the read-only transaction keeps from being used.
pub(super) async fn warn_about(client: &Client) -> Result<(), PostgresSetupError> {
    const WRITABLE: &str = "
        SELECT pg_catalog.count(*) FROM pg_catalog.pg_class
        WHERE relkind IN ('r', 'p', 'v', 'f') AND relnamespace::pg_catalog.regnamespace::text NOT IN ('pg_catalog', 'information_schema')
          AND pg_catalog.has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE')";
    // C code and SECURITY DEFINER can act outside of the transaction or with
    // other rights, and some built-in functions reach the server's files.
    const FUNCTIONS: &str = "
        SELECT pg_catalog.left(pg_catalog.string_agg(DISTINCT p.proname::text, ', '), 500)
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
        WHERE p.provolatile = 'v' AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
          AND CASE WHEN p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
              THEN p.proname IN ('lo_export', 'lo_import', 'pg_ls_dir', 'pg_read_binary_file', 'pg_read_file', 'pg_reload_conf', 'pg_stat_file')
              ELSE p.prosecdef OR NOT l.lanpltrusted END";
    let row = client.query_one(WRITABLE, &[]).await.map_err(failed)?;
    let tables: i64 = row.try_get(0).map_err(failed)?;
    if tables > 0 {
        tracing::warn!(
            tables,
            "the PostgreSQL role can write to tables, so only the read-only transaction protects them: use a role that has only SELECT"
        );
    }
    let row = client.query_one(FUNCTIONS, &[]).await.map_err(failed)?;
    if let Some(functions) = row.try_get::<_, Option<String>>(0).map_err(failed)? {
        tracing::warn!(
            functions,
            "the PostgreSQL role can execute functions that may act outside of the read-only transaction: REVOKE EXECUTE where readers do not need them"
        );
    }
    Ok(())
}

pub(super) async fn version(client: &Client) -> Result<String, PostgresSetupError> {
    let row = client.query_one("SHOW server_version", &[]).await;
    row.and_then(|row| row.try_get(0)).map_err(failed)
}
