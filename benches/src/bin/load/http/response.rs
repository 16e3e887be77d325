//! A response, read just enough: its status, its length, its session.

use std::str;

use memchr::{memchr_iter, memmem};

/// A complete response.
pub(super) struct Response<'a> {
    pub(super) status: u16,
    /// What `Mcp-Session-Id` says.
    pub(super) session: Option<&'a str>,
    pub(super) body: &'a [u8],
}

impl<'a> Response<'a> {
    /// The response that `bytes` are, or none as long as some of it is missing.
    /// There is never more than one: the next request has not been sent.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Option<Self>, String> {
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
            return Ok(None);
        };
        let (head, body) = (&bytes[..end + 2], &bytes[end + 4..]);
        let mut response = Response {
            status: status(head).ok_or_else(|| format!("no status line: {}", show(head)))?,
            session: None,
            body,
        };
        let mut length = None;
        let mut start = 0;
        for newline in memchr_iter(b'\n', head) {
            let line = &head[start..newline];
            start = newline + 1;
            if let Some(value) = value(line, "content-length") {
                length = value.parse().ok();
            } else if let Some(value) = value(line, "mcp-session-id") {
                response.session = Some(value);
            }
        }
        // A response without content has no need to say so.
        let length = match (length, response.status) {
            (None, 204) => 0,
            (length, _) => length
                .ok_or_else(|| format!("a response without a `Content-Length`: {}", show(head)))?,
        };
        if body.len() > length {
            return Err(format!("more than the `Content-Length`: {}", show(bytes)));
        }
        Ok((body.len() == length).then_some(response))
    }
}

/// The status code in `HTTP/1.1 200 OK`.
fn status(head: &[u8]) -> Option<u16> {
    let digits = head.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    str::from_utf8(digits).ok()?.parse().ok()
}

/// The line's value, if it is the header of this name.
fn value<'a>(line: &'a [u8], name: &str) -> Option<&'a str> {
    let (head, rest) = line.split_at_checked(name.len())?;
    let value = rest.strip_prefix(b":")?;
    if !head.eq_ignore_ascii_case(name.as_bytes()) {
        return None;
    }
    Some(str::from_utf8(value).ok()?.trim())
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}
