//! Which cores the load and the servers run on.
//!
//! Waking a sleeping core costs tens of microseconds, more than a call does. Left
//! alone, the scheduler puts two processes that talk in turns on one core or on
//! two, as the rest of the machine suggests, and the figures jump. So the place
//! is chosen here and is the same for both servers of a pair.

use clap::ValueEnum;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Where the load's thread and the servers are kept.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Place {
    /// The load on one core, the servers on another: every wait crosses cores.
    Apart,
    /// Both on one core: little waiting, so that the work itself is compared.
    Together,
    /// Wherever the scheduler puts them.
    Free,
}

/// A place on this machine.
pub(crate) struct Placement {
    cores: Option<Cores>,
}

struct Cores {
    load: CpuSet,
    servers: CpuSet,
}

impl Placement {
    /// The scheduler's choice.
    pub(crate) fn free() -> Self {
        Placement { cores: None }
    }

    /// Moves the calling thread, which has to be the one that carries the load.
    pub(crate) fn take(place: Place) -> Result<Self, String> {
        let allowed =
            sched_getaffinity(None).map_err(|error| format!("asking for the cores: {error}"))?;
        let mut numbers = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
        let first = numbers.next().unwrap_or(0);
        let servers = match place {
            Place::Free => return Ok(Placement::free()),
            Place::Together => first,
            Place::Apart => numbers
                .next_back()
                .ok_or("there is one core only: use `--place together`")?,
        };
        let cores = Cores {
            load: only(first),
            servers: only(servers),
        };
        pin(&cores.load)?;
        Ok(Placement { cores: Some(cores) })
    }

    /// Runs `start`, whose new processes stay on the servers' core: a child
    /// inherits the core of the thread that starts it.
    pub(crate) fn on_servers_core<T>(&self, start: impl FnOnce() -> T) -> Result<T, String> {
        let Some(cores) = &self.cores else {
            return Ok(start());
        };
        pin(&cores.servers)?;
        let started = start();
        pin(&cores.load)?;
        Ok(started)
    }
}

fn only(core: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(core);
    set
}

fn pin(set: &CpuSet) -> Result<(), String> {
    sched_setaffinity(None, set).map_err(|error| format!("choosing a core: {error}"))
}
