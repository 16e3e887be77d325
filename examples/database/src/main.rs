//! The program: picks the database, and leaves the rest to mcp-kit.

use std::{error::Error, path::Path, process::ExitCode, time::Duration};

use database::{Cursors, Db, MIN_KEY_BYTES, Postgres, Sqlite, database_server};
use mcp_kit::{Server, cli, guard::Sensitive};

/// Read a database: PostgreSQL, a SQLite file, or a sample database that is part
/// of the program.
#[derive(clap::Args)]
struct Options {
    /// A URL postgres://…, or the path of a SQLite file. Prefer the variable
    /// for a URL with a password: other users of the machine see options.
    #[arg(
        long,
        value_name = "URL or PATH",
        env = "DATABASE_URL",
        hide_env_values = true
    )]
    database: Option<Sensitive<String>>,
    /// The longest time of one query.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    query_seconds: u64,
    /// A key that seals cursors, of at least 32 bytes. Replicas need the same
    /// one; without it each process makes its own.
    #[arg(
        long,
        value_name = "KEY",
        env = "DATABASE_CURSOR_KEY",
        hide_env_values = true
    )]
    cursor_key: Option<Sensitive<String>>,
}

fn main() -> ExitCode {
    cli::run(build)
}

async fn build(options: Options) -> Result<Server, Box<dyn Error>> {
    let query_time = Duration::from_secs(options.query_seconds);
    let cursors = match &options.cursor_key {
        Some(key) => Cursors::with_key(key.expose_secret().as_bytes()).ok_or_else(|| {
            format!("--cursor-key (DATABASE_CURSOR_KEY) must have at least {MIN_KEY_BYTES} bytes")
        })?,
        None => Cursors::new()?,
    };
    // `check` and `tools` only look at the tools: the sample serves for that.
    let runs_tools = cli::command().is_none_or(|command| command.runs_tools());
    let database = match options.database.filter(|_| runs_tools) {
        None => Db::new(Sqlite::sample()?.query_time(query_time)),
        Some(database) => open(&database, query_time).await?,
    };
    Ok(database_server(database, cursors, query_time)?)
}

async fn open(database: &Sensitive<String>, query_time: Duration) -> Result<Db, Box<dyn Error>> {
    let text = database.expose_secret();
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Ok(Db::new(Postgres::connect(database, query_time).await?));
    }
    // The path is not repeated: a mistyped URL would be printed with its password.
    let sqlite = Sqlite::open(Path::new(text)).map_err(|_| {
        "--database (DATABASE_URL) is neither a URL that begins with postgres:// nor a SQLite file that can be opened"
    })?;
    Ok(Db::new(sqlite.query_time(query_time)))
}
