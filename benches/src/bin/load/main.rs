//! Puts built servers under load over stdio and says how they compare.
//!
//! `load -- SERVER ARGS…` measures one server. `load --pair 'FLOOR ARGS…' -- SERVER ARGS…`
//! measures two in turn, so that whatever else the machine does falls on both,
//! and prints the ratios. It ends by itself: every loop has a length, and a
//! server that stops answering is killed.

mod exchange;
mod options;
mod placement;
mod server;
mod table;
mod watchdog;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use exchange::{Request, Traffic};
use options::{Load, Options};
use placement::Placement;
use server::{Server, ServerCommand};
use table::{Row, Unit};
use watchdog::Watchdog;

fn main() -> ExitCode {
    let report = measure(&Options::parse());
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

/// Measures everything that was asked for and lays it out as a table.
fn measure(options: &Options) -> Result<String, String> {
    let commands = options.commands()?;
    let request = options.request()?;
    let watchdog = Watchdog::start(options.patience());
    let mut rows = vec![cold_start(options, &commands, &watchdog)?];
    rows.extend(traffic(options, &commands, &request, &watchdog)?);
    Ok(table::render(&commands, &rows))
}

/// The time from starting the process to the answer of `initialize`.
fn cold_start(
    options: &Options,
    commands: &[ServerCommand],
    watchdog: &Watchdog,
) -> Result<Row, String> {
    let mut row = Row::new(
        "cold start to `initialize`",
        Unit::Milliseconds,
        commands.len(),
    );
    for start in 0..=options.starts {
        for (side, command) in commands.iter().enumerate() {
            let server = Server::start(command, &Placement::free(), watchdog)?;
            // The first start of each fills the page cache.
            if start > 0 {
                row.push(side, server.cold_start().as_secs_f64() * 1e3);
            }
            server.stop()?;
        }
    }
    Ok(row)
}

/// Rates, CPU time and memory.
fn traffic(
    options: &Options,
    commands: &[ServerCommand],
    request: &Request,
    watchdog: &Watchdog,
) -> Result<Vec<Row>, String> {
    let placement = Placement::take(options.place)?;
    let sides = commands.len();
    let mut idle = Row::new("memory when idle", Unit::Megabytes, sides);
    let mut after = Row::new("memory after the load", Unit::Megabytes, sides);
    let mut rates: Vec<(Row, Row)> = options
        .loads()
        .iter()
        .map(|load| rows(load, sides))
        .collect();
    for _ in 0..options.runs {
        let mut servers = Vec::with_capacity(sides);
        for (side, command) in commands.iter().enumerate() {
            let mut server = Server::start(command, &placement, watchdog)?;
            server.settle()?;
            idle.push(side, server.resident_megabytes()?);
            servers.push(server);
        }
        for (load, (rate, cpu)) in options.loads().iter().zip(&mut rates) {
            for (side, server) in servers.iter_mut().enumerate() {
                let result = under_load(server, request, load)?;
                rate.push(side, result.calls_per_second);
                cpu.push(side, result.cpu_microseconds);
            }
        }
        for (side, server) in servers.into_iter().enumerate() {
            after.push(side, server.resident_megabytes()?);
            server.stop()?;
        }
    }
    let mut all: Vec<Row> = rates
        .into_iter()
        .flat_map(|(rate, cpu)| [rate, cpu])
        .collect();
    all.extend([idle, after]);
    Ok(all)
}

fn rows(load: &Load, sides: usize) -> (Row, Row) {
    let in_flight = load.in_flight;
    (
        Row::new(
            &format!("calls, {in_flight} in flight"),
            Unit::CallsPerSecond,
            sides,
        ),
        Row::new(
            &format!("CPU per call, {in_flight} in flight"),
            Unit::Microseconds,
            sides,
        ),
    )
}

struct UnderLoad {
    calls_per_second: f64,
    cpu_microseconds: f64,
}

fn under_load(server: &mut Server, request: &Request, load: &Load) -> Result<UnderLoad, String> {
    let warm_up = Traffic::new(request, load.in_flight, load.calls / 10 + 1);
    server.watched(|pipes| warm_up.run(pipes))?;
    let traffic = Traffic::new(request, load.in_flight, load.calls);
    let cpu_before = server.cpu()?;
    let elapsed = server.watched(|pipes| traffic.run(pipes))?;
    let cpu = server.cpu()?.saturating_sub(cpu_before);
    // Both counts stay far below the 2^53 that a float holds exactly.
    let calls = load.calls as f64;
    Ok(UnderLoad {
        calls_per_second: calls / elapsed.as_secs_f64(),
        cpu_microseconds: cpu.as_secs_f64() * 1e6 / calls,
    })
}
