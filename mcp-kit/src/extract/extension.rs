//! Typed values that an authenticator attached to the caller, or a middleware to
//! the call.

use std::any::type_name;

use crate::call::{Call, ToolError};
use crate::extract::FromContext;

/// A value that a middleware attached with [`Call::insert_extension`] or, if
/// none did, an authenticator with
/// [`Principal::with_extension`](super::Principal::with_extension); cloned for the
/// handler.
///
/// A call without one ends with an internal error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extension<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromContext for Extension<T> {
    fn from_context(call: &Call) -> Result<Self, ToolError> {
        let attached = call.extension::<T>();
        let attached = attached.or_else(|| call.principal().extension::<T>());
        attached.cloned().map(Self).ok_or_else(|| {
            ToolError::internal(format!(
                "no middleware attached an extension `{0}`, and the principal has none",
                type_name::<T>()
            ))
        })
    }
}
