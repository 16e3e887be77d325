//! Typed values that an authenticator attached to the caller, or a middleware to
//! the call.

use std::any::type_name;

use super::{FromCall, OptionalFromCall, Requirements};
use crate::call::{Call, Error};

/// A value that a middleware attached with [`Call::insert_extension`] or, if
/// none did, an authenticator with
/// [`Principal::with_extension`](super::Principal::with_extension); cloned for the
/// handler.
///
/// A call without one ends with an internal error; take `Option<Extension<T>>` if it
/// may be absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extension<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromCall for Extension<T> {
    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        attached(call).ok_or_else(|| {
            Error::internal(format!(
                "no middleware attached an extension `{0}`, and the principal has none",
                type_name::<T>()
            ))
        })
    }

    fn requires(requirements: &mut Requirements) {
        requirements.caller();
    }
}

impl<T: Clone + Send + Sync + 'static> OptionalFromCall for Extension<T> {
    async fn from_call(call: &mut Call) -> Result<Option<Self>, Error> {
        Ok(attached(call))
    }

    fn requires(requirements: &mut Requirements) {
        requirements.caller();
    }
}

fn attached<T: Clone + Send + Sync + 'static>(call: &Call) -> Option<Extension<T>> {
    let attached = call.extension::<T>();
    let attached = attached.or_else(|| call.principal().extension::<T>());
    attached.cloned().map(Extension)
}
