//! A client: a connection, a key and, before 2026-07-28, a session.

use super::connection::Connection;
use super::request::Requests;
use super::response::Response;
use crate::call::{Call, Era, unexpected};

/// One client that makes one call at a time.
pub(super) struct Caller {
    connection: Connection,
    /// The request for a call, whose message is the last bytes.
    request: Vec<u8>,
    message: usize,
    /// The call whose answer is missing.
    number: usize,
}

impl Caller {
    /// Makes a connection ready for calls. It is the `index`th one.
    pub(super) fn greet(
        mut connection: Connection,
        index: usize,
        requests: &Requests,
        call: &Call,
        tool: &str,
        era: Era,
    ) -> Result<Self, String> {
        let request = match era {
            Era::Modern => requests.modern_call(index, tool, call.message()),
            Era::Legacy => {
                let session = open_session(&mut connection, index, requests)?;
                requests.legacy_call(index, session.as_deref(), call.message())
            }
        };
        Ok(Caller {
            connection,
            message: request.len() - call.message().len(),
            request,
            number: 0,
        })
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Makes the call of this number.
    pub(super) fn send(&mut self, call: &Call, number: usize) -> Result<(), String> {
        self.number = number;
        call.number(&mut self.request[self.message..], number);
        self.connection.send(&self.request)
    }

    /// Waits for bytes, and says whether they complete the call's right answer.
    pub(super) fn receive(&mut self, call: &Call) -> Result<bool, String> {
        let Some(response) = self.connection.receive()? else {
            return Ok(false);
        };
        if response.status != 200 {
            return Err(refused(&response));
        }
        match call.answered(response.body)? {
            number if number == self.number => Ok(true),
            _ => Err(refused(&response)),
        }
    }

    /// Makes one call and waits for its answer.
    pub(super) fn call_once(&mut self, call: &Call) -> Result<(), String> {
        self.send(call, 0)?;
        while !self.receive(call)? {}
        Ok(())
    }
}

/// The handshake of the legacy era. Gives the session's id, if there is one.
pub(super) fn open_session(
    connection: &mut Connection,
    caller: usize,
    requests: &Requests,
) -> Result<Option<String>, String> {
    let response = connection.ask(&requests.initialize(caller))?;
    if response.status != 200 || memchr::memmem::find(response.body, br#""result":"#).is_none() {
        return Err(format!(
            "the server refused the handshake: {}",
            refused(&response)
        ));
    }
    let session = response.session.map(str::to_owned);
    let response = connection.ask(&requests.initialized(caller, session.as_deref()))?;
    match response.status {
        202 => Ok(session),
        _ => Err(format!(
            "the server refused the handshake: {}",
            refused(&response)
        )),
    }
}

fn refused(response: &Response<'_>) -> String {
    format!("status {}, {}", response.status, unexpected(response.body))
}
