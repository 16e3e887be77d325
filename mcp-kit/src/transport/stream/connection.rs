//! Serves one client over a pair of byte streams: newline-delimited JSON in and
//! out. The connection's task reads, decodes, answers what needs no handler
//! (`messages`), and writes; it never polls a handler.

use std::collections::HashSet;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until};

use super::calls::Calls;
use super::greeting::Greeting;
use super::lines::{Line, Lines};
use super::outgoing::Outgoing;
use crate::call::{Refusal, Ticked as _, Transport};
use crate::protocol::RequestId;
use crate::server::{EnteredMessages, Feed, Limits, Listener, ServerInner, Session};
use crate::transport::LAST_WRITE;

/// The client's end of what the connection reads.
pub(crate) type Input = Box<dyn AsyncRead + Send + Unpin>;
/// The client's end of what the connection writes.
pub(crate) type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// A buffer of answers that grew above this size is freed once it is empty.
const KEPT_BUFFER: usize = 256 * 1024;

/// Serves one client until its input ends or the server drains.
pub(crate) async fn serve(
    server: Arc<ServerInner>,
    greeting: Greeting,
    input: Input,
    output: Output,
) -> io::Result<()> {
    let is_direct = greeting.session.origin.transport == Transport::Stdio;
    let outgoing = Outgoing::new(output, is_direct, greeting.answers);
    let calls = Calls::new(Arc::clone(&server), outgoing);
    let feed = Feed::new(&server, greeting.session.principal.clone());
    let listener: Weak<dyn Listener> = Arc::downgrade(&calls) as _;
    feed.listen(listener, None);
    let closing = CloseOnDrop(Arc::clone(&calls));
    let draining = Arc::clone(&server);
    let mut connection = Connection {
        task: None,
        session: greeting.session,
        subscriptions: HashSet::new(),
        feed,
        input: Some(input),
        // The bytes left by the greeting may already contain complete lines.
        read_ahead: (greeting.lines.rest() > 0).then_some(Ok(1)),
        lines: greeting.lines,
        entering: None,
        answers: Vec::new(),
        expiry: Alarm::default(),
        release: Alarm::default(),
        drain: Box::pin(async move { draining.drain.started().await }),
        tasks: None,
        end: End::NotYet,
        server,
        calls,
    };
    let outcome = poll_fn(|cx| connection.poll(cx)).await;
    drop(closing);
    outcome
}

/// Drops a connection's calls with its future.
struct CloseOnDrop(Arc<Calls>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

pub(super) struct Connection {
    /// Woken when there is something to do.
    task: Option<Waker>,
    pub(super) server: Arc<ServerInner>,
    pub(super) calls: Arc<Calls>,
    pub(super) session: Session,
    /// The open ones, by the requests that opened them.
    pub(super) subscriptions: HashSet<RequestId>,
    /// What the client follows, with its subscriptions.
    pub(super) feed: Arc<Feed>,
    /// `None` once it has ended.
    input: Option<Input>,
    lines: Lines,
    /// The result of the last read, if its bytes wait in `lines`.
    read_ahead: Option<io::Result<usize>>,
    /// The line whose messages pass their middlewares.
    entering: Option<Entering>,
    /// Answers that needed no handler, of the chunk being read.
    pub(super) answers: Vec<u8>,
    pub(super) expiry: Alarm,
    /// When a held answer may leave.
    release: Alarm,
    drain: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Ready once the server's tasks have ended and the client has read how. Set
    /// while the server drains.
    tasks: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    end: End,
}

/// A line that waits until its messages have passed the middlewares around all
/// messages; the lines after it wait too.
struct Entering {
    line: Vec<u8>,
    messages: Pin<Box<dyn Future<Output = EnteredMessages> + Send>>,
}

/// The stage of the connection's end.
enum End {
    NotYet,
    /// Calls in flight may continue until then.
    Draining(Pin<Box<Sleep>>),
    /// The last answers may be written until then.
    Flushing(Pin<Box<Sleep>>),
}

/// A timer that is set to the earliest of many times.
#[derive(Default)]
pub(super) struct Alarm {
    at: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Since the task was last notified of it.
    is_reset: bool,
}

impl Alarm {
    /// Rings at `at`, or earlier if it is already set so.
    pub(super) fn set(&mut self, at: Instant) {
        if self.at.is_some_and(|earlier| earlier <= at) {
            return;
        }
        self.at = Some(at);
        self.is_reset = true;
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(at),
            None => self.sleep = Some(Box::pin(sleep_until(at))),
        }
    }

    fn poll(&mut self, is_new_task: bool, cx: &mut Context<'_>) -> Poll<()> {
        let (Some(_), Some(sleep)) = (&self.at, &mut self.sleep) else {
            return Poll::Pending;
        };
        if !(is_new_task || self.is_reset || sleep.is_elapsed()) {
            return Poll::Pending;
        }
        self.is_reset = false;
        ready!(sleep.as_mut().poll(cx));
        self.at = None;
        Poll::Ready(())
    }
}

impl Connection {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The same task polls this repeatedly, so its waker is registered once.
        let is_new_task = !self
            .task
            .as_ref()
            .is_some_and(|task| task.will_wake(cx.waker()));
        if is_new_task {
            self.task = Some(cx.waker().clone());
            self.calls.register(cx.waker());
        }
        if let Err(error) = self.poll_write(cx) {
            return Poll::Ready(unwritten(error));
        }
        let mut may_have_answers = false;
        if matches!(self.end, End::NotYet)
            && (is_new_task || self.server.drain.is_draining())
            && self.drain.as_mut().poll(cx).is_ready()
        {
            self.begin_drain();
            may_have_answers = true;
        }
        may_have_answers |= match self.poll_read(cx) {
            Ok(has_read) => has_read,
            Err(error) => return Poll::Ready(Err(error)),
        };
        while self.expiry.poll(is_new_task, cx).is_ready() {
            may_have_answers = true;
            if let Some(next) = self.calls.expire(Instant::now()) {
                self.expiry.set(next);
            }
        }
        loop {
            may_have_answers |= self.release.poll(is_new_task, cx).is_ready();
            if !std::mem::take(&mut may_have_answers) {
                break;
            }
            // Answers that reading, expiring and releasing have produced leave
            // at once.
            if let Err(error) = self.poll_write(cx) {
                return Poll::Ready(unwritten(error));
            }
        }
        self.poll_end(cx)
    }

    /// Writes what is ready, until the client accepts no more.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let mut outgoing = self.calls.outgoing.lock();
        loop {
            if outgoing.is_written() {
                let next = outgoing.take(&self.calls);
                if let Some(at) = next {
                    self.release.set(at);
                }
                // Only now: until then several changes are one notification.
                self.feed.take(|json| outgoing.push_line(json));
                if outgoing.is_written() {
                    return outgoing.flush(cx);
                }
            }
            if outgoing.poll_write(&self.calls, cx)?.is_pending() {
                return Ok(());
            }
        }
    }

    /// Reads one chunk and handles every message in it; returns whether there
    /// was one. Reading waits only for a client that does not read its answers.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let Some(input) = &mut self.input else {
            return Ok(false);
        };
        if self.calls.is_unread() {
            // Its end is still detected, which starts the drain time.
            if self.read_ahead.is_none()
                && let Poll::Ready(read) = self.lines.poll_fill(input, cx)
            {
                let at_end = matches!(read, Ok(0));
                self.read_ahead = Some(read);
                if at_end {
                    self.begin_drain();
                }
            }
            return Ok(false);
        }
        if self.poll_entering(cx).is_pending() {
            return Ok(false);
        }
        let Some(input) = &mut self.input else {
            return Ok(false);
        };
        let read = match self.read_ahead.take() {
            Some(read) => read,
            None => match self.lines.poll_fill(input, cx) {
                Poll::Ready(read) => read,
                Poll::Pending => return Ok(false),
            },
        };
        let at_end = match read {
            Ok(count) => count == 0,
            // A reset is an end like any other.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => true,
            Err(error) => return Err(error),
        };
        self.session.read_at = Instant::now();
        let mut lines = std::mem::take(&mut self.lines);
        if at_end {
            lines.end();
        }
        let most = self.server.limits.unread_bytes;
        let mut is_whole = true;
        let mut waits = false;
        while let Some(line) = lines.next() {
            match line {
                Line::Whole(line) if self.server.has_message_layers() => {
                    if self.poll_line(line, cx).is_pending() {
                        waits = true;
                        break;
                    }
                }
                Line::Whole(line) => self.line(line),
                Line::TooLong { id } => self.too_long(id),
            }
            // A short request can have a long answer: a chunk of them is taken
            // as far as the client may leave answers unread.
            if self.answers.len() > most {
                is_whole = false;
                break;
            }
        }
        self.lines = lines;
        if !self.answers.is_empty() {
            self.calls.push_lines(&self.answers);
            self.answers.clear();
            self.answers.shrink_to(KEPT_BUFFER);
        }
        self.calls.start();
        if waits {
            self.read_ahead = Some(Ok(usize::from(!at_end)));
        } else if !is_whole {
            self.read_ahead = Some(Ok(usize::from(!at_end)));
            cx.waker().wake_by_ref();
        } else if at_end {
            self.input = None;
            self.begin_drain();
        } else if let Some(input) = &mut self.input
            && let Poll::Ready(read) = self.lines.poll_fill(input, cx)
        {
            // There is more. It is taken after the calls of this chunk had
            // their turn.
            self.read_ahead = Some(read);
            cx.waker().wake_by_ref();
        }
        Ok(true)
    }

    /// Handles a line once its messages have passed their middlewares.
    fn poll_line(&mut self, line: &[u8], cx: &mut Context<'_>) -> Poll<()> {
        let version = self.session.version;
        let messages = self.server.enter(&self.session, version, false, line);
        self.entering = Some(Entering {
            line: line.to_vec(),
            messages,
        });
        self.poll_entering(cx)
    }

    /// Handles the line that waits, once it may be handled; ready if none waits.
    fn poll_entering(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(entering) = &mut self.entering else {
            return Poll::Ready(());
        };
        let messages = ready!(entering.messages.as_mut().poll(cx));
        if let Some(Entering { line, .. }) = self.entering.take() {
            self.session.entered = messages;
            self.line(&line);
            self.session.entered = EnteredMessages::default();
        }
        Poll::Ready(())
    }

    /// Ends what is endless, and gives the rest its time.
    fn begin_drain(&mut self) {
        if matches!(self.end, End::NotYet) {
            let time = self.server.limits.drain_time.min(Limits::LONGEST_TIME);
            let until = Instant::now() + time;
            self.end = End::Draining(Box::pin(sleep_until(until)));
            if self.server.drain.is_draining() {
                let server = Arc::clone(&self.server);
                self.tasks = Some(Box::pin(async move { server.tasks.drained(until).await }));
            } else {
                self.server.questions.leave(self.calls.peer);
            }
            let mut ends = Vec::new();
            self.feed.take(|json| {
                ends.extend_from_slice(json);
                ends.push(b'\n');
            });
            for id in self.subscriptions.drain() {
                self.feed.remove(&id);
                self.server.end_subscription(&mut ends, &id);
                ends.push(b'\n');
            }
            self.calls.push_lines(&ends);
        }
    }

    /// Ready once nothing is left to do, or the time is over.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match &mut self.end {
                End::NotYet => return Poll::Pending,
                End::Draining(time) => {
                    // In this order: a call that ends in between leaves its
                    // answer. A client whose input has ended asks for no task.
                    if !self.calls.has_open()
                        && self.entering.is_none()
                        && (self.input.is_none() || poll_tasks(&mut self.tasks, cx))
                    {
                        if self.calls.has_written_all() {
                            return Poll::Ready(Ok(()));
                        }
                        // A client that continues to send must not delay the
                        // end: the owed answers leave, and nothing is added.
                        self.input = None;
                    }
                    ready!(time.as_mut().poll(cx));
                    self.input = None;
                    self.calls.refuse_all(Refusal::ShuttingDown);
                    self.end = End::Flushing(Box::pin(sleep_until(Instant::now() + LAST_WRITE)));
                    if let Err(error) = self.poll_write(cx) {
                        return Poll::Ready(unwritten(error));
                    }
                }
                End::Flushing(time) => {
                    // A call that has ended by itself is open until its answer is here.
                    if !self.calls.has_open() && self.calls.has_written_all() {
                        return Poll::Ready(Ok(()));
                    }
                    return time.as_mut().poll(cx).map(Ok);
                }
            }
        }
    }
}

/// Whether there are no tasks to wait for.
fn poll_tasks(
    tasks: &mut Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    cx: &mut Context<'_>,
) -> bool {
    if tasks
        .as_mut()
        .is_some_and(|tasks| tasks.as_mut().poll(cx).is_ready())
    {
        *tasks = None;
    }
    tasks.is_none()
}

/// Interprets a failed write. A client that is gone is an ordinary end.
fn unwritten(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::NotConnected => Ok(()),
        _ => Err(error),
    }
}
