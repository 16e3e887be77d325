//! The body of a request: reading a message within its limits, and discarding
//! what is sent after a refusal.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body::{Body, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use tokio::time::{Instant, timeout_at};

use crate::limits::{ByteBudget, Claim};
use crate::transport::http::message::refusal::{Reason, Refusal, busy};

/// A request's body. hyper's own is not boxed.
pub(crate) enum RequestBody {
    Hyper(hyper::body::Incoming),
    Other(UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>),
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Self::Hyper(body) => Pin::new(body)
                .poll_frame(cx)
                .map_err(|error| Box::new(error) as Self::Error),
            Self::Other(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Hyper(body) => body.is_end_stream(),
            Self::Other(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            Self::Hyper(body) => body.size_hint(),
            Self::Other(body) => body.size_hint(),
        }
    }
}

/// Why a request's body could not be read.
#[derive(Debug, PartialEq, Eq)]
enum Unread {
    TooLarge,
    TooSlow,
    /// The budget of incoming bytes is used up.
    Busy,
    /// The client broke off, or violated HTTP.
    Broken,
}

/// How long a client may go on sending a body that is discarded.
const DISCARDING: Duration = Duration::from_secs(2);

/// Reads and discards what a client still sends of a refused request, up to
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

/// Bodies up to this size are also received while large ones take all of their
/// room.
const SMALL: usize = 64 * 1024;

/// Reads a message of at most `most` bytes, in at most `time`. It counts as
/// `incoming` if it is large, or has not arrived in one piece.
pub(crate) async fn read(
    body: &mut RequestBody,
    most: usize,
    time: Duration,
    incoming: &Arc<ByteBudget>,
) -> Result<(Bytes, Option<Claim>), Refusal> {
    receive(body, most, time, incoming)
        .await
        .map_err(|unread| match unread {
            Unread::TooLarge => Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                Reason::TooLarge,
                format!("Content too large: a message may have {most} bytes"),
            )
            .closing(),
            Unread::TooSlow => Refusal::new(
                StatusCode::REQUEST_TIMEOUT,
                Reason::TooSlow,
                format!(
                    "Request timeout: the body took longer than {} s",
                    time.as_secs()
                ),
            )
            .closing(),
            Unread::Busy => busy().closing(),
            Unread::Broken => Refusal::new(
                StatusCode::BAD_REQUEST,
                Reason::Malformed,
                "Bad request: the body broke off",
            )
            .closing(),
        })
}

async fn receive<B>(
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
    // Most bodies arrive with their headers, in one piece.
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
