//! Server-sent events, read one by one as they arrive.

use serde_json::Value;

use crate::rpc;
use crate::wire::{Conn, Head};

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) data: String,
    pub(crate) retry: Option<String>,
}

impl Event {
    /// The JSON-RPC message that the event carries; none where it only tells
    /// an id.
    pub(crate) fn message(&self) -> Option<Value> {
        (!self.data.is_empty()).then(|| rpc::parse(&self.data))
    }
}

/// A stream of events. Dropping it closes the connection.
pub(crate) struct Events {
    conn: Conn,
    text: Vec<u8>,
}

impl Events {
    /// The stream that this answer begins. Fails where it is none.
    #[track_caller]
    pub(crate) fn new(conn: Conn, head: &Head) -> Self {
        assert_eq!(head.status, 200, "{head:?}");
        assert_eq!(head.media_type(), "text/event-stream", "{head:?}");
        let cache = head.header("cache-control").unwrap_or_default();
        assert!(
            cache.contains("no-cache") || cache.contains("no-store"),
            "a cache may keep the stream: {head:?}"
        );
        Self {
            conn,
            text: Vec::new(),
        }
    }

    /// The next event, or nothing at the end of the stream. Comments, which
    /// keep the connection alive, are passed over.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Option<Event> {
        loop {
            let Some(end) = self.text.windows(2).position(|pair| pair == b"\n\n") else {
                let Some(piece) = self.conn.piece() else {
                    assert!(self.text.is_empty(), "an event was cut");
                    return None;
                };
                self.text
                    .extend(piece.into_iter().filter(|byte| *byte != b'\r'));
                continue;
            };
            let block: Vec<u8> = self.text.drain(..end + 2).collect();
            let block = String::from_utf8(block).expect("events are text");
            if let Some(event) = parse(&block) {
                return Some(event);
            }
        }
    }

    /// The next message; events that carry none are passed over.
    #[track_caller]
    pub(crate) fn message(&mut self) -> Option<Value> {
        loop {
            if let Some(message) = self.next()?.message() {
                return Some(message);
            }
        }
    }

    /// Every message up to the end of the stream.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> Vec<Value> {
        let mut messages = Vec::new();
        while let Some(message) = self.message() {
            messages.push(message);
        }
        messages
    }

    /// Whether the stream ended as its framing says, and not by a cut.
    pub(crate) fn is_complete(&self) -> bool {
        self.conn.complete
    }
}

/// Every event of a whole body.
pub(crate) fn all(body: &str) -> Vec<Event> {
    body.replace('\r', "")
        .split_inclusive("\n\n")
        .filter_map(parse)
        .collect()
}

/// The event of one block, or nothing for one of comments alone.
fn parse(block: &str) -> Option<Event> {
    let mut event = Event::default();
    let mut data: Vec<&str> = Vec::new();
    let mut empty = true;
    for line in block.lines().filter(|line| !line.is_empty()) {
        if line.starts_with(':') {
            continue;
        }
        empty = false;
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => event.id = Some(value.to_owned()),
            "event" => event.kind = Some(value.to_owned()),
            "data" => data.push(value),
            "retry" => event.retry = Some(value.to_owned()),
            other => panic!("not a field of an event: {other:?}"),
        }
    }
    event.data = data.join("\n");
    (!empty).then_some(event)
}
