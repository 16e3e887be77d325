//! The limits that HTTP adds to the server's own.

use std::time::Duration;

use crate::server::Limits;

/// The limits on what a client can consume over HTTP, beside the server's
/// [`Limits`](crate::server::Limits).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpLimits {
    /// The request line and the headers together, in bytes; 16 KiB. Larger ones
    /// are answered with 431.
    pub header_bytes: usize,
    /// How long a client may take to send the headers; 10 s. Then 408.
    pub header_time: Duration,
    /// How long a client may take to send a body; 30 s. Then 408. A client may
    /// also go this long without reading anything of an answer; then it is cut
    /// off.
    pub body_time: Duration,
    /// How long a connection may stay open between requests; 75 s.
    pub idle_time: Duration,
    /// Connections that are open at once; 2,048, or as many as the limit on
    /// open files allows if that is less: [`Server::serve_http`] raises the
    /// soft limit and keeps 96 descriptors for everything else.
    ///
    /// A further connection evicts another one on which no request was admitted
    /// for a second, or for a tenth of a second if its host has more than an
    /// eighth of all connections: of the host with the most connections, the
    /// one that has waited longest. If there is none, the further connection is
    /// refused with 503. While requests take up more than half of the
    /// connections, a call that would wait for other calls of its caller or its
    /// session is refused with 503, so that one caller leaves room for others.
    ///
    /// [`Server::serve_http`]: crate::Server::serve_http
    pub connections: usize,
    /// Requests of one HTTP/2 connection that are open at once; 64.
    pub streams_per_connection: u32,
    /// Requests that are open at once; 4,096. Further requests are refused with
    /// 503. Streams on which clients only listen do not count: there may also
    /// be as many subscriptions, and one stream for each session.
    pub requests: usize,
    /// The bytes of messages that are being received and of the arguments that
    /// calls hold, from their receipt until the calls drop them; 64 MiB. A call
    /// counts for the text of its arguments and 1 KiB, whether it runs or waits
    /// and whether or not its client has left. A further message is refused with
    /// 503 and `Retry-After`, a further call of a batch with an error. Messages
    /// of up to 64 KiB and calls may use a quarter more, so that large messages
    /// do not keep small ones out.
    pub incoming_bytes: usize,
    /// The bytes of large answers (of more than 16 KiB) that clients have not
    /// read; 48 MiB. Above it a call with a large result gets an error that
    /// asks the client to try again, and above three quarters of it clients
    /// that read nothing for a second are cut off.
    pub unread_bytes: usize,
    /// Sessions of the older revisions that are open at once; 10,000. A further
    /// one ends the longest idle session of the caller with the most sessions,
    /// unless it was used within the last second and belongs to another caller.
    /// A session with a running call or an open stream is not idle. If none is
    /// idle, the further one is refused with 503.
    pub sessions: usize,
    /// Sessions of one caller; 100. A further one ends the caller's longest idle
    /// session, whose client gets 404 and opens another. If none is idle, the
    /// further one is refused with 429.
    pub sessions_per_principal: usize,
    /// How long a session may go unused; 30 min. A session with a call in
    /// flight does not end. A stream on which the client only listens counts as
    /// use for 48 times as long, a day: the server cannot see whether it is
    /// still read.
    pub session_idle: Duration,
    /// The bytes of events that a session keeps for a client that lost its
    /// connection, for five minutes after the last of them; 256 KiB. A client
    /// that requests older events is refused with 400.
    pub replay_bytes: usize,
    /// The bytes of such events that all sessions keep together; 64 MiB. Above
    /// it streams are forgotten when they end.
    pub replay_bytes_in_all: usize,
    /// How often the server writes to a silent stream, so that proxies keep it
    /// open; 15 s.
    pub keep_alive: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        const KIB: usize = 1024;
        Self {
            header_bytes: 16 * KIB,
            header_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(75),
            connections: 2_048,
            streams_per_connection: 64,
            requests: 4_096,
            incoming_bytes: 64 * KIB * KIB,
            unread_bytes: 48 * KIB * KIB,
            sessions: 10_000,
            sessions_per_principal: 100,
            session_idle: Duration::from_secs(30 * 60),
            replay_bytes: 256 * KIB,
            replay_bytes_in_all: 64 * KIB * KIB,
            keep_alive: Duration::from_secs(15),
        }
    }
}

/// The most requests that a connection's counter holds.
const MOST_STREAMS: u32 = 10_000;

impl HttpLimits {
    /// Returns the settings that cannot work, for `build()` to report.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> + use<> {
        let counts = [
            ("header_bytes", self.header_bytes, 8 * 1024),
            ("connections", self.connections, 1),
            (
                "streams_per_connection",
                usize::try_from(self.streams_per_connection).unwrap_or(usize::MAX),
                1,
            ),
            ("requests", self.requests, 1),
            ("incoming_bytes", self.incoming_bytes, 64 * 1024),
            ("unread_bytes", self.unread_bytes, 64 * 1024),
            ("sessions", self.sessions, 1),
            ("sessions_per_principal", self.sessions_per_principal, 1),
        ];
        let times = [
            ("header_time", self.header_time),
            ("body_time", self.body_time),
            ("idle_time", self.idle_time),
            ("session_idle", self.session_idle),
            ("keep_alive", self.keep_alive),
        ];
        let counts = counts
            .into_iter()
            .filter(|(_, value, least)| value < least)
            .map(|(name, value, least)| {
                format!("http: limits: {name} is {value}; it must be at least {least}")
            });
        let zero = times
            .into_iter()
            .filter(|(_, time)| time.is_zero())
            .map(|(name, _)| format!("http: limits: {name} is zero; everything would time out"));
        let long = times
            .into_iter()
            .filter(|(_, time)| *time > Limits::LONGEST_TIME)
            .map(|(name, _)| format!("http: limits: {name} is longer than a year; say less"));
        let streams = (self.streams_per_connection > MOST_STREAMS).then(|| {
            format!(
                "http: limits: streams_per_connection is {}; it must be at most {MOST_STREAMS}",
                self.streams_per_connection
            )
        });
        counts.chain(zero).chain(long).chain(streams)
    }
}
