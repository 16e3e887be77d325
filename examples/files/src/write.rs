//! The tools that change files. Their annotations show what they may destroy, so that hosts ask
//! the user first.

use garde::Validate;
use mcp_kit::guard::{FileErrorKind, IfExists, SandboxPath, WritableDir};
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

/// What happens to a file that has the name already.
fn existing(overwrite: bool) -> IfExists {
    if overwrite {
        IfExists::Replace
    } else {
        IfExists::Fail
    }
}

/// What to write, and where.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
pub struct WriteArgs {
    /// Which file to write.
    #[garde(skip)]
    path: SandboxPath,
    /// The whole content of the file.
    #[garde(length(chars, max = 1_000_000))]
    content: String,
    /// Whether to replace a file that exists.
    #[serde(default)]
    #[garde(skip)]
    overwrite: bool,
}

/// Write a text file. Its folder must exist.
///
/// The file has either its old content or the whole new one, even if the call is cancelled.
#[tool(title = "Write a file", destructive, idempotent, open_world = false)]
pub async fn write_file(
    args: WriteArgs,
    State(dir): State<WritableDir>,
) -> Result<String, ToolError> {
    let bytes = args.content.len();
    dir.write(&args.path, args.content, existing(args.overwrite))
        .await?;
    Ok(format!("Wrote {bytes} bytes."))
}

/// What to move, and where to.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
pub struct MoveArgs {
    /// Which file to move.
    #[garde(skip)]
    from: SandboxPath,
    /// Its new path. The folder must exist.
    #[garde(skip)]
    to: SandboxPath,
    /// Whether to replace a file that exists.
    #[serde(default)]
    #[garde(skip)]
    overwrite: bool,
}

/// Move or rename a file.
#[tool(title = "Move a file", destructive, open_world = false)]
pub async fn move_file(
    args: MoveArgs,
    State(dir): State<WritableDir>,
) -> Result<&'static str, ToolError> {
    dir.rename(&args.from, &args.to, existing(args.overwrite))
        .await?;
    Ok("Moved.")
}

/// What to create or delete.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
pub struct PathArgs {
    /// Which file or folder.
    #[garde(skip)]
    path: SandboxPath,
}

/// Create a folder, and the folders that it is in. One that exists stays as it is.
#[tool(
    title = "Create a folder",
    destructive = false,
    idempotent,
    open_world = false
)]
pub async fn create_folder(
    args: PathArgs,
    State(dir): State<WritableDir>,
) -> Result<&'static str, ToolError> {
    dir.create_folder(&args.path).await?;
    Ok("Created.")
}

/// Delete a file or an empty folder. Of a link, only the link is deleted.
#[tool(title = "Delete", destructive, idempotent, open_world = false)]
pub async fn delete(
    args: PathArgs,
    State(dir): State<WritableDir>,
) -> Result<&'static str, ToolError> {
    match dir.remove_file(&args.path).await {
        Err(error) if error.kind() == FileErrorKind::IsFolder => {
            dir.remove_folder(&args.path).await?;
        }
        outcome => outcome?,
    }
    Ok("Deleted.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_and_checks_agree() {
        mcp_kit::testing::assert_schema_agrees::<WriteArgs>();
        mcp_kit::testing::assert_schema_agrees::<MoveArgs>();
        mcp_kit::testing::assert_schema_agrees::<PathArgs>();
    }
}
