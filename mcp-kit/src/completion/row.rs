//! The differences of completions from primitives: what is unknown is the
//! prompt or template, and a failure is a JSON-RPC error.

use super::request;
use super::source::CompletionHandler;
use crate::call::{Completing, KindRow, Reply, as_protocol_error};
use crate::primitive::Kind;
use crate::protocol::{Era, RpcError, encode};

static PROMPT_ROW: KindRow = KindRow {
    kind: Kind::Completion,
    has_text_arguments: true,
    write,
    failure: as_protocol_error,
    unknown: |_, _, name| RpcError::unknown(Kind::Prompt.as_str(), name),
    completing: None,
};

static TEMPLATE_ROW: KindRow = KindRow {
    unknown: |_, _, uri| RpcError::unknown("resource template", uri),
    ..PROMPT_ROW
};

/// How the arguments of prompts are completed.
pub(crate) static OF_PROMPTS: Completing = Completing {
    row: &PROMPT_ROW,
    handler: CompletionHandler::of,
    read: request::read,
};

/// How the variables of templates are completed.
pub(crate) static OF_TEMPLATES: Completing = Completing {
    row: &TEMPLATE_ROW,
    handler: CompletionHandler::of,
    read: request::read,
};

fn write(out: &mut Vec<u8>, _: Era, reply: &Reply) {
    if let Reply::Completion(completions) = reply {
        out.extend_from_slice(br#""completion":"#);
        encode::json(out, completions);
    }
}
