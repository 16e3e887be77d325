//! JSON-RPC batches (2025-03-26) over HTTP: one request with many messages,
//! one array of answers.

use std::sync::{Arc, MutexGuard};

use crate::support::lock::Lock;

use http::StatusCode;
use serde_json::value::RawValue;

use super::messages::{Caller, Reply};
use super::session::LegacySession;
use crate::transport::http::calls::mcp::Mcp;
use crate::transport::http::calls::place::{Answer, Answers};
use crate::transport::http::calls::response::Exchange;
use crate::transport::http::message::body::LARGE;
use crate::transport::http::message::refusal::{Refusal, busy};

use crate::limits::{ByteBudget, Claim};
use crate::protocol::message::{Malformed, Message, Request, decode_one};
use crate::protocol::meta::Meta;
use crate::protocol::{ProtocolVersion, RpcError};
use crate::server::methods::{self, Method};
use crate::transport::stream::{Batch, TOO_LARGE};

/// The answers to a batch, and the response that they go to.
pub(crate) struct BatchReply {
    batch: Batch,
    exchange: Arc<Exchange>,
    /// The limit of answer bytes that wait in unfinished batches of a session.
    most: usize,
    unread: Arc<ByteBudget>,
    held: Lock<Held>,
}

/// The bytes that the answers count for, until they have left.
#[derive(Default)]
struct Held {
    claim: Option<Claim>,
    /// The bytes of small answers. They count once they are large together.
    small: usize,
}

impl BatchReply {
    fn new(mcp: &Mcp, session: &LegacySession) -> Arc<Self> {
        let batch = Batch::new(&session.batches());
        batch.expect_one(); // so that it is not whole before all are read
        Arc::new(Self {
            batch,
            exchange: match &session.sink {
                Some(sink) => Exchange::into_sink(sink),
                None => Exchange::new(0),
            },
            most: mcp.server.limits.unread_bytes,
            unread: Arc::clone(&mcp.unread),
            held: Lock::default(),
        })
    }

    /// Expects one more answer.
    pub(super) fn expect_one(&self) {
        self.batch.expect_one();
    }

    /// Adds the answer to a message that needs no handler.
    fn answer(&self, caller: &Caller<'_>, reply: Reply) {
        let (id, json) = match reply {
            Reply::Json { id, json } => (id, json),
            Reply::Call(_) | Reply::Nothing => return,
        };
        let is_large = json.len() > LARGE;
        let claim = is_large.then(|| self.unread.claim(json.len())).flatten();
        let fits = claim.is_some() == is_large && self.takes(json.len());
        if !fits {
            self.batch.set_full();
        }
        self.batch.expect_one();
        self.add(Some(if fits {
            (json, claim)
        } else {
            let refusal = RpcError::invalid_request(TOO_LARGE);
            (caller.error(id.as_ref(), &refusal), None)
        }));
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock()
    }
}

impl Answers for BatchReply {
    fn takes(&self, bytes: usize) -> bool {
        if !self.batch.has_room_for(bytes, self.most) {
            return false;
        }
        if bytes > LARGE {
            return true;
        }
        let mut held = self.held();
        let small = held.small + bytes;
        if small > LARGE {
            let more = if held.small > LARGE { bytes } else { small };
            let Some(claim) = self.unread.claim(more) else {
                self.batch.set_full();
                return false;
            };
            held.take_in(claim);
        }
        held.small = small;
        true
    }

    fn add(&self, answer: Option<Answer>) {
        let (json, claim) = answer.unwrap_or_default();
        if let Some(claim) = claim {
            self.held().take_in(claim);
        }
        let Some(answers) = self.batch.complete(&json) else {
            return;
        };
        if answers.is_empty() {
            return self.exchange.end();
        }
        let claim = self.held().claim.take();
        let answers = if self.exchange.takes(answers.len()) {
            answers
        } else {
            busy().into_json(ProtocolVersion::V2025_03_26)
        };
        self.exchange.answer(answers, claim);
    }
}

impl Held {
    fn take_in(&mut self, more: Claim) {
        match &mut self.claim {
            Some(claim) => claim.take_in(more),
            none => *none = Some(more),
        }
    }
}

/// Handles every message of a batch; its answers go to the exchange.
pub(crate) fn take(
    mcp: &Mcp,
    caller: &Caller<'_>,
    members: &[&RawValue],
) -> Result<Arc<Exchange>, Refusal> {
    let refuse = |message: String| Err(Refusal::bad_request(RpcError::invalid_request(message)));
    if members.is_empty() {
        return refuse("Invalid request: the batch is empty".to_owned());
    }
    let most = mcp.server.limits.pending_calls;
    if members.len() > most {
        return refuse(format!(
            "Invalid request: the batch has more than {most} messages"
        ));
    }
    let reply = BatchReply::new(mcp, caller.session);
    for member in members {
        let message = decode_one(member.get().as_bytes());
        if let Ok(message) = &message {
            caller.advance_to(message);
        }
        let answer = match message {
            Ok(Message::Request(request))
                if methods::find(&request.method).is_some_and(Method::is_initialize) =>
            {
                let error = RpcError::invalid_request(
                    "Invalid request: \"initialize\" cannot be part of a batch",
                );
                Reply::Json {
                    json: caller.error(Some(&request.id), &error),
                    id: Some(request.id),
                }
            }
            Ok(Message::Request(request)) => {
                match request_in_batch(mcp, caller, &request, &reply) {
                    Ok(answer) => answer,
                    Err(refusal) if refusal.status() == StatusCode::NOT_FOUND => {
                        return Err(refusal);
                    }
                    Err(refusal) => Reply::Json {
                        id: None,
                        json: refusal.into_json(caller.session.version),
                    },
                }
            }
            Ok(Message::Notification(notification)) => {
                caller.notification(mcp, &notification);
                Reply::Nothing
            }
            Ok(Message::Response(response)) => {
                caller.response(mcp, &response);
                Reply::Nothing
            }
            Ok(Message::Ignored) => Reply::Nothing,
            Err(Malformed { id, error }) => Reply::Json {
                json: caller.error(id.as_ref(), &error),
                id: None,
            },
        };
        reply.answer(caller, answer);
    }
    reply.add(None);
    Ok(Arc::clone(&reply.exchange))
}

fn request_in_batch(
    mcp: &Mcp,
    caller: &Caller<'_>,
    request: &Request<'_>,
    reply: &Arc<BatchReply>,
) -> Result<Reply, Refusal> {
    if reply.batch.is_full() {
        let error = RpcError::invalid_request(TOO_LARGE);
        return Ok(Reply::Json {
            json: caller.error(Some(&request.id), &error),
            id: None,
        });
    }
    match Meta::of(request.params.meta) {
        Ok(meta) => caller.request(mcp, request, &meta, None, None, Some(reply)),
        Err(error) => Ok(Reply::Json {
            json: caller.error(Some(&request.id), &error),
            id: None,
        }),
    }
}
