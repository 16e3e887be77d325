//! The types that a resource may return.

use std::borrow::Cow;

use serde::Serialize;

use super::{ResourceContents, ResourceResult};
use crate::call::{Error, IntoError};
use crate::content::{Text, finite};
use crate::tool::Json;

/// The types that a resource may return.
///
/// | type | contents |
/// |---|---|
/// | `String`, `&'static str`, [`Text`] | text |
/// | `Vec<u8>`, `&'static [u8]`, `bytes::Bytes` (features `http`, `net`) | bytes, in base64 on the wire |
/// | [`Json<T>`] | the value as JSON text, `application/json` |
/// | [`ResourceContents`] | itself: text or bytes with a media type |
/// | `Vec<ResourceContents>`, [`ResourceResult`] | several contents |
/// | `Option<T>` | `T`'s contents; `None` is answered as a URI that does not exist |
/// | `Result<T, Error>` | `T`'s contents, or a JSON-RPC error |
#[diagnostic::on_unimplemented(
    message = "a resource cannot return `{Self}`",
    label = "not the contents of a resource",
    note = "return text, bytes, `Json<T>`, `ResourceContents`, `Option` of these (`None`: not found), or `Result<_, mcp_kit::Error>`"
)]
pub trait IntoResourceResult {
    /// Converts the value into the result.
    ///
    /// # Errors
    ///
    /// Returns the resource's own failure, or an internal error if the value has
    /// no JSON form.
    fn into_resource_result(self) -> Result<ResourceResult, Error>;
}

impl IntoResourceResult for ResourceResult {
    fn into_resource_result(self) -> Result<ResourceResult, Error> {
        Ok(self)
    }
}

impl IntoResourceResult for ResourceContents {
    fn into_resource_result(self) -> Result<ResourceResult, Error> {
        Ok(self.into())
    }
}

impl IntoResourceResult for Vec<ResourceContents> {
    fn into_resource_result(self) -> Result<ResourceResult, Error> {
        Ok(ResourceResult::new(self))
    }
}

impl<T: IntoResourceResult> IntoResourceResult for Option<T> {
    fn into_resource_result(self) -> Result<ResourceResult, Error> {
        match self {
            Some(value) => value.into_resource_result(),
            None => Err(Error::not_found("Resource not found")),
        }
    }
}

impl<T: IntoResourceResult, E: IntoError> IntoResourceResult for Result<T, E> {
    fn into_resource_result(self) -> Result<ResourceResult, Error> {
        self.map_err(E::into_error)?.into_resource_result()
    }
}

impl<T: Serialize> IntoResourceResult for Json<T> {
    fn into_resource_result(self) -> Result<ResourceResult, Error> {
        let json = finite::to_json(&self.0)?;
        let contents = ResourceContents::from_text(json.get());
        Ok(contents.with_mime_type("application/json").into())
    }
}

impl IntoResourceResult for Text {
    fn into_resource_result(self) -> Result<ResourceResult, Error> {
        self.as_str().to_owned().into_resource_result()
    }
}

macro_rules! contents {
    ($make:ident: $($type:ty),*) => {$(
        impl IntoResourceResult for $type {
            fn into_resource_result(self) -> Result<ResourceResult, Error> {
                Ok(ResourceContents::$make(self).into())
            }
        }
    )*};
}
contents!(from_text: String, &'static str, Cow<'static, str>, Box<str>);
contents!(from_bytes: Vec<u8>, &'static [u8], Box<[u8]>);
#[cfg(any(feature = "http", feature = "net"))]
contents!(from_bytes: bytes::Bytes);

impl<const N: usize> IntoResourceResult for &'static [u8; N] {
    fn into_resource_result(self) -> Result<ResourceResult, Error> {
        self.as_slice().into_resource_result()
    }
}
