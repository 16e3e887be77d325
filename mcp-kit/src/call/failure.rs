//! The failure of a call, as its kind turns it into what the client reads.

use serde_json::json;

use super::{ErrorKind, Outcome, Reply};
use crate::protocol::{Era, ErrorCode, RpcError};

/// A failure whose text the client may read.
pub(crate) struct Failure<'a> {
    pub(crate) outcome: Outcome,
    /// The author's message, or a reference.
    pub(crate) text: String,
    /// The era of the client.
    pub(crate) era: Era,
    /// The name or URI under which the client called.
    pub(crate) key: &'a str,
}

/// Answers with a JSON-RPC error, as every kind does whose results cannot
/// report a failure: prompts, resources and completion.
///
/// What the client can correct, its arguments or an unknown name, is -32602.
/// Everything else is -32603. `data.reason` has the outcome's
/// word, as the log has it: `timeout`, `busy`, `rate_limited`. Of an internal error
/// or a panic the client reads the reference and nothing else.
pub(crate) fn as_protocol_error(failure: Failure<'_>) -> Result<Reply, RpcError> {
    let Failure { outcome, text, .. } = failure;
    let code = match outcome {
        Outcome::Failed(ErrorKind::InvalidArguments | ErrorKind::NotFound) => {
            ErrorCode::InvalidParams
        }
        _ => ErrorCode::InternalError,
    };
    let error = RpcError::new(code, text);
    Err(match outcome.has_reference() {
        true => error,
        false => error.with_data(json!({"reason": outcome.as_str()})),
    })
}
