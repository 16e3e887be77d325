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
    /// The load's core and the servers'. None: the scheduler's choice.
    cores: Option<(Core, Core)>,
}

impl Placement {
    /// The scheduler's choice.
    pub(crate) fn free() -> Self {
        Placement { cores: None }
    }

    /// Moves the calling thread, which has to be the one that carries the load.
    pub(crate) fn take(place: Place) -> Result<Self, String> {
        if matches!(place, Place::Free) {
            return Ok(Placement::free());
        }
        let allowed = Core::allowed()?;
        let (Some(&load), Some(&last)) = (allowed.first(), allowed.last()) else {
            return Err("no core is allowed".to_owned());
        };
        let servers = match place {
            Place::Apart => last,
            Place::Together | Place::Free => load,
        };
        if matches!(place, Place::Apart) && allowed.len() == 1 {
            return Err("there is one core only: use `--place together`".to_owned());
        }
        load.take()?;
        Ok(Placement {
            cores: Some((load, servers)),
        })
    }

    /// Runs `start`, whose new processes stay on the servers' core: a child
    /// inherits the core of the thread that starts it.
    pub(crate) fn on_servers_core<T>(&self, start: impl FnOnce() -> T) -> Result<T, String> {
        let Some((load, servers)) = &self.cores else {
            return Ok(start());
        };
        servers.take()?;
        let started = start();
        load.take()?;
        Ok(started)
    }
}

/// One core's number.
#[derive(Clone, Copy)]
struct Core(usize);

impl Core {
    fn allowed() -> Result<Vec<Core>, String> {
        let set =
            sched_getaffinity(None).map_err(|error| format!("asking for the cores: {error}"))?;
        let numbers = (0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core));
        Ok(numbers.map(Core).collect())
    }

    /// Ties the calling thread to this core.
    fn take(self) -> Result<(), String> {
        let mut set = CpuSet::new();
        set.set(self.0);
        sched_setaffinity(None, &set).map_err(|error| format!("taking core {}: {error}", self.0))
    }
}
