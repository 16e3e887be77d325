//! A question that is sent when it is awaited.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::Client;
use crate::call::{Error, Question, Rejected};
use crate::protocol::ClientCapability;

/// A question to the client: a future of its answer.
///
/// Nothing is sent before it is awaited. Questions that are awaited together, for
/// example with `tokio::join!`, are sent together.
#[must_use = "a question is sent when it is awaited"]
pub struct Asking<T>(State<T>);

enum State<T> {
    Unsent(Box<Unsent<T>>),
    Sent(Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>),
    Refused(Option<Error>),
}

struct Unsent<T> {
    client: Client,
    question: Question,
    read: Read<T>,
}

type Read<T> = Box<dyn FnMut(&RawValue) -> Result<T, Rejected> + Send>;

impl<T> Asking<T> {
    /// Names the question in the modern era: the client sees the name as its key
    /// in `inputRequests`.
    ///
    /// Without a name the key is made from the question's content, and from how
    /// often the call has asked the same. With a name the answer belongs to the
    /// question even if its content differs in the next round, such as the
    /// price in a message. Two questions of a call must not have the same name.
    pub fn key(mut self, name: impl Into<Box<str>>) -> Self {
        if let State::Unsent(unsent) = &mut self.0 {
            unsent.question.key = Some(name.into());
        }
        self
    }

    /// A question that cannot be asked.
    pub(super) fn refused(error: Error) -> Self {
        Self(State::Refused(Some(error)))
    }
}

impl Client {
    /// Returns a question with these parameters; `read` reads its answer.
    pub(super) fn asking<T>(
        &self,
        method: &'static str,
        needs: ClientCapability,
        params: &impl Serialize,
        read: impl FnMut(&RawValue) -> Result<T, Rejected> + Send + 'static,
    ) -> Asking<T> {
        match to_raw_value(params) {
            Ok(params) => Asking(State::Unsent(Box::new(Unsent {
                client: self.clone(),
                question: Question {
                    method,
                    needs,
                    params,
                    key: None,
                },
                read: Box::new(read),
            }))),
            Err(error) => Asking::refused(error.into()),
        }
    }
}

/// The parts are boxed.
impl<T> Unpin for Asking<T> {}

impl<T: 'static> Future for Asking<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match &mut self.0 {
                State::Sent(sent) => return sent.as_mut().poll(cx),
                State::Refused(error) => {
                    let again = || Error::internal("a question was awaited after its answer");
                    return Poll::Ready(Err(error.take().unwrap_or_else(again)));
                }
                State::Unsent(_) => {}
            }
            if let State::Unsent(unsent) = std::mem::replace(&mut self.0, State::Refused(None)) {
                let Unsent {
                    client,
                    question,
                    read,
                } = *unsent;
                let sent = async move { client.ask_with(question, read).await };
                self.0 = State::Sent(Box::pin(sent));
            }
        }
    }
}

/// Omits the question, which may hold what the user alone should read.
impl<T> fmt::Debug for Asking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").finish_non_exhaustive()
    }
}
