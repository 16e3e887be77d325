//! The first exchange with a client, before a runtime runs.
//!
//! Hosts wait for the answer to their first message before they show anything,
//! and starting a runtime's threads takes longer than everything else until
//! then. So the first message is read and answered on the bare descriptors; any
//! further bytes are kept for the connection.

#[cfg(all(feature = "stdio", unix))]
use std::io;
#[cfg(all(feature = "stdio", unix))]
use std::sync::Arc;

use super::lines::Lines;
use crate::call::{Origin, RequestSource, Transport};
use crate::caller::Principal;
#[cfg(all(feature = "stdio", unix))]
use crate::protocol::message::{Message, decode_one};
#[cfg(all(feature = "stdio", unix))]
use crate::server::methods;
use crate::server::{EnteredMessages, ServerInner, Session};

/// A limit above any greeting's size, in bytes.
#[cfg(all(feature = "stdio", unix))]
const LONGEST: usize = 32 * 1024;

/// The initial state of a connection.
pub(crate) struct Greeting {
    pub(super) lines: Lines,
    pub(super) session: Session,
    /// Answers that could not be written yet.
    pub(super) answers: Vec<u8>,
}

impl Greeting {
    /// Creates the state of a connection without any message.
    pub(crate) fn new(server: &ServerInner, principal: Principal) -> Self {
        Self {
            lines: Lines::new(server.limits.message_bytes),
            session: Session {
                principal,
                version: None,
                client: None,
                log_level: None,
                origin: Origin::of(Transport::Streams),
                source: RequestSource::default(),
                has_stream: true,
                follows: None,
                entered: EnteredMessages::default(),
                read_at: tokio::time::Instant::now(),
            },
            answers: Vec::new(),
        }
    }

    /// Sets how the connection's requests arrive.
    #[cfg(feature = "stdio")]
    pub(crate) fn from(mut self, origin: Origin) -> Self {
        self.session.origin = origin;
        self
    }
}

#[cfg(all(feature = "stdio", unix))]
impl Greeting {
    /// Reads once, and answers a greeting that this completes. Returns whether
    /// more bytes could complete one.
    pub(crate) fn advance(
        &mut self,
        server: &Arc<ServerInner>,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> bool {
        if !matches!(self.lines.fill(read), Ok(1..)) {
            return false; // the connection will meet the end, or the error, again
        }
        let Some(line) = self.lines.peek() else {
            // The connection handles a long line, and limits its length.
            return self.lines.rest() < LONGEST;
        };
        if !server.has_message_layers() // they may wait
            && let Ok(Message::Request(request)) = decode_one(line)
            && methods::find(&request.method).is_some_and(|method| method.is_greeting)
        {
            // Never a call: a greeting is not one.
            let _ = server.request(&mut self.session, &request, &mut self.answers);
            self.answers.push(b'\n');
            self.lines.skip();
        }
        false
    }

    /// Writes the answer at once if it is no longer than `longest`; an error is
    /// left for the connection, which will meet it again.
    pub(crate) fn write_short(
        &mut self,
        longest: usize,
        write: impl FnOnce(&[u8]) -> io::Result<usize>,
    ) {
        if (1..=longest).contains(&self.answers.len())
            && let Ok(written) = write(&self.answers)
        {
            self.answers.drain(..written);
        }
    }
}
