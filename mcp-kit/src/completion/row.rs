//! The differences of completions from primitives: what is unknown is the
//! prompt or template, and a failure is a JSON-RPC error.

use crate::call::{KindRow, Reply, as_protocol_error};
use crate::primitive::Kind;
use crate::protocol::{Era, RpcError, encode};

static OF_PROMPTS: KindRow = KindRow {
    kind: Kind::Completion,
    has_text_arguments: true,
    write,
    failure: as_protocol_error,
    unknown: |_, _, name| RpcError::unknown(Kind::Prompt.as_str(), name),
};

static OF_TEMPLATES: KindRow = KindRow {
    unknown: |_, _, uri| RpcError::unknown("resource template", uri),
    ..OF_PROMPTS
};

/// Returns the row of the completions of a kind, if it has any.
pub(crate) fn row_for(kind: Kind) -> Option<&'static KindRow> {
    match kind {
        Kind::Prompt => Some(&OF_PROMPTS),
        Kind::ResourceTemplate => Some(&OF_TEMPLATES),
        _ => None,
    }
}

fn write(out: &mut Vec<u8>, _: Era, reply: &Reply) {
    if let Reply::Completion(completions) = reply {
        out.extend_from_slice(br#""completion":"#);
        encode::json(out, completions);
    }
}
