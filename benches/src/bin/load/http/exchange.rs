//! The exchange that is timed: on each connection the next request follows the
//! answer to the last one.

use std::io;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::OwnedFd;

use super::caller::Caller;
use crate::call::Call;

/// A number of calls, handed out as the answers come.
struct Traffic<'a> {
    call: &'a Call,
    calls: usize,
    sent: usize,
    left: usize,
}

/// Makes so many calls and says how long they took.
pub(super) fn run(callers: &mut [Caller], call: &Call, calls: usize) -> Result<Duration, String> {
    let epoll = watch(callers).map_err(|error| format!("watching connections: {error}"))?;
    let mut events = Vec::with_capacity(callers.len());
    let mut traffic = Traffic {
        call,
        calls,
        sent: 0,
        left: calls,
    };
    let begin = Instant::now();
    for caller in callers.iter_mut() {
        traffic.send(caller)?;
    }
    while traffic.left > 0 {
        // The read of a single connection waits by itself, which spares a
        // system call per answer.
        if let [caller] = callers {
            traffic.receive(caller)?;
            continue;
        }
        epoll::wait(&epoll, spare_capacity(&mut events), None)
            .map_err(|error| format!("waiting for answers: {error}"))?;
        for event in events.drain(..) {
            let index = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
            if let Some(caller) = callers.get_mut(index) {
                traffic.receive(caller)?;
            }
        }
    }
    Ok(begin.elapsed())
}

impl Traffic<'_> {
    /// Makes the next call, if one is left.
    fn send(&mut self, caller: &mut Caller) -> Result<(), String> {
        if self.sent == self.calls {
            return Ok(());
        }
        let number = self.sent;
        self.sent += 1;
        caller.send(self.call, number)
    }

    fn receive(&mut self, caller: &mut Caller) -> Result<(), String> {
        if !caller.receive(self.call)? {
            return Ok(());
        }
        self.left -= 1;
        self.send(caller)
    }
}

/// Watches every connection for something to read.
fn watch(callers: &[Caller]) -> io::Result<OwnedFd> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    for (index, caller) in (0..).zip(callers) {
        let connection = caller.connection();
        epoll::add(
            &epoll,
            connection,
            EventData::new_u64(index),
            EventFlags::IN,
        )?;
    }
    Ok(epoll)
}
