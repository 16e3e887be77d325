//! What is measured, and in which order: the servers of a pair take turns.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::http::{Web, WebServer};
use crate::options::{Load, Options};
use crate::placement::Placement;
use crate::process::ServerCommand;
use crate::server::{Server, Transport};
use crate::table::{self, Row, Unit};
use crate::watchdog::Watchdog;

/// Measures everything that was asked for and lays it out as a table.
pub(crate) fn measure(options: &Options) -> Result<String, String> {
    let bench = Bench {
        options,
        commands: options.commands()?,
        watchdog: Watchdog::start(options.patience()),
    };
    let web = options.web()?;
    let lines;
    let transport: &dyn Transport = match &web {
        Some(web) => web,
        None => {
            lines = options.lines()?;
            &lines
        }
    };
    allow_many_connections();
    let mut rows = vec![bench.cold_start(transport)?];
    let placement = Placement::take(options.place)?;
    rows.extend(bench.traffic(transport, &placement)?);
    if let Some(web) = &web {
        rows.extend(bench.idle(web, &placement)?);
    }
    Ok(table::render(&bench.commands, &rows))
}

/// The servers and what is asked of them.
struct Bench<'a> {
    options: &'a Options,
    commands: Vec<ServerCommand>,
    watchdog: Watchdog,
}

impl Bench<'_> {
    /// The time from starting the process to the first answer.
    fn cold_start(&self, transport: &dyn Transport) -> Result<Row, String> {
        let name = format!("cold start to {}", transport.first_answer());
        let mut row = self.row(&name, Unit::Milliseconds);
        for start in 0..=self.options.starts {
            for (side, command) in self.commands.iter().enumerate() {
                let server = transport.start(command, &Placement::free(), &self.watchdog)?;
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
        &self,
        transport: &dyn Transport,
        placement: &Placement,
    ) -> Result<Vec<Row>, String> {
        let loads = self.options.loads();
        let mut idle = self.row("memory when idle", Unit::Megabytes);
        let mut after = self.row("memory after the load", Unit::Megabytes);
        let mut rates: Vec<(Row, Row)> = loads
            .iter()
            .map(|load| self.rates(load, transport))
            .collect();
        for _ in 0..self.options.runs {
            let mut servers = Vec::with_capacity(self.commands.len());
            for (side, command) in self.commands.iter().enumerate() {
                let mut server = transport.start(command, placement, &self.watchdog)?;
                server.settle()?;
                idle.push(side, server.process().resident()? / 1e6);
                servers.push(server);
            }
            for (load, (rate, cpu)) in loads.iter().zip(&mut rates) {
                for (side, server) in servers.iter_mut().enumerate() {
                    let result = under_load(&mut **server, load)?;
                    rate.push(side, result.calls_per_second);
                    cpu.push(side, result.cpu_microseconds);
                }
            }
            for (side, server) in servers.into_iter().enumerate() {
                after.push(side, server.process().resident()? / 1e6);
                server.stop()?;
            }
        }
        let mut rows: Vec<Row> = rates
            .into_iter()
            .flat_map(|(rate, cpu)| [rate, cpu])
            .collect();
        rows.extend([idle, after]);
        Ok(rows)
    }

    /// The memory of what a client may leave open.
    fn idle(&self, web: &Web, placement: &Placement) -> Result<Vec<Row>, String> {
        let start = |command: &_| web.open(command, placement, &self.watchdog);
        let Options {
            idle_sessions: sessions,
            idle_connections: connections,
            ..
        } = *self.options;
        let mut rows = Vec::new();
        if sessions > 0 {
            rows.push(self.memory_of_each("session", sessions, start, |server| {
                server.open_sessions(sessions)
            })?);
        }
        if connections > 0 {
            // One is open already.
            let all = connections + 1;
            let row = self.memory_of_each("connection", connections, start, |server| {
                server.open_connections(all).map(|()| true)
            });
            rows.push(row?);
        }
        Ok(rows)
    }

    /// What each of `count` things costs that `open` opens in a new server. It
    /// says whether the server has such things.
    fn memory_of_each<'a>(
        &self,
        name: &str,
        count: usize,
        start: impl Fn(&ServerCommand) -> Result<WebServer<'a>, String>,
        open: impl Fn(&mut WebServer<'a>) -> Result<bool, String>,
    ) -> Result<Row, String> {
        let mut row = self.row(&format!("memory of an idle {name}"), Unit::Kilobytes);
        for _ in 0..self.options.runs {
            for (side, command) in self.commands.iter().enumerate() {
                let mut server = start(command)?;
                let before = server.process().resident()?;
                if open(&mut server)? {
                    let more = server.process().resident()? - before;
                    row.push(side, more / count as f64 / 1e3);
                }
            }
        }
        Ok(row)
    }

    fn rates(&self, load: &Load, transport: &dyn Transport) -> (Row, Row) {
        let lanes = format!("{} {}", load.in_flight, transport.lanes());
        (
            self.row(&format!("calls, {lanes}"), Unit::CallsPerSecond),
            self.row(&format!("CPU per call, {lanes}"), Unit::Microseconds),
        )
    }

    fn row(&self, name: &str, unit: Unit) -> Row {
        Row::new(name, unit, self.commands.len())
    }
}

struct UnderLoad {
    calls_per_second: f64,
    cpu_microseconds: f64,
}

fn under_load(server: &mut dyn Server, load: &Load) -> Result<UnderLoad, String> {
    server.exchange(load.in_flight, load.calls / 10 + 1)?;
    let cpu_before = server.process().cpu()?;
    let elapsed = server.exchange(load.in_flight, load.calls)?;
    let cpu = server.process().cpu()?.saturating_sub(cpu_before);
    // Both counts stay far below the 2^53 that a float holds exactly.
    let calls = load.calls as f64;
    Ok(UnderLoad {
        calls_per_second: calls / elapsed.as_secs_f64(),
        cpu_microseconds: cpu.as_secs_f64() * 1e6 / calls,
    })
}

/// A connection takes a descriptor here and one in the server, which inherits
/// this bound. Where it cannot be raised, opening too many says so.
fn allow_many_connections() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}
