//! `read_file`: what a path of a client's may reach.

use std::env;
use std::error::Error;

use garde::Validate;
use mcp_kit::guard::{SandboxDir, SandboxPath};
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

/// The folder `CHAOS_ROOT`; none if it is not set.
#[derive(Clone)]
pub(crate) struct Root(Option<SandboxDir>);

impl Root {
    pub(crate) fn from_env() -> Result<Self, Box<dyn Error>> {
        let root = env::var_os("CHAOS_ROOT").map(SandboxDir::open);
        Ok(Self(root.transpose()?))
    }

    /// Returns the text of a file.
    pub(crate) async fn read(&self, path: &SandboxPath) -> Result<String, ToolError> {
        let root = self.0.as_ref();
        let root =
            root.or_user("This server has no folder of files, so there is nothing to read.")?;
        Ok(root.read_text(path, 256 << 10).await?)
    }
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
pub(crate) struct FileArgs {
    /// Which file to read.
    #[garde(skip)]
    pub(crate) path: SandboxPath,
}

/// Reads a text file of at most 256 KiB.
#[tool(read_only)]
pub(crate) async fn read_file(
    args: FileArgs,
    State(root): State<Root>,
) -> Result<String, ToolError> {
    root.read(&args.path).await
}
