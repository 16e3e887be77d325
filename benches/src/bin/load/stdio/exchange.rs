//! The exchange that is timed: requests out, answers in, nothing else.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use super::{Pipes, lost};
use crate::call::{Call, unexpected};
use crate::process::ENDED;

const READ: usize = 64 * 1024;

/// A number of calls with a number of them in flight.
pub(super) struct Traffic<'a> {
    call: &'a Call,
    /// The length of a request with its newline.
    line: usize,
    /// Room for one request per call in flight.
    outgoing: Vec<u8>,
    sent: usize,
    /// Which calls have had their answer. Answers come in any order.
    answered: Vec<bool>,
    left: usize,
}

impl<'a> Traffic<'a> {
    pub(super) fn new(call: &'a Call, in_flight: usize, calls: usize) -> Self {
        let line = [call.message(), b"\n"].concat();
        Traffic {
            call,
            line: line.len(),
            outgoing: line.repeat(in_flight),
            sent: 0,
            answered: vec![false; calls],
            left: calls,
        }
    }

    /// Makes all the calls and says how long they took.
    pub(super) fn run(mut self, pipes: &mut Pipes) -> Result<Duration, String> {
        let mut incoming = vec![0; READ];
        let mut held = 0;
        let begin = Instant::now();
        self.send(self.outgoing.len() / self.line, pipes)?;
        while self.left > 0 {
            if held == incoming.len() {
                incoming.resize(held * 2, 0);
            }
            match pipes.stdout.read(&mut incoming[held..]) {
                Ok(0) => return Err(ENDED.to_owned()),
                Ok(count) => held += count,
                Err(error) => return Err(format!("reading the answers: {error}")),
            }
            let mut start = 0;
            let mut answers = 0;
            for end in memchr::memchr_iter(b'\n', &incoming[..held]) {
                self.accept(&incoming[start..end])?;
                answers += 1;
                start = end + 1;
            }
            incoming.copy_within(start..held, 0);
            held -= start;
            self.send(answers, pipes)?;
        }
        Ok(begin.elapsed())
    }

    /// Sends the next requests in one write.
    fn send(&mut self, count: usize, pipes: &mut Pipes) -> Result<(), String> {
        let count = count.min(self.answered.len() - self.sent);
        if count == 0 {
            return Ok(());
        }
        let batch = &mut self.outgoing[..count * self.line];
        for line in batch.chunks_exact_mut(self.line) {
            self.call.number(line, self.sent);
            self.sent += 1;
        }
        pipes
            .stdin
            .write_all(batch)
            .map_err(|error| lost("sending requests", &error))
    }

    fn accept(&mut self, line: &[u8]) -> Result<(), String> {
        let number = self.call.answered(line)?;
        let sent = &mut self.answered[..self.sent];
        match sent.get_mut(number) {
            Some(answered) if !*answered => {
                *answered = true;
                self.left -= 1;
                Ok(())
            }
            _ => Err(unexpected(line)),
        }
    }
}
