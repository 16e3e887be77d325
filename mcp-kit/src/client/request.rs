//! Requests in flight; `result` has their results.

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::inbox::{Inbox, Waiting};
use super::{CallResult, Link, request_line};
use crate::answers::Answers;
use crate::support::json::Members as _;

/// A request that was sent; a future of its result.
#[must_use = "await it for the answer"]
pub struct Request {
    id: u64,
    answer: oneshot::Receiver<Result<Value, RequestError>>,
    progress: mpsc::UnboundedReceiver<Value>,
    /// What was taken from `progress`.
    reported: Vec<Value>,
    /// Weak: a request that is kept does not keep the connection open.
    link: Weak<dyn Link>,
    /// Sends the next round, if the server asks questions (2026-07-28).
    rounds: Option<Box<Rounds>>,
}

/// The parts with which a request is sent again, with the answers to the server's
/// questions.
pub(super) struct Rounds {
    pub(super) answers: Arc<dyn Answers>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) next_id: Arc<AtomicU64>,
    pub(super) method: String,
    /// JSON text, so that the arguments are sent again as they were written.
    pub(super) params: String,
}

impl Request {
    pub(super) fn new(id: u64, waiting: Waiting, link: Weak<dyn Link>) -> Self {
        Self {
            id,
            answer: waiting.answer,
            progress: waiting.progress,
            reported: Vec::new(),
            link,
            rounds: None,
        }
    }

    pub(super) fn in_rounds(mut self, rounds: Rounds) -> Self {
        self.rounds = Some(Box::new(rounds));
        self
    }

    /// Sends the request again with the answers to the questions in `result`, if
    /// the client has answers.
    fn send_again(&mut self, result: &Value) -> bool {
        let Some(rounds) = &mut self.rounds else {
            return false;
        };
        let Some(link) = self.link.upgrade() else {
            return false;
        };
        let id = rounds.next_id.fetch_add(1, Ordering::Relaxed);
        let Ok(params) = rounds.answers.next_round(&rounds.params, id, result) else {
            return false;
        };
        rounds.params = params;
        let Waiting { answer, progress } = rounds.inbox.expect(id);
        let line = request_line(id, &rounds.method, &rounds.params);
        link.send(line.into_bytes());
        while let Ok(report) = self.progress.try_recv() {
            self.reported.push(report);
        }
        (self.id, self.answer, self.progress) = (id, answer, progress);
        true
    }

    /// Returns the id under which it was sent, in its last round.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Cancels the request. If the server has not answered yet, the request
    /// ends with [`RequestError::Cancelled`] once the server has handled the
    /// cancellation.
    pub fn cancel(&self) {
        if let Some(link) = self.link.upgrade() {
            link.cancel(self.id);
        }
    }
}

#[cfg(feature = "cli")]
impl Request {
    /// Returns the result, or why there is none, and passes the newest progress report
    /// to `show` as it arrives.
    pub(crate) async fn outcome_with(
        mut self,
        show: &mut dyn FnMut(&Value),
    ) -> Result<Value, RequestError> {
        poll_fn(|cx| {
            // First: a new round replaces the channel of the reports.
            if let Poll::Ready(outcome) = Pin::new(&mut self).poll(cx) {
                return Poll::Ready(outcome);
            }
            let mut newest = None;
            while let Poll::Ready(Some(report)) = self.progress.poll_recv(cx) {
                newest = Some(report);
            }
            if let Some(newest) = newest {
                show(&newest);
            }
            Poll::Pending
        })
        .await
    }
}

impl Future for Request {
    type Output = Result<Value, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let answer = ready!(Pin::new(&mut self.answer).poll(cx));
            let answer = answer.unwrap_or(Err(RequestError::NoAnswer));
            match &answer {
                Ok(result)
                    if result.at("resultType") == "input_required" && self.send_again(result) => {}
                _ => return Poll::Ready(answer),
            }
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Why a request has no result.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RequestError {
    /// The server answered with a JSON-RPC error.
    Protocol {
        /// The error's code, such as -32602.
        code: i64,
        /// The error's text.
        message: String,
        /// The error's `data`.
        data: Option<Value>,
    },
    /// The server refused the HTTP request: the status is neither 200 nor 202.
    #[cfg(all(feature = "http", feature = "testing"))]
    Refused(super::http::HttpRefusal),
    /// The connection ended without an answer.
    NoAnswer,
    /// The request was cancelled before the server answered it.
    Cancelled,
}

impl RequestError {
    /// Returns the code of the JSON-RPC error, with or without an HTTP status.
    #[must_use]
    pub fn code(&self) -> Option<i64> {
        match self {
            Self::Protocol { code, .. } => Some(*code),
            #[cfg(all(feature = "http", feature = "testing"))]
            Self::Refused(refusal) => refusal.code(),
            _ => None,
        }
    }

    /// Reads the `error` of a JSON-RPC message.
    pub(super) fn of_json(error: &mut Value) -> Self {
        Self::Protocol {
            code: error.at("code").as_i64().unwrap_or_default(),
            message: error.at("message").as_str().unwrap_or_default().to_owned(),
            data: error.member_mut("data").map(Value::take),
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol { code, message, .. } => write!(f, "{message} ({code})"),
            #[cfg(all(feature = "http", feature = "testing"))]
            Self::Refused(refusal) => write!(f, "{refusal}"),
            Self::NoAnswer => f.write_str("the connection ended without an answer"),
            Self::Cancelled => f.write_str("the request was cancelled"),
        }
    }
}

impl std::error::Error for RequestError {}

/// A call that was sent, of a tool or another primitive; a future of its result.
///
/// Awaiting it panics if there is no result, as for a tool that does not exist;
/// [`outcome`](Self::outcome) returns the reason instead.
#[must_use = "await it for the result"]
#[derive(Debug)]
pub struct TestCall<R = CallResult>(Request, PhantomData<fn() -> R>);

/// The result of a call of one kind of primitive.
pub trait Answered: sealed::Answered {}

pub(super) mod sealed {
    use serde_json::Value;

    pub trait Answered {
        /// Reads a result, with the progress that was reported before it.
        fn read(json: Value, progress: Vec<Value>) -> Self;
    }
}

impl<R: Answered> TestCall<R> {
    pub(super) fn new(request: Request) -> Self {
        Self(request, PhantomData)
    }

    /// Returns the id under which it was sent.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.id()
    }

    /// Cancels the call. If the server has not answered yet, its [`outcome`](Self::outcome) is
    /// [`RequestError::Cancelled`].
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Returns the next progress report as it arrives: the parameters of the
    /// notification. `None` once the call has ended. The result also has the
    /// reports that were read here.
    ///
    /// ```
    /// use mcp_kit::prelude::*;
    /// use mcp_kit::testing::TestClient;
    /// use serde_json::json;
    ///
    /// /// Counts to three.
    /// #[tool]
    /// async fn count(progress: Progress) -> &'static str {
    ///     for number in 1..=3 {
    ///         progress.report(number.into(), Some(3.0), None);
    ///     }
    ///     "counted"
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), mcp_kit::server::BuildError> {
    /// let server = Server::builder("counter", "1.0.0").tool::<count>().build()?;
    /// let client = TestClient::new(&server).await;
    /// let mut call = client.call("count", json!({}));
    /// let first = call.next_progress().await.expect("the tool reports");
    /// assert_eq!(first["progress"], 1.0);
    /// let result = call.await;
    /// assert_eq!(result.text(), "counted");
    /// assert_eq!(result.progress().len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next_progress(&mut self) -> Option<Value> {
        let report = self.0.progress.recv().await?;
        self.0.reported.push(report.clone());
        Some(report)
    }

    /// Returns the result, or why there is none.
    ///
    /// # Errors
    ///
    /// Returns a protocol error in place of a result, or that there is no
    /// answer at all, for example because the call was cancelled. A tool that
    /// fails does have a result; see [`CallResult::is_error`].
    pub async fn outcome(mut self) -> Result<R, RequestError> {
        poll_fn(|cx| self.poll_outcome(cx)).await
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<R, RequestError>> {
        let outcome = ready!(Pin::new(&mut self.0).poll(cx));
        let mut progress = std::mem::take(&mut self.0.reported);
        // All of it arrived before the answer.
        while let Ok(report) = self.0.progress.try_recv() {
            progress.push(report);
        }
        Poll::Ready(outcome.map(|json| R::read(json, progress)))
    }
}

impl<R: Answered> Future for TestCall<R> {
    type Output = R;

    #[allow(clippy::panic)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        match ready!(self.poll_outcome(cx)) {
            Ok(result) => Poll::Ready(result),
            Err(error) => panic!("the call has no result: {error}"),
        }
    }
}
