//! Drives the conformance server with the official Rust SDK's client.
//!
//! Usage: `rust-client COMMAND [ARGUMENT...]` over stdio, as a child process;
//! `rust-client URL` over HTTP. `SERVER_LOG` is the path of the log of a server
//! over HTTP.
//!
//! In each era, runs the steps in [`steps`]. Ends with 0 and one line for each
//! era, or with 1 and what was wrong.

mod handler;
mod steps;
mod tasks;

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use rmcp::model::ProtocolVersion;
use rmcp::service::RunningService;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ClientLifecycleMode, ClientServiceExt as _, RoleClient};

use crate::handler::Answers;

/// What went wrong. A message of a failed check, or an error of the SDK.
type Wrong = Box<dyn std::error::Error + Send + Sync>;

/// A connection, and the log of the server at its other end.
struct Session {
    client: RunningService<RoleClient, Answers>,
    log: PathBuf,
    is_modern: bool,
}

/// The era that a client begins in, and the version that it must negotiate.
struct Era {
    name: &'static str,
    version: ProtocolVersion,
    mode: ClientLifecycleMode,
}

impl Era {
    fn is_modern(&self) -> bool {
        self.version == ProtocolVersion::V_2026_07_28
    }
}

fn eras() -> Vec<Era> {
    let modern = vec![ProtocolVersion::V_2026_07_28];
    vec![
        Era {
            name: "legacy",
            version: ProtocolVersion::V_2025_11_25,
            mode: ClientLifecycleMode::Initialize,
        },
        Era {
            name: "modern",
            version: ProtocolVersion::V_2026_07_28,
            mode: ClientLifecycleMode::Discover {
                preferred_versions: modern.clone(),
            },
        },
        Era {
            name: "auto",
            version: ProtocolVersion::V_2026_07_28,
            mode: ClientLifecycleMode::Auto {
                preferred_versions: modern,
                legacy_version: None,
            },
        },
    ]
}

async fn connect(target: &[String], era: &Era, handler: Answers) -> Result<Session, Wrong> {
    let mode = era.mode.clone();
    let is_modern = era.is_modern();
    let [url_or_command, arguments @ ..] = target else {
        return Err("no server is given".into());
    };
    if url_or_command.starts_with("http://") {
        let transport = StreamableHttpClientTransport::from_uri(url_or_command.as_str());
        let client = handler.serve_with_lifecycle(transport, mode).await?;
        let log = std::env::var_os("SERVER_LOG").ok_or("SERVER_LOG is not set")?;
        return Ok(Session {
            client,
            log: log.into(),
            is_modern,
        });
    }
    let log = std::env::temp_dir().join(format!("rust-client-{}.log", std::process::id()));
    let mut command = tokio::process::Command::new(url_or_command);
    command.args(arguments);
    let (transport, _) = TokioChildProcess::builder(command)
        .stderr(Stdio::from(File::create(&log)?))
        .spawn()?;
    let client = handler.serve_with_lifecycle(transport, mode).await?;
    Ok(Session {
        client,
        log,
        is_modern,
    })
}

async fn converse(target: &[String], era: &Era) -> Result<usize, Wrong> {
    let session = connect(target, era, Answers::default()).await?;
    let info = session.client.peer_info().ok_or("no server information")?;
    steps::check(info.protocol_version == era.version, || {
        format!("negotiated {}, not {}", info.protocol_version, era.version)
    })?;
    let mut done = steps::run(&session).await?;
    session.client.cancel().await?;
    if era.is_modern() {
        // Its calls become tasks, so it is another client.
        let mut handler = Answers::default();
        handler.has_tasks = true;
        let session = connect(target, era, handler).await?;
        done += tasks::run(&session).await?;
        session.client.cancel().await?;
    }
    Ok(done)
}

#[tokio::main]
async fn main() -> ExitCode {
    let target: Vec<String> = std::env::args().skip(1).collect();
    // The SDK's HTTP client requires one, although no connection uses TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut code = ExitCode::SUCCESS;
    for era in eras() {
        let patience = Duration::from_secs(120);
        let ended = tokio::time::timeout(patience, converse(&target, &era)).await;
        let line = match ended {
            Ok(Ok(steps)) => format!("rust client, {}: {steps} steps passed\n", era.name),
            Ok(Err(wrong)) => {
                code = ExitCode::FAILURE;
                format!("rust client, {}: FAILED: {wrong}\n", era.name)
            }
            Err(_) => {
                code = ExitCode::FAILURE;
                format!(
                    "rust client, {}: FAILED: no end after {patience:?}\n",
                    era.name
                )
            }
        };
        let _ = std::io::stdout().write_all(line.as_bytes());
    }
    code
}
