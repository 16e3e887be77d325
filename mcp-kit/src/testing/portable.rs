//! Checks that every host and every model's API accepts a server's schemas.

use crate::server::Server;

/// Checks that every known host and every model's API accepts the schemas of
/// all tools, of arguments and of results.
///
/// Most of what hosts refuse is never published. What is left are the warnings
/// [about portability](crate::primitive::WarningCode::is_about_portability); those
/// that the server accepts do not count.
///
/// ```
/// # use mcp_kit::{Server, tool};
/// # /// A report.
/// # #[tool] async fn report() -> String { String::new() }
/// let server = Server::builder("reports", "1.0.0").tool::<report>().build()?;
/// mcp_kit::testing::assert_portable(&server);
/// # Ok::<(), mcp_kit::server::BuildError>(())
/// ```
///
/// # Panics
/// If a schema is not portable, with every place and the hosts that refuse it.
#[allow(clippy::panic)]
#[track_caller]
pub fn assert_portable(server: &Server) {
    let found: Vec<String> = server
        .warnings()
        .iter()
        .filter(|warning| warning.code().is_about_portability())
        .map(|warning| format!("\n  - {warning}"))
        .collect();
    if !found.is_empty() {
        panic!(
            "the schemas of \"{}\" are not portable:{}",
            server.name(),
            found.concat()
        );
    }
}
