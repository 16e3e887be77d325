//! `stdio`: the server at work.

use std::process::ExitCode;

use super::build::Build;
use super::fail;
use super::runtime::with_runtime;
use crate::logging;
use crate::transport::Stdio;

/// Serves one client over stdin and stdout.
pub(super) fn stdio<Kind, B: Build<Kind>>(build: B, options: B::Options) -> ExitCode {
    // First of all: from here on nothing that is printed reaches the client.
    let stdio = match Stdio::take() {
        Ok(stdio) => stdio,
        Err(error) => return fail(format_args!("stdin and stdout cannot be used: {error}")),
    };
    let _logs = logging::init();
    let served = with_runtime(|runtime| {
        let server = match build.build(options, runtime) {
            Ok(server) => server,
            Err(failure) => return fail(failure),
        };
        match runtime.block_on(server.serve_taken(stdio)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(format_args!("stdin and stdout cannot be served: {error}")),
        }
    });
    served.unwrap_or_else(|error| fail(format_args!("the runtime cannot be started: {error}")))
}
