//! The skills of the folder `skills`.

use mcp_kit::server::ServerBuilder;
use mcp_kit::skills::{Skills, SkillsError};

pub(crate) fn register(server: ServerBuilder) -> Result<ServerBuilder, SkillsError> {
    let skills = Skills::from_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/skills"))?;
    Ok(server.extension(&skills))
}
