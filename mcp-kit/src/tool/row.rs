//! What differs for tools once a call has its reply: a failure is a result that
//! reports it, for the model to read.

use crate::call::{ErrorKind, KindRow, Reply};
use crate::content::{Content, ToolResult};
use crate::protocol::{Era, RpcError, encode};

/// The row of tools.
pub(crate) static TOOLS: KindRow = KindRow { write, failure };

fn failure(_: ErrorKind, text: String) -> Result<Reply, RpcError> {
    Ok(ToolResult::error(text).into())
}

fn write(out: &mut Vec<u8>, era: Era, reply: &Reply) {
    let Reply::Tool(result) = reply;
    out.extend_from_slice(br#""content":["#);
    for (at, block) in result.content.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match block {
            Content::Text(text) => {
                out.extend_from_slice(br#"{"type":"text","text":"#);
                encode::string(out, text.as_str());
                out.push(b'}');
            }
            block => encode::json(out, block),
        }
    }
    out.push(b']');
    // The legacy era knows structured content that is an object, and no other.
    if let Some(structured) = &result.structured
        && (era == Era::Modern || structured.get().starts_with('{'))
    {
        out.extend_from_slice(br#","structuredContent":"#);
        out.extend_from_slice(structured.get().as_bytes());
    }
    if result.is_error {
        out.extend_from_slice(br#","isError":true"#);
    }
}
