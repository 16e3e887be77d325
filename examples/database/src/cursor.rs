//! Cursors: where the next page of a query begins, sealed.
//!
//! ```text
//! base64url( version · first row · expiry · HMAC-SHA256 )
//!                                   └─ key, the same, caller, query, parameters
//! ```
//!
//! A cursor holds nothing but a position. The client sends the query again, and
//! the tag binds the position to that query, its parameters and the caller. So
//! the server keeps nothing, any replica with the same key can go on, and a
//! cursor that leaks is of no use to another caller.

use std::{
    io,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use mcp_kit::{Principal, ToolError};
use ring::{
    hmac,
    rand::{self, SecureRandom as _},
};
use serde_json::Value;

use crate::limits::CURSOR_LIFE;

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 17;
const TAG_BYTES: usize = 32;

/// The fewest bytes of a configured key.
pub const MIN_KEY_BYTES: usize = 32;

/// Makes and checks cursors.
#[derive(Clone)]
pub struct Cursors(hmac::Key);

/// What a cursor belongs to.
pub struct Pages<'a> {
    /// The caller.
    pub caller: &'a Principal,
    /// The query.
    pub sql: &'a str,
    /// Its parameters.
    pub params: &'a [Value],
}

impl Cursors {
    /// With a key of this process: cursors end with it.
    ///
    /// # Errors
    ///
    /// When the operating system has no random numbers.
    pub fn new() -> io::Result<Self> {
        let mut key = [0; MIN_KEY_BYTES];
        rand::SystemRandom::new()
            .fill(&mut key)
            .map_err(|_| io::Error::other("the operating system has no random numbers"))?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// With a key that replicas share; `None` if it has less than
    /// [`MIN_KEY_BYTES`].
    pub fn with_key(key: &[u8]) -> Option<Self> {
        (key.len() >= MIN_KEY_BYTES).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, key)))
    }

    /// A cursor for the page that begins after `row` rows.
    pub fn seal(&self, pages: &Pages<'_>, row: u64) -> String {
        self.seal_until(pages, row, SystemTime::now() + CURSOR_LIFE)
    }

    fn seal_until(&self, pages: &Pages<'_>, row: u64, expiry: SystemTime) -> String {
        let mut cursor = vec![VERSION];
        cursor.extend(row.to_be_bytes());
        cursor.extend(seconds(expiry).to_be_bytes());
        let tag = hmac::sign(&self.0, &pages.sealed(&cursor));
        cursor.extend(tag.as_ref());
        BASE64.encode(cursor)
    }

    /// Where the page begins.
    ///
    /// # Errors
    ///
    /// A message for the client if the cursor is not of this query, these
    /// parameters and this caller, or has expired.
    pub fn open(&self, pages: &Pages<'_>, cursor: &str) -> Result<u64, ToolError> {
        // One text for all reasons: a forger learns nothing from it.
        let unknown = || {
            ToolError::user(
                "The cursor does not belong to this query. Send it with exactly the sql and params of the call that returned it, or leave it out to begin again.",
            )
        };
        let cursor = BASE64.decode(cursor).map_err(|_| unknown())?;
        if cursor.len() != HEAD_BYTES + TAG_BYTES {
            return Err(unknown());
        }
        let (head, tag) = cursor.split_at(HEAD_BYTES);
        hmac::verify(&self.0, &pages.sealed(head), tag).map_err(|_| unknown())?;
        let number = |at: usize| {
            let bytes = head.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u64::from_be_bytes).ok_or_else(unknown)
        };
        if head[0] != VERSION {
            return Err(unknown());
        }
        if number(9)? < seconds(SystemTime::now()) {
            return Err(ToolError::user(
                "The cursor has expired. Run the query again without it.",
            ));
        }
        number(1)
    }
}

impl Pages<'_> {
    /// What is sealed: each part with its length before it, so that no text can
    /// move from one part to the next.
    fn sealed(&self, head: &[u8]) -> Vec<u8> {
        let params = Value::from(self.params).to_string();
        let mut sealed = Vec::new();
        for part in [
            head,
            self.caller.name().as_bytes(),
            self.sql.as_bytes(),
            params.as_bytes(),
        ] {
            sealed.extend((part.len() as u64).to_be_bytes());
            sealed.extend(part);
        }
        sealed
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pages<'a>(caller: &'a Principal, sql: &'a str, params: &'a [Value]) -> Pages<'a> {
        Pages {
            caller,
            sql,
            params,
        }
    }

    #[test]
    fn a_cursor_opens_for_its_query_parameters_and_caller_alone() {
        let cursors = Cursors::new().expect("a key");
        let none: [&str; 0] = [];
        let (ada, bob) = (Principal::new("ada", none), Principal::new("bob", none));
        let one = [json!(1)];
        let own = pages(&ada, "select $1", &one);
        let cursor = cursors.seal(&own, 50);
        assert_eq!(cursors.open(&own, &cursor).expect("its own"), 50);

        for other in [
            pages(&bob, "select $1", &one),
            pages(&ada, "select $1 ", &one),
            pages(&ada, "select $1", &[json!("1")]),
            pages(&ada, "select $1", &[]),
        ] {
            assert!(cursors.open(&other, &cursor).is_err());
        }
        let another = Cursors::new().expect("a key");
        assert!(another.open(&own, &cursor).is_err(), "another key");
    }

    #[test]
    fn a_changed_cursor_is_refused_at_every_byte() {
        let cursors = Cursors::with_key(&[7; 32]).expect("long enough");
        let ada = Principal::unrestricted("ada");
        let own = pages(&ada, "select 1", &[]);
        let cursor = BASE64.decode(cursors.seal(&own, 50)).expect("base64");
        for at in 0..cursor.len() {
            let mut forged = cursor.clone();
            forged[at] ^= 1;
            assert!(cursors.open(&own, &BASE64.encode(forged)).is_err(), "{at}");
        }
        for forged in ["", "AAAA", "not base64!", &"A".repeat(66)] {
            let error = cursors.open(&own, forged).expect_err(forged);
            assert!(error.message().expect("words").contains("does not belong"));
        }
    }

    #[test]
    fn an_old_cursor_has_expired() {
        let cursors = Cursors::with_key(&[7; 32]).expect("long enough");
        let ada = Principal::unrestricted("ada");
        let own = pages(&ada, "select 1", &[]);
        let past = SystemTime::now() - Duration::from_secs(2);
        let error = cursors.open(&own, &cursors.seal_until(&own, 1, past));
        let error = error.expect_err("too old");
        assert!(error.message().expect("words").contains("expired"));
    }

    #[test]
    fn a_short_key_is_refused() {
        assert!(Cursors::with_key(&[7; 31]).is_none());
    }
}
