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

use super::stream::{self, Limited, Peer, Stream};
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
    /// The URL has a setting that this server does not support.
    #[error(
        "the PostgreSQL URL has the setting {0}, which this server does not support: remove it"
    )]
    Setting(&'static str),
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

/// Settings of libpq's URLs that have no effect here, so that a URL that has one
/// promises what does not happen. No text but these appears in an error, since a
/// part of the URL could be one of its secrets.
const UNSUPPORTED: &[&str] = &[
    "channel_binding",
    "gssencmode",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "passfile",
    "require_auth",
    "requirepeer",
    "service",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslnegotiation",
    "sslpassword",
    "sslrootcert",
    "target_session_attrs",
    "tcp_user_timeout",
];

/// How to reach the server.
pub(super) struct Link {
    config: Config,
    tls: Arc<ClientConfig>,
    /// The SQL that sets [`Session::limits`].
    limits: String,
}

impl Link {
    pub(super) fn new(
        url: &Sensitive<String>,
        query_time: Duration,
    ) -> Result<Self, PostgresSetupError> {
        if let Some(name) = unsupported(url.expose_secret()) {
            return Err(PostgresSetupError::Setting(name));
        }
        // Certificates are always verified, so `require` is `verify-full`.
        let url = url
            .expose_secret()
            .replace("sslmode=verify-full", "sslmode=require");
        let mut config: Config = url.parse().map_err(|_| PostgresSetupError::Url)?;
        let (hosts, addresses) = (config.get_hosts().len(), config.get_hostaddrs().len());
        if hosts > 0 && addresses > 0 && hosts != addresses {
            return Err(PostgresSetupError::Url);
        }
        // The database's own limits end what this process could not cancel.
        let most = (query_time + limits::WAIT_TIME).as_millis();
        let lock = limits::WAIT_TIME.as_millis();
        let mut options = config.get_options().unwrap_or_default().to_owned();
        options.push_str(" -c default_transaction_read_only=on -c DateStyle=ISO -c IntervalStyle=iso_8601 -c TimeZone=UTC -c bytea_output=hex -c extra_float_digits=1");
        let mut limits = String::new();
        for (name, milliseconds) in [
            ("statement_timeout", most),
            ("lock_timeout", lock),
            ("idle_in_transaction_session_timeout", most),
        ] {
            options.push_str(&format!(" -c {name}={milliseconds}"));
            limits.push_str(&format!("SET LOCAL {name} = {milliseconds}; "));
        }
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
            limits,
        })
    }

    /// A stream to the first server that answers, on which no SQL was sent.
    pub(super) async fn open(&self) -> io::Result<(Peer, Box<dyn Stream>)> {
        stream::open(&self.config, &self.tls).await
    }

    /// A connection that was checked, within [`limits::CONNECT_TIME`].
    pub(super) async fn session(&self) -> Result<Session, PostgresSetupError> {
        let checked = async {
            let session = self.unchecked().await?;
            match rights(&session.client).await.map_err(failed)? {
                Some(rights) => Err(PostgresSetupError::Role(rights)),
                None => Ok(session),
            }
        };
        let session = timeout(limits::CONNECT_TIME, checked).await;
        session.map_err(failed)?
    }

    /// Sends a cancel request for what the session runs. It goes to the
    /// session's own server: another host of the URL does not know the session,
    /// or has another one with the same number.
    pub(super) async fn cancel(&self, session: &Session) {
        let cancel = async {
            let stream = session.peer.open(&self.config, &self.tls).await.ok()?;
            let token = session.client.cancel_token();
            token.cancel_query_raw(stream, NoTls).await.ok()
        };
        // Without success the server's own limits end the query.
        let _ = timeout(limits::WAIT_TIME, cancel).await;
    }

    async fn unchecked(&self) -> Result<Session, PostgresSetupError> {
        let (peer, stream) = self.open().await.map_err(failed)?;
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
        let check = "client_connection_check_interval = 500; ";
        let mut limits = self.limits.clone();
        if client.batch_execute(&format!("SET {check}")).await.is_ok() {
            limits.push_str(&format!("SET LOCAL {check}"));
        }
        Ok(Session {
            client,
            limits,
            peer,
            large_row,
            connection,
        })
    }
}

/// A connection to the server, which is closed on drop.
pub(super) struct Session {
    pub(super) client: Client,
    /// SQL that puts the server's limits in force for the rest of the
    /// transaction, whatever `set_config` in a query has made of them.
    pub(super) limits: String,
    peer: Peer,
    large_row: Arc<AtomicBool>,
    connection: JoinHandle<()>,
}

impl Session {
    /// Whether the connection ended because a row was too large.
    pub(super) fn met_large_row(&self) -> bool {
        self.large_row.load(Ordering::Relaxed)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// The setting of a URL that has no effect, if it has one.
fn unsupported(url: &str) -> Option<&'static str> {
    // A password can have a question mark.
    let after_password = url.split_once('@').map_or(url, |(_, rest)| rest);
    let (_, settings) = after_password.split_once('?')?;
    settings.split('&').find_map(|setting| {
        let name = setting.split('=').next()?;
        UNSUPPORTED.iter().find(|&&known| known == name).copied()
    })
}

/// The rights that reading does not need, of the role or of a role that it can
/// become.
async fn rights(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    const RIGHTS: &str = "
        SELECT pg_catalog.string_agg(CASE WHEN rolsuper THEN 'a superuser' WHEN rolreplication THEN 'replication' ELSE rolname::text END, ', ')
        FROM pg_catalog.pg_roles
        WHERE (rolsuper OR rolreplication OR rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))
          AND pg_catalog.pg_has_role(session_user, oid, 'MEMBER')";
    client.query_one(RIGHTS, &[]).await?.try_get(0)
}

/// Reports rights that a reader does not need, and that no refusal follows from.
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
    const SET_CONFIG: &str = "SELECT pg_catalog.has_function_privilege('pg_catalog.set_config(text, text, boolean)', 'EXECUTE')";
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
    // No refusal: providers of managed servers do not let their customers revoke
    // it, and the limits on time hold also with it.
    let row = client.query_one(SET_CONFIG, &[]).await.map_err(failed)?;
    if row.try_get(0).map_err(failed)? {
        tracing::warn!(
            "the PostgreSQL role can execute set_config, with which a query can raise its own work_mem: REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC in this database, and GRANT it to the roles that need it"
        );
    }
    Ok(())
}

pub(super) async fn version(client: &Client) -> Result<String, PostgresSetupError> {
    let row = client.query_one("SHOW server_version", &[]).await;
    row.and_then(|row| row.try_get(0)).map_err(failed)
}
