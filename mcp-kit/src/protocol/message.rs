//! Parses the bytes of a frame into a JSON-RPC message, in one pass.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::id::{LONGEST_ID, RequestId};
use super::params::{Params, each_member, pick};
use super::recover::recover_id;
use super::{ErrorCode, RpcError};

/// A message from the client.
#[derive(Debug)]
pub(crate) enum Message<'a> {
    Request(Request<'a>),
    Notification(Notification<'a>),
    /// An answer to a request that the server sent.
    Response(Response<'a>),
    /// A notification that cannot be read. JSON-RPC has no answer to it.
    Ignored,
}

/// The client's answer to a request of the server.
#[derive(Debug)]
pub(crate) struct Response<'a> {
    pub(crate) id: Option<RequestId>,
    /// The `result` or the `error` as JSON text; `None` if it cannot be read.
    pub(crate) outcome: Option<Result<&'a RawValue, &'a RawValue>>,
}

#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) id: RequestId,
    pub(crate) method: Cow<'a, str>,
    pub(crate) params: Params<'a>,
    /// The message as it arrived.
    pub(crate) text: &'a str,
}

#[derive(Clone, Debug)]
pub(crate) struct Notification<'a> {
    pub(crate) method: Cow<'a, str>,
    pub(crate) params: Params<'a>,
    /// The message as it arrived.
    pub(crate) text: &'a str,
}

/// Returns all of the `params` of a message that was decoded from this text.
/// [`Params`] has only those that methods of the protocol read.
pub(crate) fn whole_params(text: &str) -> Option<&RawValue> {
    pick(text, ["params"])?[0]
}

/// A message that cannot be served, with its id if one can be read.
#[derive(Debug)]
pub(crate) struct Malformed {
    pub(crate) id: Option<RequestId>,
    pub(crate) error: RpcError,
}

/// The contents of a frame.
#[derive(Debug)]
pub(crate) enum Frame<'a> {
    One(Result<Message<'a>, Malformed>),
    /// A JSON-RPC batch: each member is a frame of its own. One with too many
    /// has one more than that.
    Batch(Vec<&'a RawValue>),
}

/// Decodes one frame. Of a batch with more than `most` members only one further
/// member is kept: a member can be two bytes long.
pub(crate) fn decode(bytes: &[u8], most: usize) -> Frame<'_> {
    let bytes = without_mark(bytes);
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => {
            let mut json = serde_json::Deserializer::from_slice(bytes);
            let members = json.deserialize_seq(Members { most });
            match members.and_then(|members| json.end().map(|()| members)) {
                Ok(members) => Frame::Batch(members),
                Err(_) => Frame::One(Err(not_json(bytes))),
            }
        }
        _ => Frame::One(decode_one(bytes)),
    }
}

struct Members {
    most: usize,
}

impl<'de> Visitor<'de> for Members {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while members.len() <= self.most {
            match items.next_element()? {
                Some(member) => members.push(member),
                None => return Ok(members),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(members)
    }
}

/// A message without the byte order mark that some clients put before it.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Decodes one message that is not a batch.
pub(crate) fn decode_one(bytes: &[u8]) -> Result<Message<'_>, Malformed> {
    let bytes = without_mark(bytes);
    // Checking UTF-8 once here lets every later stage borrow `&str`.
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(Malformed {
            id: recover_id(bytes),
            error: RpcError::new(
                ErrorCode::ParseError,
                "Parse error: the message is not valid UTF-8",
            ),
        });
    };
    match serde_json::from_str::<Envelope<'_>>(text) {
        Ok(envelope) => envelope.into_message(text),
        Err(error) if error.is_data() => unreadable(text),
        Err(_) => out_of_range(text).unwrap_or_else(|| Err(not_json(bytes))),
    }
}

/// Reports what is wrong with the members of a message, or with those of its
/// parameters, in which case the id is still used.
#[cold]
fn unreadable(text: &str) -> Result<Message<'_>, Malformed> {
    let mut envelope = Envelope::default();
    let mut params = None;
    let mut is_repeated = false;
    let is_object = each_member(text, &mut |name, value| {
        let place = match &*name {
            "jsonrpc" => &mut envelope.jsonrpc,
            "id" => &mut envelope.id,
            "method" => &mut envelope.method,
            other => {
                match other {
                    "params" => is_repeated |= params.replace(value).is_some(),
                    "result" => envelope.outcome = Some(Ok(value)),
                    "error" => envelope.outcome = Some(Err(value)),
                    _ => {}
                }
                return;
            }
        };
        let scalar = serde_json::from_str(value.get()).unwrap_or(Scalar::Other);
        is_repeated |= place.replace(scalar).is_some();
    });
    if !is_object || is_repeated {
        return Err(Malformed {
            id: None,
            error: RpcError::invalid_request(
                "Invalid request: a JSON-RPC message is an object without repeated members",
            ),
        });
    }
    let is_object = params.is_some_and(|params| params.get().starts_with('{'));
    match envelope.into_message(text)? {
        Message::Request(request) => Err(Malformed {
            id: Some(request.id),
            error: RpcError::invalid_params(if is_object {
                "Invalid params: a member is given more than once"
            } else {
                r#"Invalid params: "params" must be an object"#
            }),
        }),
        // The `params` of a response have no meaning.
        Message::Response(response) => Ok(Message::Response(response)),
        Message::Notification(_) | Message::Ignored => Ok(Message::Ignored),
    }
}

/// Handles valid JSON that was not read: a number among the members is too
/// large for any type. Returns `None` if it is not JSON.
#[cold]
fn out_of_range(text: &str) -> Option<Result<Message<'_>, Malformed>> {
    let [id, method, result, error] = pick(text, ["id", "method", "result", "error"])?;
    if method.is_none() && (result.is_some() || error.is_some()) {
        return Some(Ok(Message::Response(Response {
            id: id.and_then(|id| RequestId::from_json(id.get())),
            outcome: None,
        })));
    }
    let id = id.map(RawValue::get);
    let is_scalar = |id: &str| !id.starts_with(['{', '[']);
    Some(Err(match id {
        Some(id) if id.trim_matches('"').len() > LONGEST_ID && is_scalar(id) => overlong_id(),
        Some(id) if RequestId::from_json(id).is_none() => Malformed {
            id: None,
            error: RpcError::invalid_request(NO_ID),
        },
        id => Malformed {
            id: id.and_then(RequestId::from_json),
            error: RpcError::invalid_request(
                r#"Invalid request: "jsonrpc" and "method" must be strings"#,
            ),
        },
    }))
}

const NO_ID: &str = r#"Invalid request: "id" must be a string or a 64-bit integer"#;

fn overlong_id() -> Malformed {
    Malformed {
        id: None,
        error: RpcError::invalid_request(format!(
            "Invalid request: \"id\" is longer than {LONGEST_ID} bytes; send a shorter one"
        )),
    }
}

fn not_json(bytes: &[u8]) -> Malformed {
    Malformed {
        id: recover_id(bytes),
        error: RpcError::new(
            ErrorCode::ParseError,
            "Parse error: the message is not valid JSON",
        ),
    }
}

/// The members of a message. A wrong type in one of them must not hide the id
/// in another.
#[derive(Default)]
struct Envelope<'a> {
    jsonrpc: Option<Scalar<'a>>,
    id: Option<Scalar<'a>>,
    method: Option<Scalar<'a>>,
    params: Option<Params<'a>>,
    outcome: Option<Result<&'a RawValue, &'a RawValue>>,
}

/// A value that should be a string or an integer.
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Integer(i64),
    Unsigned(u64),
    Other,
}

impl<'a> Envelope<'a> {
    /// The message that was read from `text`.
    fn into_message(self, text: &'a str) -> Result<Message<'a>, Malformed> {
        let mut is_too_long = false;
        let id = self.id.map(|id| match id {
            Scalar::Text(id) if is_long(id.len(), matches!(id, Cow::Owned(_)), text) => {
                is_too_long = true;
                None
            }
            Scalar::Text(text) => Some(RequestId::String(text.into())),
            Scalar::Integer(number) => Some(RequestId::Integer(number)),
            Scalar::Unsigned(number) => Some(RequestId::Unsigned(number)),
            Scalar::Other => None,
        });
        let invalid = |id: Option<Option<RequestId>>, message: &'static str| {
            Err(Malformed {
                id: id.flatten(),
                error: RpcError::invalid_request(message),
            })
        };
        if !matches!(&self.jsonrpc, Some(Scalar::Text(version)) if version == "2.0") {
            return invalid(id, r#"Invalid request: "jsonrpc" must be the string "2.0""#);
        }
        let method = match self.method {
            Some(Scalar::Text(method)) => method,
            Some(_) => return invalid(id, r#"Invalid request: "method" must be a string"#),
            None if self.outcome.is_some() => {
                return Ok(Message::Response(Response {
                    id: id.flatten(),
                    outcome: self.outcome,
                }));
            }
            None => return invalid(id, r#"Invalid request: "method" is missing"#),
        };
        let params = self.params.unwrap_or_default();
        match id {
            None => Ok(Message::Notification(Notification {
                method,
                params,
                text,
            })),
            Some(Some(id)) => Ok(Message::Request(Request {
                id,
                method,
                params,
                text,
            })),
            Some(None) if is_too_long => Err(overlong_id()),
            Some(None) => invalid(None, NO_ID),
        }
    }
}

/// Whether an id of `length` bytes, read from the message `text`, is too long.
/// What the client wrote counts: with escapes it is longer than what was read.
fn is_long(length: usize, has_escapes: bool, text: &str) -> bool {
    /// The bytes of the longest escape of a single byte, such as `\u0041`.
    const LONGEST_ESCAPE: usize = 6;

    length > LONGEST_ID
        || (has_escapes
            && length * LONGEST_ESCAPE > LONGEST_ID
            && recover_id(text.as_bytes()).is_none())
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(text.to_owned().into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Scalar::Unsigned(number), Scalar::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Envelope<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EnvelopeVisitor)
    }
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut envelope = Envelope::default();
        let mut has_params = false;
        while let Some(member) = map.next_key()? {
            let is_repeated = match member {
                Member::Jsonrpc => envelope.jsonrpc.replace(map.next_value()?).is_some(),
                Member::Id => envelope.id.replace(map.next_value()?).is_some(),
                Member::Method => envelope.method.replace(map.next_value()?).is_some(),
                Member::Params => {
                    // `null` is what some clients send for "none".
                    envelope.params = map.next_value()?;
                    std::mem::replace(&mut has_params, true)
                }
                Member::Result => {
                    envelope.outcome = Some(Ok(map.next_value()?));
                    false
                }
                Member::Error => {
                    envelope.outcome = Some(Err(map.next_value()?));
                    false
                }
                Member::Other => {
                    map.next_value::<IgnoredAny>()?;
                    false
                }
            };
            // Two ids or two methods: readers differ in which one they use, and
            // such differences let messages get past filters.
            if is_repeated {
                return Err(serde::de::Error::custom("repeated member"));
            }
        }
        Ok(envelope)
    }
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Member {
    Jsonrpc,
    Id,
    Method,
    Params,
    Result,
    Error,
    #[serde(other)]
    Other,
}

#[cfg(test)]
mod tests;
