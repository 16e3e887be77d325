//! The parameters of every method that the server supports, read in the same
//! pass as the message around them. Their values remain raw text, which the
//! method's own code parses.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A request's or notification's `params`. Members with other names are
/// skipped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params<'a> {
    pub(crate) name: Option<&'a RawValue>,
    pub(crate) uri: Option<&'a RawValue>,
    pub(crate) arguments: Option<&'a RawValue>,
    pub(crate) cursor: Option<&'a RawValue>,
    pub(crate) protocol_version: Option<&'a RawValue>,
    pub(crate) client_info: Option<&'a RawValue>,
    /// The capabilities of the client that sends `initialize`.
    pub(crate) capabilities: Option<&'a RawValue>,
    /// The answers of the client, in a further round of a call.
    pub(crate) input_responses: Option<&'a RawValue>,
    /// The state of the rounds before.
    pub(crate) request_state: Option<&'a RawValue>,
    /// The level of `logging/setLevel`.
    pub(crate) level: Option<&'a RawValue>,
    /// The task that a request is about.
    pub(crate) task_id: Option<&'a RawValue>,
    /// The prompt or template of `completion/complete`.
    pub(crate) reference: Option<&'a RawValue>,
    /// The argument of `completion/complete`.
    pub(crate) argument: Option<&'a RawValue>,
    /// The other arguments of `completion/complete`.
    pub(crate) context: Option<&'a RawValue>,
    pub(crate) request_id: Option<&'a RawValue>,
    pub(crate) notifications: Option<&'a RawValue>,
    pub(crate) meta: Option<&'a RawValue>,
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Member {
    Name,
    Uri,
    Arguments,
    Cursor,
    ProtocolVersion,
    ClientInfo,
    Capabilities,
    InputResponses,
    RequestState,
    TaskId,
    Level,
    #[serde(rename = "ref")]
    Reference,
    Argument,
    Context,
    RequestId,
    Notifications,
    #[serde(rename = "_meta")]
    Meta,
    #[serde(other)]
    Other,
}

/// Returns the members of an object in their order, repeated ones too. Of anything
/// else there are none.
pub(crate) fn members(object: &RawValue) -> Vec<(Cow<'_, str>, &RawValue)> {
    struct All;

    impl<'de> Visitor<'de> for All {
        type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }

    let mut json = serde_json::Deserializer::from_str(object.get());
    json.deserialize_map(All).unwrap_or_default()
}

/// Returns the arguments of a method whose parameters are its arguments: all but
/// `_meta`.
pub(crate) fn without_meta(params: &RawValue) -> String {
    let mut text = String::with_capacity(params.get().len());
    text.push('{');
    for (name, value) in members(params) {
        if name == "_meta" {
            continue;
        }
        if text.len() > 1 {
            text.push(',');
        }
        // A text always has a JSON form.
        text.push_str(&serde_json::to_string(&name).unwrap_or_default());
        text.push(':');
        text.push_str(value.get());
    }
    text.push('}');
    text
}

/// Accepts only objects: a derived implementation would also accept a list.
impl<'de: 'a, 'a> Deserialize<'de> for Params<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ParamsVisitor)
    }
}

struct ParamsVisitor;

impl<'de> Visitor<'de> for ParamsVisitor {
    type Value = Params<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut params = Params::default();
        while let Some(member) = map.next_key()? {
            let place = match member {
                Member::Name => &mut params.name,
                Member::Uri => &mut params.uri,
                Member::Arguments => &mut params.arguments,
                Member::Cursor => &mut params.cursor,
                Member::ProtocolVersion => &mut params.protocol_version,
                Member::ClientInfo => &mut params.client_info,
                Member::Capabilities => &mut params.capabilities,
                Member::InputResponses => &mut params.input_responses,
                Member::RequestState => &mut params.request_state,
                Member::Level => &mut params.level,
                Member::TaskId => &mut params.task_id,
                Member::Reference => &mut params.reference,
                Member::Argument => &mut params.argument,
                Member::Context => &mut params.context,
                Member::RequestId => &mut params.request_id,
                Member::Notifications => &mut params.notifications,
                Member::Meta => &mut params.meta,
                Member::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if place.replace(map.next_value()?).is_some() {
                return Err(Error::custom("repeated member"));
            }
        }
        Ok(params)
    }
}
