//! Typed values that an authenticator attached to the caller, or a middleware to
//! the call.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::FromContext;
use crate::tool::{ToolCall, ToolError};

/// A value that a middleware attached with [`ToolCall::insert_extension`] or, if
/// none did, an authenticator with
/// [`Principal::with_extension`](super::Principal::with_extension); cloned for the
/// handler.
///
/// A call without one ends with an internal error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extension<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromContext for Extension<T> {
    fn from_context(call: &ToolCall) -> Result<Self, ToolError> {
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

/// Values by their types, one of each. Cloning is cheap, and copies none of them.
#[derive(Clone, Default)]
pub(crate) struct Extensions(Option<Arc<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>);

impl Extensions {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        let values = self.0.get_or_insert_default();
        Arc::make_mut(values).insert(TypeId::of::<T>(), Arc::new(value));
    }

    #[cfg(feature = "http")]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn get<T: 'static>(&self) -> Option<&T> {
        self.0.as_ref()?.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

/// Without the values, which may be secret.
impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.as_ref().map_or(0, |values| values.len());
        write!(f, "Extensions({count} values)")
    }
}
