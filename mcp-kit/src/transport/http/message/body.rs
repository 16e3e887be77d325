//! The body of a response: complete bytes, or events as they arrive.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::caller::Principal;
use crate::limits::Claim;
use crate::transport::http::connection::activity::Serving;
use crate::transport::http::message::events::EventSource;
use crate::transport::http::message::open_requests::OpenRequest;

/// The body of a response.
pub struct HttpBody {
    kind: Kind,
    held: Held,
}

/// Values that live until a body has left or its client has.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) serving: Option<Serving>,
    pub(crate) request: Option<OpenRequest>,
    /// The value that the stream ends: its call, its subscription, or its
    /// session.
    stream: Option<Box<dyn Any + Send + Sync>>,
    pub(crate) unread: Option<Claim>,
}

impl Held {
    pub(crate) fn of(serving: Serving) -> Self {
        Self {
            serving: Some(serving),
            ..Self::default()
        }
    }

    /// Keeps a value as long as the stream.
    pub(crate) fn keep(&mut self, value: impl Any + Send + Sync) {
        self.stream = Some(Box::new(value));
    }
}

enum Kind {
    Whole(Bytes),
    Events(Events),
}

struct Events {
    source: Box<dyn EventSource>,
    /// Read, but not sent yet.
    pending: Bytes,
    claim: Option<Claim>,
    /// The caller with whose key or token the stream ends, if it has no end of
    /// its own.
    caller: Option<Principal>,
    keep_alive: Duration,
    /// When a comment is sent, unless an event arrives first.
    quiet_until: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl HttpBody {
    pub(crate) fn empty() -> Self {
        Self::whole(Bytes::new())
    }

    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self {
            kind: Kind::Whole(bytes.into()),
            held: Held::default(),
        }
    }

    /// A stream of events, with a comment if none arrived for `keep_alive`.
    pub(crate) fn events(source: impl EventSource, keep_alive: Duration) -> Self {
        let events = Events {
            source: Box::new(source),
            pending: Bytes::new(),
            claim: None,
            caller: None,
            keep_alive,
            quiet_until: None,
            sleep: None,
        };
        Self {
            kind: Kind::Events(events),
            held: Held::default(),
        }
    }

    /// Makes the stream begin with a comment: some proxies hold the head of a
    /// response back until a part of its body has arrived.
    pub(crate) fn begin_with_comment(&mut self) {
        if let Kind::Events(events) = &mut self.kind {
            events.pending = Bytes::from_static(b": open\n\n");
        }
    }

    /// Makes the stream endless: it ends once the key or token of `caller` is
    /// no longer valid.
    pub(crate) fn end_with(&mut self, caller: Principal) {
        if let Kind::Events(events) = &mut self.kind {
            events.caller = Some(caller);
        }
    }

    /// Whether the stream has no end of its own. Such streams have a separate
    /// limit, and do not count among the open requests.
    pub(crate) fn is_endless(&self) -> bool {
        matches!(&self.kind, Kind::Events(events) if events.caller.is_some())
    }

    /// Returns how many bytes it has that do not count among the unread ones yet.
    pub(crate) fn uncounted(&self) -> usize {
        match &self.kind {
            Kind::Whole(bytes) if self.held.unread.is_none() && bytes.len() > LARGE => bytes.len(),
            _ => 0,
        }
    }

    /// The values that are kept until the body has left or its client has.
    pub(crate) fn held(&mut self) -> &mut Held {
        &mut self.held
    }

    /// Shows the connection the body's progress.
    pub(crate) fn serve(&mut self, serving: Option<Serving>) {
        let was_let_in = self.held.request.is_some() || self.is_endless();
        self.held.serving = serving;
        if let Some(serving) = self.held.serving.as_mut().filter(|_| was_let_in) {
            serving.let_in();
        }
        let Some(serving) = &mut self.held.serving else {
            return;
        };
        match &self.kind {
            Kind::Whole(bytes) if bytes.is_empty() => {}
            Kind::Whole(_) => serving.progress().advance(),
            Kind::Events(events) => events.source.watch(serving.another_progress()),
        }
    }
}

impl Body for HttpBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Self { kind, held } = &mut *self;
        let is_shared = held.serving.as_ref().is_some_and(Serving::is_http2);
        let most = if is_shared { MOST_SHARED } else { MOST };
        let next = match kind {
            Kind::Whole(bytes) if bytes.is_empty() => None,
            Kind::Whole(bytes) => {
                if let Some(serving) = &mut held.serving {
                    serving.progress().advance();
                }
                Some(piece(bytes, most))
            }
            Kind::Events(events) => std::task::ready!(events.poll_next(cx, most)),
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.kind, Kind::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Events(_) => SizeHint::default(),
        }
    }
}

/// Answers with fewer bytes do not count among the unread bytes: they leave at
/// once, or together with a large one.
pub(crate) const LARGE: usize = 16 * 1024;

/// The most bytes that leave at a time. hyper keeps what it receives until it
/// is written, and only what is still here is known to be unread.
const MOST: usize = 64 * 1024;

/// The same if many answers share a connection: hyper then keeps no more of
/// each than what does not count.
const MOST_SHARED: usize = LARGE;

fn piece(bytes: &mut Bytes, most: usize) -> Bytes {
    bytes.split_to(bytes.len().min(most))
}

/// How often the server checks whether the key that opened a stream is still
/// valid.
const LOOK: Duration = Duration::from_secs(15);

impl Events {
    fn poll_next(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<Option<Bytes>> {
        if !self.pending.is_empty() {
            self.source.advance();
            return Poll::Ready(Some(piece(&mut self.pending, most)));
        }
        self.claim = None;
        loop {
            if self.is_cut() {
                return Poll::Ready(None);
            }
            if let Poll::Ready(read) = self.source.poll_next(cx) {
                self.quiet_until = None;
                self.sleep = None;
                let Some((events, claim)) = read else {
                    return Poll::Ready(None);
                };
                (self.pending, self.claim) = (events, claim);
                return Poll::Ready(Some(piece(&mut self.pending, most)));
            }
            let now = Instant::now();
            let until = *self.quiet_until.get_or_insert(now + self.keep_alive);
            if until <= now {
                self.quiet_until = None;
                self.sleep = None;
                // A client that does not read this has left, and its stream
                // must end.
                self.source.begin();
                return Poll::Ready(Some(Bytes::from_static(b": keep-alive\n\n")));
            }
            let look = match &self.caller {
                Some(caller) => until.min(now + caller.good_for(LOOK)),
                None => until,
            };
            let alarm = self
                .sleep
                .get_or_insert_with(|| Box::pin(sleep_until(look)));
            std::task::ready!(alarm.as_mut().poll(cx));
            self.sleep = None;
        }
    }

    /// Whether the caller may receive nothing more.
    fn is_cut(&self) -> bool {
        let Some(caller) = self.caller.as_ref().filter(|one| !one.is_still_good()) else {
            return false;
        };
        let _ = crate::support::panics::contain(|| {
            tracing::info!(
                target: "mcp_kit::http",
                principal = caller.name(),
                "a stream is ended: the key or token that opened it is no longer valid"
            );
        });
        true
    }
}

impl fmt::Debug for HttpBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBody").finish_non_exhaustive()
    }
}

/// A response whose body is JSON.
pub(crate) fn json_response(status: StatusCode, json: Vec<u8>) -> Response<HttpBody> {
    let mut response = Response::new(HttpBody::whole(json));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A response without a body.
pub(crate) fn empty_response(status: StatusCode) -> Response<HttpBody> {
    let mut response = Response::new(HttpBody::empty());
    *response.status_mut() = status;
    response
}

/// A JSON-RPC answer: as JSON, or as a stream of one event for a client that
/// does not accept JSON.
pub(crate) fn answer(json: Vec<u8>, takes_json: bool) -> Response<HttpBody> {
    if takes_json {
        return json_response(StatusCode::OK, json);
    }
    let mut event = b"data: ".to_vec();
    event.extend_from_slice(&json);
    event.extend_from_slice(b"\n\n");
    stream_of(HttpBody::whole(event))
}

/// A stream of events.
pub(crate) fn stream_of(body: HttpBody) -> Response<HttpBody> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Proxies that buffer would hold events back.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}
