//! What the measurements need of a server, however the load talks with it.

use std::time::Duration;

use crate::placement::Placement;
use crate::process::{Process, ServerCommand};
use crate::watchdog::Watchdog;

/// A way to talk with servers.
pub(crate) trait Transport {
    /// What a cold start lasts until.
    fn first_answer(&self) -> &'static str;

    /// What there are several of in a load.
    fn lanes(&self) -> &'static str;

    /// Starts a server and waits for its first answer.
    fn start<'a>(
        &'a self,
        command: &ServerCommand,
        placement: &Placement,
        watchdog: &Watchdog,
    ) -> Result<Box<dyn Server + 'a>, String>;
}

/// A server that has answered once.
pub(crate) trait Server {
    fn process(&self) -> &Process;

    /// From before the process was started to its first answer.
    fn cold_start(&self) -> Duration;

    /// Brings the server to where it has nothing left to do.
    fn settle(&mut self) -> Result<(), String>;

    /// Makes calls with so many in flight, and says how long they took.
    fn exchange(&mut self, in_flight: usize, calls: usize) -> Result<Duration, String>;

    /// Ends the server.
    fn stop(self: Box<Self>) -> Result<(), String>;
}
