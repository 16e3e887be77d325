//! The result of a method of an extension.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::finite;
use crate::protocol::encode;
use crate::protocol::params::members;

/// The result of a method of an extension: a JSON object, to which the server adds the
/// members that every result has (`resultType`, `_meta`).
///
/// Handlers return [`Json<T>`](crate::Json) or another type that becomes one
/// ([`IntoMethodResult`](crate::extension::IntoMethodResult)); middlewares receive it
/// in [`Reply::Method`](crate::call::Reply::Method).
#[derive(Clone, Debug)]
pub struct MethodResult(Box<RawValue>);

/// Why a value is not the result of a method.
#[derive(Debug)]
pub(crate) enum NoResult {
    Json(serde_json::Error),
    NoObject,
    Reserved(&'static str),
}

/// The members that the server writes.
const RESERVED: [&str; 2] = ["resultType", "_meta"];

impl MethodResult {
    /// Creates the result of a value that serialises to an object.
    pub(crate) fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, NoResult> {
        let json = finite::to_json(value).and_then(encode::on_one_line);
        let json = json.map_err(NoResult::Json)?;
        if !json.get().starts_with('{') {
            return Err(NoResult::NoObject);
        }
        let members = members(&json);
        let is_given = |reserved: &&&str| members.iter().any(|(name, _)| name == **reserved);
        if let Some(reserved) = RESERVED.iter().find(is_given) {
            return Err(NoResult::Reserved(reserved));
        }
        Ok(Self(json))
    }

    /// Returns the result without members.
    pub(crate) fn empty() -> Self {
        Self(RawValue::from_string("{}".to_owned()).unwrap_or_default())
    }

    /// Returns the object as JSON, on one line.
    #[must_use]
    pub fn as_json(&self) -> &str {
        self.0.get()
    }

    /// Returns the object as a value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.read().unwrap_or_default()
    }

    /// Reads the object as a type; `None` if it has another form.
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.as_json()).ok()
    }

    /// Returns the members, without braces.
    pub(crate) fn members(&self) -> &str {
        let object = self.as_json();
        object.get(1..object.len() - 1).unwrap_or_default()
    }

    /// Returns its bytes as JSON.
    pub(crate) fn size(&self) -> usize {
        self.as_json().len()
    }
}
