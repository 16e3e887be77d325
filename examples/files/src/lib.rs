//! An MCP server for the files of one folder.
//!
//! The tools take [`SandboxPath`](mcp_kit::guard::SandboxPath)s, which open nothing, and the
//! server's folder as state. The tools that only read have a
//! [`SandboxDir`](mcp_kit::guard::SandboxDir), which cannot write; those that write have a
//! [`WritableDir`](mcp_kit::guard::WritableDir). So no tool has to check a path, and none can
//! forget to.

#![forbid(unsafe_code)]

mod lines;
mod read;
mod search;
mod server;
mod write;

pub use read::{FileList, FileRow, InfoArgs, ListArgs, ReadArgs, file_info, list_files, read_file};
pub use search::{Match, Matches, SearchArgs, search_files};
pub use server::{reading_server, writing_server};
pub use write::{MoveArgs, PathArgs, WriteArgs, create_folder, delete, move_file, write_file};
