//! The program: picks the database, and leaves the rest to mcp-kit.

use std::{error::Error, path::Path, process::ExitCode, time::Duration};

use database::{Cursors, Db, MIN_KEY_BYTES, Sqlite, database_server};
use mcp_kit::{Server, cli};

/// Read a database: the SQLite file of --database, or a sample database that is
/// part of the program.
#[derive(clap::Args)]
struct Options {
    /// The path of an SQLite file.
    #[arg(
        long,
        value_name = "PATH",
        env = "DATABASE_URL",
        hide_env_values = true
    )]
    database: Option<String>,
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
    cursor_key: Option<String>,
}

fn main() -> ExitCode {
    cli::run(build)
}

fn build(options: Options) -> Result<Server, Box<dyn Error>> {
    let query_time = Duration::from_secs(options.query_seconds);
    let cursors = match options.cursor_key {
        Some(key) => Cursors::with_key(key.as_bytes()).ok_or_else(|| {
            format!("--cursor-key (DATABASE_CURSOR_KEY) must have at least {MIN_KEY_BYTES} bytes")
        })?,
        None => Cursors::new()?,
    };
    // `check` and `tools` only look at the tools: the sample serves for that.
    let runs_tools = cli::command().is_none_or(|command| command.runs_tools());
    let database = match options.database.filter(|_| runs_tools) {
        Some(path) => Sqlite::open(Path::new(&path))
            .map_err(|_| format!("{path}: cannot be opened as an SQLite database"))?,
        None => Sqlite::sample()?,
    };
    let database = Db::new(database.query_time(query_time));
    Ok(database_server(database, cursors, query_time)?)
}
