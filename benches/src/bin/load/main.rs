//! Puts built servers under load over stdio or HTTP and says how they compare.
//!
//! `load -- SERVER ARGS…` measures one server. `load --pair 'FLOOR ARGS…' -- SERVER ARGS…`
//! measures two in turn, so that whatever else the machine does falls on both,
//! and prints the ratios. It ends by itself: every loop has a length, and a
//! server that stops answering is killed. Figures come from `/proc`: Linux only.

#[cfg(target_os = "linux")]
mod call;
#[cfg(target_os = "linux")]
mod http;
#[cfg(target_os = "linux")]
mod measure;
#[cfg(target_os = "linux")]
mod options;
#[cfg(target_os = "linux")]
mod placement;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod server;
#[cfg(target_os = "linux")]
mod stdio;
#[cfg(target_os = "linux")]
mod table;
#[cfg(target_os = "linux")]
mod watchdog;

use std::io::Write as _;
use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let report = measure::measure(&clap::Parser::parse());
    let written = match &report {
        Ok(text) => std::io::stdout().write_all(text.as_bytes()),
        Err(error) => writeln!(std::io::stderr(), "load: {error}"),
    };
    if report.is_ok() && written.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    let _ = writeln!(std::io::stderr(), "load: this program runs on Linux only");
    ExitCode::FAILURE
}
