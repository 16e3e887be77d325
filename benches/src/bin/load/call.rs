//! The call that every transport carries, and what its answer has to look like.
//!
//! It is prepared bytes in which only the id changes, and an answer is looked at
//! just enough to know that it is the right one. So the load costs little beside
//! the server.

use std::ops::Range;

use clap::ValueEnum;
use memchr::memmem::Finder;

/// Ids have ten digits from the first to the last, so that all requests are of
/// one length.
const FIRST_ID: usize = 1_000_000_000;
const ID_DIGITS: usize = 10;

/// What every request of the modern era carries in its parameters.
const META: &str = r#","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"load","version":"0"}}"#;

/// The kind of request: before 2026-07-28 or from then on.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Era {
    /// As after `initialize`.
    Legacy,
    /// With the request's own `_meta`.
    Modern,
}

/// A `tools/call` request.
pub(crate) struct Call {
    message: Vec<u8>,
    /// Where the id's digits are.
    id: Range<usize>,
    expect: Finder<'static>,
    error_mark: Finder<'static>,
    id_mark: Finder<'static>,
}

impl Call {
    pub(crate) fn new(tool: &str, arguments: &str, expect: &str, era: Era) -> Result<Self, String> {
        if !tool.bytes().all(|byte| byte.is_ascii_graphic())
            || tool.contains(['"', '\\'])
            || arguments.contains('\n')
        {
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
        Ok(Call {
            message: format!("{start}{FIRST_ID}{rest}").into_bytes(),
            id: start.len()..start.len() + ID_DIGITS,
            expect: Finder::new(expect).into_owned(),
            error_mark: Finder::new(r#""isError":true"#),
            id_mark: Finder::new(r#""id":"#),
        })
    }

    /// The request under some id: the same length for each.
    pub(crate) fn message(&self) -> &[u8] {
        &self.message
    }

    /// Makes `message`, a copy, the call of this number. They count from 0.
    pub(crate) fn number(&self, message: &mut [u8], number: usize) {
        let mut id = FIRST_ID + number;
        for digit in message[self.id.clone()].iter_mut().rev() {
            // A remainder of ten fits.
            *digit = b'0' + (id % 10) as u8;
            id /= 10;
        }
    }

    /// The number of the call to which this is the right answer.
    pub(crate) fn answered(&self, answer: &[u8]) -> Result<usize, String> {
        let right = self.expect.find(answer).is_some() && self.error_mark.find(answer).is_none();
        self.id_of(answer)
            .and_then(|id| id.checked_sub(FIRST_ID))
            .filter(|_| right)
            .ok_or_else(|| unexpected(answer))
    }

    fn id_of(&self, answer: &[u8]) -> Option<usize> {
        let rest = &answer[self.id_mark.find(answer)? + self.id_mark.needle().len()..];
        let digits = rest.get(..ID_DIGITS)?;
        digits.iter().try_fold(0, |id, byte| {
            byte.is_ascii_digit()
                .then(|| id * 10 + usize::from(byte - b'0'))
        })
    }
}

/// Says that an answer is none, or the wrong one.
pub(crate) fn unexpected(answer: &[u8]) -> String {
    format!(
        "not an answer that was expected: {}",
        String::from_utf8_lossy(answer).trim_end()
    )
}
