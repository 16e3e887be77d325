//! Requests in flight, and what comes of them.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::link::Answer;

/// A request that was sent; a future of its result.
#[must_use = "await it for the answer"]
pub struct Request {
    id: u64,
    answer: oneshot::Receiver<Answer>,
    lines: Option<mpsc::WeakUnboundedSender<Vec<u8>>>,
    progress: Vec<Value>,
}

impl Request {
    pub(super) fn new(
        id: u64,
        answer: oneshot::Receiver<Answer>,
        lines: Option<mpsc::UnboundedSender<Vec<u8>>>,
    ) -> Self {
        Self {
            id,
            answer,
            // Weak: a request that is kept does not keep the connection open.
            lines: lines.map(|lines| lines.downgrade()),
            progress: Vec::new(),
        }
    }

    /// The id under which it was sent.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Tells the server that the answer is not wanted. A request that is
    /// cancelled in time gets none: it ends with [`RequestError::Cancelled`] once
    /// the server has taken notice.
    pub fn cancel(&self) {
        if let Some(lines) = self
            .lines
            .as_ref()
            .and_then(mpsc::WeakUnboundedSender::upgrade)
        {
            let line = json!({
                "jsonrpc": "2.0",
                "method": "notifications/cancelled",
                "params": {"requestId": self.id, "reason": "the test cancelled it"},
            });
            let _ = lines.send(line.to_string().into_bytes());
            // Whatever the server answers to this, it has read the line above,
            // and the answer to the request came before or never comes.
            let line = json!({"jsonrpc": "2.0", "id": cancelled_id(self.id), "method": "ping"});
            let _ = lines.send(line.to_string().into_bytes());
        }
    }
}

impl Future for Request {
    type Output = Result<Value, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Ok(Answer {
            mut message,
            progress,
        }) = ready!(Pin::new(&mut self.answer).poll(cx))
        else {
            return Poll::Ready(Err(RequestError::NoAnswer));
        };
        self.progress = progress;
        if message.is_null() {
            return Poll::Ready(Err(RequestError::Cancelled));
        }
        Poll::Ready(match message.get_mut("error") {
            Some(error) => Err(RequestError::Protocol {
                code: error["code"].as_i64().unwrap_or_default(),
                message: error["message"].as_str().unwrap_or_default().to_owned(),
                data: error.get_mut("data").map(Value::take),
            }),
            None => Ok(message["result"].take()),
        })
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
        /// What else the server says.
        data: Option<Value>,
    },
    /// The connection ended without an answer.
    NoAnswer,
    /// The request was cancelled before the server answered it.
    Cancelled,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol { code, message, .. } => write!(f, "{message} ({code})"),
            Self::NoAnswer => f.write_str("the connection ended without an answer"),
            Self::Cancelled => f.write_str("it was cancelled"),
        }
    }
}

impl std::error::Error for RequestError {}

/// A tool call that was sent; a future of its result.
///
/// Awaiting it panics where there is no result, as for a tool that does not
/// exist; [`outcome`](Self::outcome) tells why instead.
#[must_use = "await it for the result"]
#[derive(Debug)]
pub struct Call(Request);

impl Call {
    pub(super) fn new(request: Request) -> Self {
        Self(request)
    }

    /// The id under which it was sent.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.id()
    }

    /// Tells the server that the result is not wanted. A call that is cancelled
    /// in time gets none: its [`outcome`](Self::outcome) is
    /// [`RequestError::Cancelled`].
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// The result, or why there is none.
    ///
    /// # Errors
    ///
    /// A protocol error in place of a result, or no answer at all, for example
    /// because the call was cancelled. A tool that
    /// fails does have a result; see [`CallResult::is_error`].
    pub async fn outcome(mut self) -> Result<CallResult, RequestError> {
        std::future::poll_fn(|cx| self.poll_outcome(cx)).await
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<CallResult, RequestError>> {
        let outcome = ready!(Pin::new(&mut self.0).poll(cx));
        let progress = std::mem::take(&mut self.0.progress);
        Poll::Ready(outcome.map(|json| CallResult { json, progress }))
    }
}

impl Future for Call {
    type Output = CallResult;

    #[allow(clippy::panic)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CallResult> {
        match ready!(self.poll_outcome(cx)) {
            Ok(result) => Poll::Ready(result),
            Err(error) => panic!("the call has no result: {error}"),
        }
    }
}

/// What a tool answered.
#[derive(Clone, Debug, PartialEq)]
pub struct CallResult {
    json: Value,
    progress: Vec<Value>,
}

impl CallResult {
    /// The text blocks, a newline between two.
    #[must_use]
    pub fn text(&self) -> String {
        let texts: Vec<_> = self
            .content()
            .iter()
            .filter_map(|block| block["text"].as_str())
            .collect();
        texts.join("\n")
    }

    /// Every block, as JSON.
    #[must_use]
    pub fn content(&self) -> &[Value] {
        self.json["content"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The structured content.
    #[must_use]
    pub fn structured(&self) -> Option<&Value> {
        self.json.get("structuredContent")
    }

    /// Whether the tool says that it failed.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.json["isError"] == true
    }

    /// The whole result.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The progress that was reported before the result: the parameters of each
    /// notification.
    #[must_use]
    pub fn progress(&self) -> &[Value] {
        &self.progress
    }
}

const CANCELLED: &str = "cancelled ";

/// The id of the request that follows the cancellation of `id`.
fn cancelled_id(id: u64) -> String {
    format!("{CANCELLED}{id}")
}

/// The request whose cancellation a message answers.
pub(super) fn cancelled_request(message: &Value) -> Option<u64> {
    let id = message.get("id")?.as_str()?;
    id.strip_prefix(CANCELLED)?.parse().ok()
}
