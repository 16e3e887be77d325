//! The limits on everything that a client can consume.

use std::time::Duration;

/// The server's limits. A caller that exceeds one receives an error that names
/// it; other callers are not affected.
///
/// ```
/// # use std::time::Duration;
/// # use mcp_kit::Server;
/// let server = Server::builder("slow", "1.0.0")
///     .limits(|limits| limits.call_time = Duration::from_secs(120))
///     .build()?;
/// # Ok::<(), mcp_kit::server::BuildError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest message from a client, in bytes; 4 MiB. A longer one is
    /// answered with an error, under its id if that can be found.
    pub message_bytes: usize,
    /// Calls of one connection, or of one HTTP session, that run at once; 64.
    /// Further calls wait.
    pub calls_per_connection: usize,
    /// Calls of the whole server that run at once; 1,024. Further calls wait.
    pub calls_per_server: usize,
    /// Calls of one principal that run at once over HTTP, in all of its
    /// connections and sessions; 256. Further calls wait, and other principals'
    /// calls run meanwhile; while requests take up more than half of the
    /// connections, further calls are refused with 503. Callers without
    /// authentication count by their host. It should be well below
    /// `calls_per_server`.
    pub calls_per_principal: usize,
    /// Calls of one connection that wait; 4,096. Further calls are answered
    /// with an error: the server is busy. It also limits the messages of a
    /// batch.
    pub pending_calls: usize,
    /// The bytes of arguments, ids and progress tokens that wait on one
    /// connection; 8 MiB.
    pub pending_bytes: usize,
    /// The bytes of answers that one connection's client has not read; 8 MiB.
    /// Above it nothing more is read from the client or started for it; calls that
    /// run already may add their results. As much again may wait in unfinished
    /// batches.
    pub unread_bytes: usize,
    /// How long a call may take, waiting included; 30 s.
    pub call_time: Duration,
    /// The largest result, in bytes of JSON; 1 MiB less 16 KiB for what surrounds
    /// it. Some clients take no event of a stream that has more than 1 MiB.
    pub result_bytes: usize,
    /// Items on one page of a list; 1,000.
    pub page_items: usize,
    /// Subscriptions (`subscriptions/listen`) that one connection, over HTTP one caller,
    /// has open at once; 100. Further ones are refused with an error, over HTTP with 429.
    pub subscriptions_per_principal: usize,
    /// Resources that one subscription, or one legacy connection or session,
    /// watches; 1,000. Their URIs may have 256 KiB together, and those of all
    /// clients 64 MiB. Also the tasks that one subscription follows. A request for
    /// more is refused with an error.
    pub uris_per_subscription: usize,
    /// Questions to the clients of one principal that are open at once in the legacy
    /// era; 64. A further one fails with an error that the handler may handle.
    pub questions_per_principal: usize,
    /// Unfinished tasks of one principal; 100. Further calls that would become
    /// tasks are refused with an error.
    pub tasks_per_principal: usize,
    /// How long a task may take, questions to its client included; 1 h.
    pub task_time: Duration,
    /// How long the result of a finished task can be read; 10 min.
    pub finished_task_time: Duration,
    /// Pairs of caller and tool that a rate limit keeps state for; 100,000.
    /// Over HTTP it also limits the addresses and the callers.
    pub limiter_entries: usize,
    /// How long a client may take to answer a question; 10 min. It does not count as
    /// time of the call (`call_time`). In the modern era (2026-07-28) it is how long
    /// the state of a call is valid between two of its rounds.
    pub question_time: Duration,
    /// Questions that one call may ask at once; 64.
    pub questions_per_call: usize,
    /// The bytes of a call's state between two of its rounds (2026-07-28): the
    /// answers so far and the results of `Client::once`; 64 KiB.
    pub state_bytes: usize,
    /// How long calls in flight may continue once the server ends; 10 s.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            message_bytes: 4 * MIB,
            calls_per_connection: 64,
            calls_per_server: 1_024,
            calls_per_principal: 256,
            pending_calls: 4_096,
            pending_bytes: 8 * MIB,
            unread_bytes: 8 * MIB,
            call_time: Duration::from_secs(30),
            result_bytes: MIB - 16 * 1024,
            page_items: 1_000,
            subscriptions_per_principal: 100,
            uris_per_subscription: 1_000,
            questions_per_principal: 64,
            tasks_per_principal: 100,
            task_time: Duration::from_secs(60 * 60),
            finished_task_time: Duration::from_secs(10 * 60),
            limiter_entries: 100_000,
            question_time: Duration::from_secs(10 * 60),
            questions_per_call: 64,
            state_bytes: 64 * 1024,
            drain_time: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// A year: times are added to the clock's, which has an end.
    pub(crate) const LONGEST_TIME: Duration = Duration::from_secs(365 * 24 * 3_600);

    /// The size of the error that replaces a result that is too large.
    pub(crate) const LEAST_RESULT_BYTES: usize = 256;

    /// Returns the settings that cannot work, for `build()` to report.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        let counts = [
            ("message_bytes", self.message_bytes, 1_024),
            ("calls_per_connection", self.calls_per_connection, 1),
            ("calls_per_server", self.calls_per_server, 1),
            ("calls_per_principal", self.calls_per_principal, 1),
            ("pending_calls", self.pending_calls, 1),
            ("pending_bytes", self.pending_bytes, 1_024),
            ("unread_bytes", self.unread_bytes, 1_024),
            ("result_bytes", self.result_bytes, Self::LEAST_RESULT_BYTES),
            ("page_items", self.page_items, 1),
            (
                "subscriptions_per_principal",
                self.subscriptions_per_principal,
                1,
            ),
            ("questions_per_principal", self.questions_per_principal, 1),
            ("questions_per_call", self.questions_per_call, 1),
            ("state_bytes", self.state_bytes, 1_024),
            ("uris_per_subscription", self.uris_per_subscription, 1),
            ("tasks_per_principal", self.tasks_per_principal, 1),
            ("limiter_entries", self.limiter_entries, 2),
        ];
        let counts = counts
            .into_iter()
            .filter(|(_, value, least)| value < least)
            .map(|(name, value, least)| {
                format!("limits: {name} is {value}; it must be at least {least}")
            });
        let times = [
            ("call_time", self.call_time, "call"),
            ("question_time", self.question_time, "question"),
            ("task_time", self.task_time, "task"),
        ];
        let times = times
            .into_iter()
            .filter(|(_, time, _)| time.is_zero())
            .map(|(name, _, what)| format!("limits: {name} is zero; every {what} would time out"));
        counts.chain(times)
    }
}
