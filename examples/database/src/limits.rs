//! Every limit of this server in one place. The README has a table of them.

use std::time::Duration;

/// The longest time that one query may run, unless `--query-seconds` changes it.
/// The query is then cancelled in the database, not abandoned.
pub const QUERY_TIME: Duration = Duration::from_secs(10);
/// The longest time that a call waits for a free connection, or the database
/// for a lock.
pub const WAIT_TIME: Duration = Duration::from_secs(2);
/// The longest time that connecting to PostgreSQL takes, with the check of the
/// role.
pub const CONNECT_TIME: Duration = Duration::from_secs(4);
/// The most rows of one page.
pub const PAGE_ROWS: u16 = 500;
/// The largest page, in bytes of JSON. A page ends before the row that would
/// exceed it.
pub const PAGE_BYTES: usize = 128 << 10;
/// The most characters of one value. A longer value is cut.
pub const CELL_CHARS: usize = 4_000;
/// The largest value or row that is read from the database at all, in bytes. A
/// query that produces a larger one is refused.
pub const ROW_BYTES: usize = 256 << 10;
/// The last row that a cursor can lead to. Each page runs the query again and
/// skips the rows before it, so later pages cost more.
pub const LAST_ROW: u64 = 100_000;
/// How long a cursor can be used.
pub const CURSOR_LIFE: Duration = Duration::from_secs(15 * 60);
/// The longest query, in characters.
pub const SQL_CHARS: usize = 20_000;
/// The most parameters of a query.
pub const PARAMS: usize = 100;
/// The most tables in one list.
pub const TABLES: u32 = 500;
/// The most columns of a description.
pub const COLUMNS: u32 = 500;
/// How many queries run at the same time: SQLite's threads, or connections to
/// PostgreSQL.
pub const CONNECTIONS: usize = 4;
/// How many of them one caller over HTTP may have. Its further calls wait, and
/// leave the others to other callers.
pub const CALLS_PER_CALLER: usize = CONNECTIONS / 2;
/// How many calls may wait for one of SQLite's threads.
pub const QUEUE: usize = 32;
/// The memory that SQLite may use in this process, in bytes: all connections
/// together, sorting and temporary tables included. For small values the
/// allocator takes twice as much, and each thread's share can stay with the
/// process: count on eight times as much.
pub const SQLITE_MEMORY: usize = 32 << 20;
