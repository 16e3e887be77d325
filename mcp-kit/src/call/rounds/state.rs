//! What a client carries from one round of its call to the next.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::canonical::digest_of_json;
use super::key::Key;
use super::seal;
use crate::call::{CallContext, Error, ErrorKind, Home};
use crate::primitive::Kind;
use crate::protocol::json_string;
use crate::protocol::params::each_member;

/// The state of a call between two rounds.
#[derive(Serialize, Deserialize)]
pub(super) struct State {
    /// The id of the logical call, which only the server can have made.
    pub(super) id: String,
    /// In milliseconds since 1970.
    pub(super) expires: u64,
    /// The answers so far, by the keys of their questions.
    pub(super) answers: BTreeMap<Key, Box<RawValue>>,
    /// The keys of the questions that were asked.
    pub(super) asked: BTreeSet<Key>,
    /// The results of steps that run once.
    pub(super) once: BTreeMap<String, Box<RawValue>>,
}

/// What a state belongs to: the server, the caller, the primitive and the
/// arguments.
pub(super) struct Bound(Vec<u8>);

impl Bound {
    pub(super) fn of(call: &CallContext) -> Self {
        let info = &call.target.info;
        let sent = call.sent();
        let arguments = sent.map_or_else(|| call.arguments_text(), |sent| &sent.arguments);
        let arguments = digest_of_json(arguments);
        let mut bound = Vec::with_capacity(128);
        let parts = [
            call.home.keys().server.as_bytes(),
            call.principal.name().as_bytes(),
            info.kind().as_str().as_bytes(),
            call.key().as_bytes(),
            &arguments,
        ];
        // A middleware may not change them in the same way in each round, so what the
        // client has sent counts, beside what is called.
        for part in parts
            .into_iter()
            .chain(sent.map(|sent| sent.key.as_bytes()))
        {
            bound.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bound.extend_from_slice(part);
        }
        Self(bound)
    }
}

impl State {
    /// Seals the state, which is valid from now on.
    pub(super) fn seal(
        mut self,
        home: &dyn Home,
        bound: &Bound,
        kind: Kind,
    ) -> Result<String, Error> {
        let settings = home.rounds();
        self.expires = millis(SystemTime::now().checked_add(settings.time));
        let plain = serde_json::to_vec(&self).map_err(Error::internal)?;
        let most = settings.state_bytes;
        if plain.len() > most {
            return Err(Error::refusal(
                ErrorKind::User,
                format!(
                    "The answers to this {kind}'s questions have {} bytes together with its state, and at most {most} are kept.",
                    plain.len()
                ),
            ));
        }
        seal::seal(home.keys().key()?, &bound.0, &plain)
    }

    /// Opens the `requestState` of a request, given as JSON.
    pub(super) fn open(text: &str, home: &dyn Home, bound: &Bound) -> Result<Self, Error> {
        let sealed: Cow<'_, str> = json_string(text)
            .ok_or_else(|| invalid(r#"Invalid params: "requestState" must be a string"#))?;
        if sealed.len() > seal::length_of(home.rounds().state_bytes) {
            return Err(invalid(NOT_VALID));
        }
        let plain = seal::open(home.keys().keys()?, &bound.0, &sealed);
        let plain = plain.ok_or_else(|| invalid(NOT_VALID))?;
        let state: Self = serde_json::from_slice(&plain).map_err(|_| invalid(NOT_VALID))?;
        if state.expires <= millis(Some(SystemTime::now())) {
            return Err(invalid(
                "Invalid params: \"requestState\" has expired. Send the request again without it.",
            ));
        }
        Ok(state)
    }

    /// Returns the answers so far, with those of the request's `inputResponses`,
    /// given as JSON. Answers to questions that were not asked are ignored.
    pub(super) fn answered(
        &self,
        responses: Option<&str>,
    ) -> Result<BTreeMap<Key, Box<RawValue>>, Error> {
        let mut answers = self.answers.clone();
        read(responses, &mut |key, answer| {
            let known = Key::from_wire(&key).find(|key| self.asked.contains(key));
            if let Some(key) = known {
                answers.insert(key, answer.to_owned());
            }
        })?;
        Ok(answers)
    }
}

/// Returns the answers of a request without a state, by the names that questions can
/// have. There may be as many as questions.
pub(super) fn early(
    responses: Option<&str>,
    most: usize,
) -> Result<BTreeMap<Key, Box<RawValue>>, Error> {
    let mut answers = BTreeMap::new();
    let mut number = 0;
    read(responses, &mut |name, answer| {
        number += 1;
        if number <= most {
            answers.insert(Key::named(&name), answer.to_owned());
        }
    })?;
    match number <= most {
        true => Ok(answers),
        false => Err(invalid(
            r#"Invalid params: "inputResponses" has more answers than a call may ask questions"#,
        )),
    }
}

/// Gives `take` the members of `inputResponses`, given as JSON.
fn read<'a>(
    responses: Option<&'a str>,
    take: &mut dyn FnMut(Cow<'a, str>, &'a RawValue),
) -> Result<(), Error> {
    let responses = responses.filter(|text| *text != "null");
    match responses.is_none_or(|text| each_member(text, take)) {
        true => Ok(()),
        false => Err(invalid(
            r#"Invalid params: "inputResponses" must be an object"#,
        )),
    }
}

/// What the client reads of a state that is not valid.
pub(crate) const NOT_VALID: &str = "Invalid params: \"requestState\" is not valid for this request: it was changed, or belongs to another caller, another request or other arguments. Send the request again without it.";

fn invalid(message: &'static str) -> Error {
    Error::refusal(ErrorKind::InvalidState, message)
}

fn millis(time: Option<SystemTime>) -> u64 {
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    u64::try_from(since.unwrap_or(Duration::ZERO).as_millis()).unwrap_or(u64::MAX)
}
