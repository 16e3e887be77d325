//! The types that a method may return.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::call::{Error, IntoError};
use crate::content::{MethodResult, NoResult};
use crate::tool::Json;

/// The types that a function of an extension may return. The result is a JSON object.
///
/// | type | result |
/// |---|---|
/// | [`Json<T>`] | `T`, which must serialise to an object without `resultType` and `_meta`, which the server writes |
/// | `Map<String, Value>` | the map, under the same rules |
/// | `()` | an empty object |
/// | [`MethodResult`] | itself |
/// | `Result<T, Error>` | `T`'s result, or a JSON-RPC error |
///
/// What a notification's function returns is dropped, except errors, which are logged.
#[diagnostic::on_unimplemented(
    message = "a method of an extension cannot return `{Self}`",
    label = "not the result of a method",
    note = "the result is a JSON object: return `Json<T>`, `()`, `Map<String, Value>`, or `Result<_, Error>` of these"
)]
pub trait IntoMethodResult {
    /// Converts the value into the result.
    ///
    /// # Errors
    ///
    /// Returns the function's own failure, or an internal error if the value is not an
    /// object that can be a result.
    fn into_method_result(self) -> Result<MethodResult, Error>;
}

impl IntoMethodResult for MethodResult {
    fn into_method_result(self) -> Result<MethodResult, Error> {
        Ok(self)
    }
}

impl<T: Serialize> IntoMethodResult for Json<T> {
    fn into_method_result(self) -> Result<MethodResult, Error> {
        of(&self.0)
    }
}

impl IntoMethodResult for Map<String, Value> {
    fn into_method_result(self) -> Result<MethodResult, Error> {
        of(&self)
    }
}

impl IntoMethodResult for () {
    fn into_method_result(self) -> Result<MethodResult, Error> {
        Ok(MethodResult::empty())
    }
}

impl<T: IntoMethodResult, E: IntoError> IntoMethodResult for Result<T, E> {
    fn into_method_result(self) -> Result<MethodResult, Error> {
        self.map_err(E::into_error)?.into_method_result()
    }
}

fn of(value: &impl Serialize) -> Result<MethodResult, Error> {
    MethodResult::of(value).map_err(|why| match why {
        NoResult::Json(error) => Error::internal(error),
        NoResult::NoObject => Error::internal(
            "the result of a method must serialise to a JSON object; put the value into a struct",
        ),
        NoResult::Reserved(member) => Error::internal(format!(
            "the result of a method has the member \"{member}\", which the server writes; rename it"
        )),
    })
}
