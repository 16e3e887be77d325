//! The open connections of a server: their number, and their shutdown.

use std::error::Error;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::Body;
use hyper::body::Incoming;
use hyper::rt::bounds::Http2ServerConnExec;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::Instant;

use crate::transport::http::connection::activity::Activity;
use crate::transport::http::connection::descriptors;
use crate::transport::http::connection::guarded_stream::{GuardedStream, NO_ROOM, Patience};
use crate::transport::http::connection::make_room::Evictable;
use crate::transport::http::connection::repoll::Repoll;
use crate::transport::http::connection::{Client, Serve};
use crate::transport::http::limits::HttpLimits;

/// Connections above the limit that are served for probes only: clients that
/// keep all others busy must not make the server appear dead.
const RESERVE: usize = 16;

/// Connections that were evicted and have not closed yet: each still has its
/// descriptor.
const CLOSING_AT_ONCE: usize = 32;

/// A prober sends its request at once and reads the answer.
const RESERVE_PATIENCE: Patience = Patience {
    head: Duration::from_secs(1),
    idle: Duration::from_secs(1),
    unread: Duration::from_secs(1),
};

/// Requests are served.
const OPEN: u8 = 0;
/// Requests that have begun are finished.
const CLOSING: u8 = 1;
/// No requests are served.
const ENDED: u8 = 2;

/// The open connections.
pub(crate) struct Connections {
    most: usize,
    /// Includes those of the reserve.
    open: AtomicUsize,
    reserved: AtomicUsize,
    none_left: Notify,
    /// The stage of the shutdown: [`OPEN`], [`CLOSING`] or [`ENDED`].
    stage: AtomicU8,
    staged: Arc<Notify>,
    evictable: Arc<Evictable>,
    patience: Patience,
    http: auto::Builder<TokioExecutor>,
    /// Serves the reserve: one answer per connection.
    reserve: auto::Builder<TokioExecutor>,
}

impl Connections {
    /// Creates an empty set. The number of connections is limited by `limits`
    /// and by the limit on open files.
    pub(crate) fn new(limits: &HttpLimits) -> Arc<Self> {
        let most = descriptors::connections(limits.connections);
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1().max_buf_size(limits.header_bytes);
        http.http2()
            .max_concurrent_streams(limits.streams_per_connection)
            .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX));
        let mut reserve = auto::Builder::new(TokioExecutor::new()).http1_only();
        reserve
            .http1()
            .max_buf_size(limits.header_bytes)
            .keep_alive(false);
        Arc::new(Self {
            most,
            open: AtomicUsize::new(0),
            reserved: AtomicUsize::new(0),
            none_left: Notify::new(),
            stage: AtomicU8::new(OPEN),
            staged: Arc::new(Notify::new()),
            evictable: Evictable::new(most),
            patience: Patience {
                head: limits.header_time,
                idle: limits.idle_time,
                unread: limits.body_time,
            },
            http,
            reserve,
        })
    }

    /// The most connections that may be open at once.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Serves a connection in a task of its own, if there is room for it.
    pub(crate) fn serve(self: &Arc<Self>, stream: TcpStream, service: &impl Serve) {
        let Some(place) = self.place() else {
            service.no_room();
            // It fits into the socket's empty buffer, or the client has left.
            let _ = stream.try_write(NO_ROOM);
            return;
        };
        // Answers are small and written whole.
        let _ = stream.set_nodelay(true);
        let peer = stream.peer_addr().map(|peer| peer.ip()).ok();
        let service = service.clone();
        let activity = Activity::new();
        let repoll = Repoll::new();
        let is_reserve = place.is_reserve;
        // Those of the reserve end soon anyway.
        let registered = (!is_reserve).then(|| {
            let waker = repoll.waker().clone();
            (self.evictable).register(peer, Arc::clone(&activity), waker)
        });
        tokio::spawn(async move {
            let _registered = registered;
            let connections = &place.connections;
            let unread = Arc::clone(service.unread());
            let (reading, writing) = stream.into_split();
            let writing = Arc::new(writing);
            let (http, patience) = if is_reserve {
                (&connections.reserve, RESERVE_PATIENCE)
            } else {
                (&connections.http, connections.patience)
            };
            let client = Client {
                address: peer,
                socket: Some(Arc::clone(&writing)),
                is_reserve,
            };
            let io =
                GuardedStream::new((reading, writing), Arc::clone(&activity), patience, unread);
            let its_activity = Arc::clone(&activity);
            let answer = service_fn(move |request: hyper::Request<Incoming>| {
                let serving = activity.serve();
                service.clone().answer(request, client.clone(), serving)
            });
            let connection = http.serve_connection(TokioIo::new(io), answer);
            let serving = UntilClosed {
                connection: pin!(connection),
                staged: connections.staged(),
                is_watching: false,
                stage: OPEN,
                gives_way: false,
                activity: its_activity,
                connections,
                repoll,
            };
            serving.await;
        });
    }

    /// Whether many evicted connections have not closed yet.
    pub(crate) fn is_behind(&self) -> bool {
        let reserved = self.reserved.load(Ordering::Relaxed);
        self.open.load(Ordering::Relaxed) >= self.most + reserved + CLOSING_AT_ONCE / 2
    }

    /// Evicts a waiting connection, if there is one, so that a descriptor
    /// becomes free.
    pub(crate) fn free_descriptor(&self) -> bool {
        self.evictable.evict(Instant::now())
    }

    /// Lets every connection finish the answers that it has begun. Requests
    /// that have not arrived completely are refused.
    pub(crate) fn close(&self) {
        self.go_on_to(CLOSING);
    }

    /// Ends every connection immediately.
    pub(crate) fn end(&self) {
        self.go_on_to(ENDED);
    }

    fn go_on_to(&self, stage: u8) {
        self.stage.fetch_max(stage, Ordering::AcqRel);
        self.staged.notify_waiters();
    }

    /// Waits until no connection is open.
    pub(crate) async fn none_left(&self) {
        loop {
            let none = self.none_left.notified();
            tokio::pin!(none);
            // Registered before the look, so that no end is missed.
            none.as_mut().enable();
            if self.open.load(Ordering::Acquire) == 0 {
                return;
            }
            none.await;
        }
    }

    /// Takes a place. If none is left, evicts a waiting connection, whose own
    /// place is free shortly after; otherwise takes one of the reserve.
    fn place(self: &Arc<Self>) -> Option<Place> {
        let open = self.open.fetch_add(1, Ordering::AcqRel);
        let mut place = Place {
            connections: Arc::clone(self),
            is_reserve: false,
        };
        let ordinary = open.saturating_sub(self.reserved.load(Ordering::Acquire));
        if ordinary < self.most
            || (ordinary < self.most + CLOSING_AT_ONCE && self.evictable.evict(Instant::now()))
        {
            return Some(place);
        }
        place.is_reserve = true;
        let reserved = self.reserved.fetch_add(1, Ordering::AcqRel);
        (reserved < RESERVE).then_some(place)
    }

    /// Returns a future that is ready at the next stage.
    fn staged(&self) -> Pin<Box<OwnedNotified>> {
        let mut staged = Box::pin(Arc::clone(&self.staged).notified_owned());
        staged.as_mut().enable();
        staged
    }
}

/// A connection's place among those that may be open.
struct Place {
    connections: Arc<Connections>,
    is_reserve: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        let connections = &self.connections;
        if self.is_reserve {
            connections.reserved.fetch_sub(1, Ordering::AcqRel);
        }
        if connections.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            connections.none_left.notify_waiters();
        }
    }
}

/// Serves a connection until it ends, or is asked to.
struct UntilClosed<'a, C> {
    connection: Pin<&'a mut C>,
    staged: Pin<Box<OwnedNotified>>,
    /// Whether it waits for the next stage.
    is_watching: bool,
    stage: u8,
    /// Whether it was asked to finish, since another connection has its place.
    gives_way: bool,
    activity: Arc<Activity>,
    connections: &'a Connections,
    repoll: Repoll,
}

/// A connection of hyper's, of HTTP/1 or HTTP/2.
trait Graceful: Future {
    fn shut_down(self: Pin<&mut Self>);
}

impl<I, S, B, E> Graceful for auto::Connection<'_, I, S, E>
where
    Self: Future,
    S: Service<hyper::Request<Incoming>, Response = hyper::Response<B>>,
    S::Future: 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin + 'static,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    E: Http2ServerConnExec<S::Future, B>,
{
    fn shut_down(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Contains a panic: it ends the connection of its client only.
impl<C: Graceful> Future for UntilClosed<'_, C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self {
            connection,
            staged,
            is_watching,
            stage,
            gives_way,
            activity,
            connections,
            repoll,
        } = &mut *self;
        repoll.poll(cx, |cx| {
            let mut now = connections.stage.load(Ordering::Acquire);
            // All connections share its lock, so it is not taken for each
            // request: in the first stage there is nothing to learn yet, and
            // the waker is always the same.
            if now > OPEN || !*is_watching {
                // Checked in this order, so that no stage is missed.
                while staged.as_mut().poll(cx).is_ready() {
                    *staged = connections.staged();
                }
                *is_watching = true;
                now = connections.stage.load(Ordering::Acquire);
            }
            if now > OPEN && *stage == OPEN {
                connection.as_mut().shut_down();
            }
            *stage = now;
            // Only HTTP/2 can report which requests are not answered any more.
            if activity.is_evicted() && activity.is_http2() && !std::mem::replace(gives_way, true) {
                connection.as_mut().shut_down();
            }
            // Read before the connection is polled: what an answer gave to
            // HTTP/2 before it ended, in a task of its own, is written here.
            let was_serving = activity.is_serving();
            let polled = connection.as_mut().poll(cx);
            let is_over = now == ENDED || (now == CLOSING && !was_serving);
            if polled.is_ready() || is_over {
                return Poll::Ready(());
            }
            if now == CLOSING && !activity.is_serving() {
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        })
    }
}
