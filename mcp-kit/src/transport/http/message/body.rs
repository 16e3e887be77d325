//! Bodies: what comes in, read within its bounds, and what goes out.

use std::convert::Infallible;
use std::fmt;
use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use crate::caller::Principal;
use crate::limits::{ByteBudget, Claim};
use crate::transport::http::calls::call::CallGuard;
use crate::transport::http::calls::in_flight::OpenRequest;
use crate::transport::http::calls::response::Reader;
use crate::transport::http::calls::subscriptions::Subscription;
use crate::transport::http::connection::activity::{Progress, Serving};
use crate::transport::http::sessions::Listening;
#[cfg(feature = "sse")]
use crate::transport::http::sse::{Opened, Stream};

/// The body of a response.
pub struct HttpBody {
    kind: Kind,
    held: Held,
}

/// What lasts until a body has left or its client has.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) serving: Option<Serving>,
    pub(crate) request: Option<OpenRequest>,
    pub(crate) call: Option<CallGuard>,
    pub(crate) unread: Option<Claim>,
    pub(crate) subscription: Option<Subscription>,
    pub(crate) listening: Option<Listening>,
    #[cfg(feature = "sse")]
    pub(crate) opened: Option<Opened>,
}

impl Held {
    /// Whether the request has passed the doors.
    fn was_let_in(&self) -> bool {
        self.request.is_some() || self.subscription.is_some() || self.listening.is_some()
    }
}

enum Kind {
    Whole(Bytes),
    Events(Events),
}

struct Events {
    source: Source,
    /// Read, and not sent yet.
    pending: Bytes,
    claim: Option<Claim>,
    /// Whose key or token it ends with, where it has no end of its own.
    caller: Option<Principal>,
    keep_alive: Duration,
    /// When something is made up, unless something comes.
    quiet_until: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

/// Where events come from.
enum Source {
    Exchange(Reader),
    #[cfg(feature = "sse")]
    Session(Arc<Stream>),
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

    /// Events as they come, and a comment where none came for `keep_alive`.
    pub(crate) fn events(reader: Reader, keep_alive: Duration) -> Self {
        Self::events_of(Source::Exchange(reader), keep_alive)
    }

    /// The events of a session's stream, likewise.
    #[cfg(feature = "sse")]
    pub(crate) fn session(stream: Arc<Stream>, keep_alive: Duration) -> Self {
        Self::events_of(Source::Session(stream), keep_alive)
    }

    fn events_of(source: Source, keep_alive: Duration) -> Self {
        let events = Events {
            source,
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

    /// Events begin with a comment: some proxies hold the head of a response back
    /// until a part of its body has come.
    pub(crate) fn begin_with_comment(&mut self) {
        if let Kind::Events(events) = &mut self.kind {
            events.pending = Bytes::from_static(b": open\n\n");
        }
    }

    /// Events end once what their caller has shown is no longer good.
    pub(crate) fn end_with(&mut self, caller: Principal) {
        if let Kind::Events(events) = &mut self.kind {
            events.caller = Some(caller);
        }
    }

    /// What is kept until the body has left or its client has.
    pub(crate) fn held(&mut self) -> &mut Held {
        &mut self.held
    }

    /// Lets its connection see how it gets on.
    pub(crate) fn serve(&mut self, serving: Option<Serving>) {
        let was_let_in = self.held.was_let_in();
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

/// An answer that has fewer bytes is not counted among what clients leave
/// unread: it leaves at once, or with what is large.
pub(crate) const LARGE: usize = 16 * 1024;

/// As much as leaves at a time. hyper keeps what it is given until it is
/// written, and only what is still here is known to be unread.
const MOST: usize = 64 * 1024;

/// As much where many answers share a connection: what hyper keeps of each is
/// no more than what is not counted.
const MOST_SHARED: usize = LARGE;

fn piece(bytes: &mut Bytes, most: usize) -> Bytes {
    bytes.split_to(bytes.len().min(most))
}

/// How often it is looked whether a key that opened a stream is known still.
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
                // Whoever does not take it is gone, or wants to be forgotten.
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

    /// Whether its caller may hear no more.
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

impl Source {
    /// Lets the connection see how the events get on.
    fn watch(&self, progress: Progress) {
        match self {
            Self::Exchange(reader) => reader.watch(progress),
            #[cfg(feature = "sse")]
            Self::Session(stream) => stream.watch(progress),
        }
    }

    /// There is something to read that did not come from here.
    fn begin(&self) {
        match self {
            Self::Exchange(reader) => reader.begin(),
            #[cfg(feature = "sse")]
            Self::Session(stream) => stream.begin(),
        }
    }

    /// More of what was read has left.
    fn advance(&self) {
        match self {
            Self::Exchange(reader) => reader.advance(),
            #[cfg(feature = "sse")]
            Self::Session(stream) => stream.advance(),
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Bytes, Option<Claim>)>> {
        match self {
            Self::Exchange(reader) => reader.poll_next(cx),
            #[cfg(feature = "sse")]
            Self::Session(stream) => stream.poll_next(cx),
        }
    }
}

impl fmt::Debug for HttpBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBody").finish_non_exhaustive()
    }
}

/// Why a request's body could not be had.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    TooLarge,
    TooSlow,
    /// Too much is being received as it is.
    Busy,
    /// The client broke off, or broke the rules of HTTP.
    Broken,
}

/// How long a client may go on sending what is not taken.
const DISCARDING: Duration = Duration::from_secs(2);

/// Reads what a client is still sending of a request that is refused, up to
/// `most` bytes of it.
pub(crate) async fn discard<B>(mut body: B, most: usize)
where
    B: Body<Data = Bytes> + Unpin,
{
    let until = Instant::now() + DISCARDING;
    let mut left = most;
    while let Ok(Some(Ok(frame))) =
        timeout_at(until, poll_fn(|cx| Pin::new(&mut body).poll_frame(cx))).await
    {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(bytes) {
            Some(less) => left = less,
            None => return,
        }
    }
}

/// Bodies up to this size are received also while large ones take all the room
/// that there is for them.
const SMALL: usize = 64 * 1024;

/// Reads a body of at most `most` bytes, in at most `time`. It counts as
/// `incoming` once it is large, or has not come in one piece.
pub(crate) async fn read<B>(
    mut body: B,
    most: usize,
    time: Duration,
    incoming: &Arc<ByteBudget>,
) -> Result<(Bytes, Option<Claim>), Unread>
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.size_hint().lower() > most as u64 {
        return Err(Unread::TooLarge);
    }
    let mut next = |cx: &mut Context<'_>| Pin::new(&mut body).poll_frame(cx);
    // Most bodies have come with their headers, in one piece.
    let mut deadline = None;
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    let mut claim: Option<Claim> = None;
    loop {
        let frame = match poll_fn(|cx| Poll::Ready(next(cx))).await {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                let until = *deadline.get_or_insert_with(|| Instant::now() + time);
                match timeout_at(until, poll_fn(&mut next)).await {
                    Ok(frame) => frame,
                    Err(_) => return Err(Unread::TooSlow),
                }
            }
        };
        let Some(frame) = frame else { break };
        let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else {
            continue; // trailers say nothing here
        };
        let length = first.as_ref().map_or(rest.len(), Bytes::len) + data.len();
        if length > most {
            return Err(Unread::TooLarge);
        }
        if length > SMALL || length > data.len() {
            let fits = match &mut claim {
                Some(claim) if length > SMALL => claim.grow_to(length),
                Some(claim) => claim.set_small(length),
                none => {
                    *none = match length > SMALL {
                        true => incoming.claim(length),
                        false => incoming.claim_small(length),
                    };
                    none.is_some()
                }
            };
            if !fits {
                return Err(Unread::Busy);
            }
        }
        match first.take() {
            None if rest.is_empty() => first = Some(data),
            None => rest.extend_from_slice(&data),
            Some(earlier) => {
                rest.reserve(length);
                rest.extend_from_slice(&earlier);
                rest.extend_from_slice(&data);
            }
        }
    }
    Ok((first.unwrap_or_else(|| rest.freeze()), claim))
}
