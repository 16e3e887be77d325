//! The parameters of every method that the server supports, read in the same
//! pass as the message around them. Their values remain raw text, which the
//! method's own code parses.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A request's or notification's `params`. Members with other names are
/// skipped.
///
/// It is moved several times on the way of a message, so it holds only what most
/// messages have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params<'a> {
    pub(crate) name: Option<&'a RawValue>,
    pub(crate) arguments: Option<&'a RawValue>,
    pub(crate) meta: Option<&'a RawValue>,
    rare: Option<Box<RareParams<'a>>>,
}

/// The parameters of methods that are called less often.
#[derive(Clone, Debug)]
pub(crate) struct RareParams<'a> {
    pub(crate) uri: Option<&'a RawValue>,
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
}

impl RareParams<'_> {
    const NONE: Self = Self {
        uri: None,
        cursor: None,
        protocol_version: None,
        client_info: None,
        capabilities: None,
        input_responses: None,
        request_state: None,
        level: None,
        task_id: None,
        reference: None,
        argument: None,
        context: None,
        request_id: None,
        notifications: None,
    };
}

impl<'a> Params<'a> {
    fn rare(&mut self) -> &mut RareParams<'a> {
        (self.rare).get_or_insert_with(|| Box::new(RareParams::NONE))
    }
}

impl<'a> Deref for Params<'a> {
    type Target = RareParams<'a>;

    fn deref(&self) -> &RareParams<'a> {
        self.rare.as_deref().unwrap_or(&RareParams::NONE)
    }
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

/// Gives `take` the members of an object in their order, repeated ones too. Of anything
/// else there are none; returns whether it is an object. Keeps none of them: their number
/// is up to the sender, who needs a few bytes for each.
pub(crate) fn each_member<'a>(
    object: &'a str,
    take: &mut dyn FnMut(Cow<'a, str>, &'a RawValue),
) -> bool {
    struct Each<'t, 'a>(&'t mut dyn FnMut(Cow<'a, str>, &'a RawValue));

    impl<'de> Visitor<'de> for Each<'_, 'de> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some((name, value)) = map.next_entry()? {
                (self.0)(name, value);
            }
            Ok(())
        }
    }

    let mut json = serde_json::Deserializer::from_str(object);
    (json.deserialize_map(Each(take)).and_then(|()| json.end())).is_ok()
}

/// Returns the members of an object that have these names; `null` counts as none.
/// `None` if it is not an object, or one of them is repeated.
///
/// Rare messages are read with it: a derived type costs 2 to 5 kB in the binary of every
/// server.
pub(crate) fn pick<'a, const N: usize>(
    object: &'a str,
    names: [&str; N],
) -> Option<[Option<&'a RawValue>; N]> {
    let mut places = [None; N];
    pick_into(object, &names, &mut places).then_some(places)
}

fn pick_into<'a>(object: &'a str, names: &[&str], places: &mut [Option<&'a RawValue>]) -> bool {
    let mut is_repeated = false;
    let is_object = each_member(object, &mut |name, value| {
        if let Some(at) = names.iter().position(|known| *known == name) {
            is_repeated |= places[at].replace(value).is_some();
        }
    });
    for place in places {
        *place = place.filter(|value| value.get() != "null");
    }
    is_object && !is_repeated
}

/// Returns the members of an object in their order, repeated ones too. Of anything
/// else there are none.
pub(crate) fn members(object: &RawValue) -> Vec<(Cow<'_, str>, &RawValue)> {
    let mut members = Vec::new();
    match each_member(object.get(), &mut |name, value| members.push((name, value))) {
        true => members,
        false => Vec::new(),
    }
}

/// Returns the first member of an object that has this name.
pub(crate) fn member<'a>(object: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    let mut found = None;
    let is_object = each_member(object.get(), &mut |other, value| {
        if found.is_none() && other == name {
            found = Some(value);
        }
    });
    found.filter(|_| is_object)
}

/// Returns an object with `_meta` as its member of that name, or with none.
pub(crate) fn with_meta(
    object: &RawValue,
    meta: Option<&RawValue>,
) -> Result<Box<RawValue>, serde_json::Error> {
    let mut text = without_meta(object);
    if let Some(meta) = meta {
        text.pop();
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str("\"_meta\":");
        text.push_str(meta.get());
        text.push('}');
    }
    RawValue::from_string(text)
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
                Member::Uri => &mut params.rare().uri,
                Member::Arguments => &mut params.arguments,
                Member::Cursor => &mut params.rare().cursor,
                Member::ProtocolVersion => &mut params.rare().protocol_version,
                Member::ClientInfo => &mut params.rare().client_info,
                Member::Capabilities => &mut params.rare().capabilities,
                Member::InputResponses => &mut params.rare().input_responses,
                Member::RequestState => &mut params.rare().request_state,
                Member::Level => &mut params.rare().level,
                Member::TaskId => &mut params.rare().task_id,
                Member::Reference => &mut params.rare().reference,
                Member::Argument => &mut params.rare().argument,
                Member::Context => &mut params.rare().context,
                Member::RequestId => &mut params.rare().request_id,
                Member::Notifications => &mut params.rare().notifications,
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn members_are_those_of_a_whole_object_or_none() {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let object = raw(r#"{"a":1,"b":2,"a":3}"#);
        assert_eq!(member(&object, "a").map(RawValue::get), Some("1"));
        assert_eq!(members(&object).len(), 3);
        assert!(pick(object.get(), ["b", "c"]).is_some_and(|[b, c]| b.is_some() && c.is_none()));
        assert!(pick(object.get(), ["a"]).is_none());
        // A name that is not a text: half of a surrogate pair.
        let broken = raw(r#"{"a":1,"\ud800":2}"#);
        assert!(member(&broken, "a").is_none() && members(&broken).is_empty());
        assert!(pick(broken.get(), ["a"]).is_none());
    }
}
