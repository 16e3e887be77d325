//! Puts the folder and the tools together.

use mcp_kit::{
    Server,
    guard::{SandboxDir, WritableDir},
    server::{BuildError, ServerBuilder},
};

use crate::{
    read::{file_info, list_files, read_file},
    search::search_files,
    write::{create_folder, delete, move_file, write_file},
};

/// A server whose tools cannot change anything.
///
/// # Errors
///
/// If mcp-kit finds something wrong with the tools.
pub fn reading_server(dir: SandboxDir) -> Result<Server, BuildError> {
    reading(dir)
        .instructions("Files of one folder. Paths are relative to it and use `/`.")
        .build()
}

/// A server whose tools also write, move and delete. Hosts ask the user first, since the tools
/// are annotated as destructive.
///
/// # Errors
///
/// If mcp-kit finds something wrong with the tools.
pub fn writing_server(dir: WritableDir) -> Result<Server, BuildError> {
    reading(dir.read_only())
        .instructions(
            "Files of one folder, which can be changed. Paths are relative to it and use `/`.",
        )
        .state(dir)
        .tool::<write_file>()
        .tool::<move_file>()
        .tool::<create_folder>()
        .tool::<delete>()
        .build()
}

fn reading(dir: SandboxDir) -> ServerBuilder {
    Server::builder("files", env!("CARGO_PKG_VERSION"))
        .state(dir)
        .tool::<list_files>()
        .tool::<search_files>()
        .tool::<read_file>()
        .tool::<file_info>()
}
