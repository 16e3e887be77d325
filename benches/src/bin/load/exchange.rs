//! The exchange that is timed: requests out, answers in, nothing else.
//!
//! The requests are prepared bytes in which only the id changes, and an answer
//! is looked at just enough to know that it is the right one. So the load costs
//! little beside the server.

use std::io::{Read, Write};
use std::ops::Range;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use memchr::memmem::Finder;

use crate::server::{ENDED, Pipes, lost};

/// Ids have ten digits from the first to the last, so that all requests are of
/// one length.
const FIRST_ID: usize = 1_000_000_000;
const ID_DIGITS: usize = 10;
const READ: usize = 64 * 1024;

/// What every request of the modern era carries in its parameters.
const META: &str = r#","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// The kind of request: before 2026-07-28 or from then on.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Era {
    /// As after `initialize`.
    Legacy,
    /// With the request's own `_meta`.
    Modern,
}

/// A `tools/call` request and what its answer has to look like.
pub(crate) struct Request {
    line: Vec<u8>,
    /// Where the id's digits are.
    id: Range<usize>,
    expect: Finder<'static>,
}

impl Request {
    pub(crate) fn new(tool: &str, arguments: &str, expect: &str, era: Era) -> Result<Self, String> {
        if tool.contains(['"', '\\']) || arguments.contains('\n') {
            return Err("the tool's name and arguments have to fit on one JSON line".to_owned());
        }
        let start = r#"{"jsonrpc":"2.0","id":"#;
        let meta = match era {
            Era::Legacy => "",
            Era::Modern => META,
        };
        let rest = format!(
            r#","method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}{meta}}}}}"#
        );
        Ok(Request {
            line: format!("{start}{FIRST_ID}{rest}\n").into_bytes(),
            id: start.len()..start.len() + ID_DIGITS,
            expect: Finder::new(expect).into_owned(),
        })
    }

    /// The length of one request in bytes.
    pub(crate) fn len(&self) -> usize {
        self.line.len()
    }
}

/// A number of calls with a number of them in flight.
pub(crate) struct Traffic<'a> {
    request: &'a Request,
    /// Room for one request per call in flight.
    outgoing: Vec<u8>,
    sent: usize,
    /// Which calls have had their answer. Answers come in any order.
    answered: Vec<bool>,
    left: usize,
    error_mark: Finder<'static>,
    id_mark: Finder<'static>,
}

impl<'a> Traffic<'a> {
    pub(crate) fn new(request: &'a Request, in_flight: usize, calls: usize) -> Self {
        Traffic {
            request,
            outgoing: request.line.repeat(in_flight),
            sent: 0,
            answered: vec![false; calls],
            left: calls,
            error_mark: Finder::new(r#""isError":true"#),
            id_mark: Finder::new(r#""id":"#),
        }
    }

    /// Makes all the calls and says how long they took.
    pub(crate) fn run(mut self, pipes: &mut Pipes) -> Result<Duration, String> {
        let mut incoming = vec![0; READ];
        let mut held = 0;
        let begin = Instant::now();
        self.send(self.outgoing.len() / self.request.len(), pipes)?;
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
        let length = self.request.len();
        let batch = &mut self.outgoing[..count * length];
        for line in batch.chunks_exact_mut(length) {
            put_digits(FIRST_ID + self.sent, &mut line[self.request.id.clone()]);
            self.sent += 1;
        }
        pipes
            .stdin
            .write_all(batch)
            .map_err(|error| lost("sending requests", &error))
    }

    fn accept(&mut self, line: &[u8]) -> Result<(), String> {
        let right =
            self.request.expect.find(line).is_some() && self.error_mark.find(line).is_none();
        let slot = self
            .id_of(line)
            .and_then(|id| id.checked_sub(FIRST_ID))
            .filter(|&index| index < self.sent)
            .and_then(|index| self.answered.get_mut(index));
        match slot {
            Some(answered) if right && !*answered => {
                *answered = true;
                self.left -= 1;
                Ok(())
            }
            _ => Err(format!(
                "not an answer that was expected: {}",
                String::from_utf8_lossy(line)
            )),
        }
    }

    fn id_of(&self, line: &[u8]) -> Option<usize> {
        let rest = &line[self.id_mark.find(line)? + self.id_mark.needle().len()..];
        let digits = rest.get(..ID_DIGITS)?;
        digits.iter().try_fold(0, |id, byte| {
            byte.is_ascii_digit()
                .then(|| id * 10 + usize::from(byte - b'0'))
        })
    }
}

fn put_digits(mut number: usize, place: &mut [u8]) {
    for digit in place.iter_mut().rev() {
        // A remainder of ten fits.
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}
