//! The program: opens the folder, and leaves the rest to mcp-kit.

use std::{error::Error, path::PathBuf, process::ExitCode};

use files::{reading_server, writing_server};
use mcp_kit::{Server, guard::SandboxDir};

/// List, search and read the files of one folder; with --writable also write, move and delete
/// them. Without --root it is a small sample folder.
#[derive(clap::Args)]
struct Options {
    /// The folder. Nothing outside of it can be reached.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Also offer the tools that change files. Needs --root.
    #[arg(long)]
    writable: bool,
    /// The most that the folder may hold with --writable, in MiB.
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 1024,
        requires = "writable"
    )]
    quota: u64,
}

fn main() -> ExitCode {
    mcp_kit::cli::run(build)
}

fn build(options: Options) -> Result<Server, Box<dyn Error>> {
    if options.writable {
        let root = options
            .root
            .ok_or("--writable needs a folder: add --root DIR")?;
        let quota = options.quota.saturating_mul(1 << 20);
        return Ok(writing_server(SandboxDir::open_writable(root, quota)?)?);
    }
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/sample");
    let root = options.root.unwrap_or_else(|| sample.into());
    Ok(reading_server(SandboxDir::open(root)?)?)
}
