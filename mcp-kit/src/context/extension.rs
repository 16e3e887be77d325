//! Values that a middleware attached to the call.

use std::any::type_name;

use super::FromContext;
use crate::tool::{ToolCall, ToolError};

/// A value that a middleware attached with [`ToolCall::insert_extension`],
/// cloned for the handler.
///
/// A call on which no middleware has put one ends with an internal error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extension<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromContext for Extension<T> {
    fn from_context(call: &ToolCall) -> Result<Self, ToolError> {
        call.extension::<T>().cloned().map(Self).ok_or_else(|| {
            ToolError::internal(format!(
                "no middleware attached an extension `{}`",
                type_name::<T>()
            ))
        })
    }
}
