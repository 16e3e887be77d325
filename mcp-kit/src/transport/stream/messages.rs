//! Handles each message of a connection: answers it, refuses it, or passes its
//! call to the runners.

use std::borrow::Cow;
use std::sync::Arc;

use super::batch::{Batch, TOO_LARGE};
use super::calls::Refused;
use super::connection::Connection;
use crate::call::{Outbound, Pending, Refusal, SHUTTING_DOWN};
use crate::protocol::message::{
    Frame, Malformed, Message, Notification, Request, decode, decode_one,
};
use crate::protocol::{Era, ErrorCode, ProtocolVersion, RequestId, RpcError, encode};
use crate::server::methods::{self, Method};
use crate::server::{Routed, Subscription};

impl Connection {
    pub(super) fn line(&mut self, line: &[u8]) {
        match decode(line, self.server.limits.pending_calls) {
            Frame::One(message) => self.one(message, None),
            Frame::Batch(members) => {
                if self.session.version != Some(ProtocolVersion::V2025_03_26) {
                    return self.refuse_batch(
                        "Invalid request: batches belong to protocol version 2025-03-26 alone",
                    );
                }
                if members.is_empty() {
                    return self.refuse_batch("Invalid request: the batch is empty");
                }
                let most = self.server.limits.pending_calls;
                if members.len() > most {
                    return self.refuse_batch(format!(
                        "Invalid request: the batch has more than {most} messages"
                    ));
                }
                let batch = Arc::new(Batch::new(&self.calls.kept));
                batch.expect_one(); // so that it is not whole before all are read
                for member in members {
                    self.one(decode_one(member.get().as_bytes()), Some(&batch));
                }
                if let Some(answers) = batch.add(b"") {
                    self.answers.extend_from_slice(&answers);
                    self.answers.push(b'\n');
                }
            }
        }
    }

    fn one(&mut self, message: Result<Message<'_>, Malformed>, batch: Option<&Arc<Batch>>) {
        if let Ok(message) = &message {
            self.session.entered.advance_to(message);
        }
        match message {
            Ok(Message::Request(request)) => self.request(&request, batch),
            Ok(Message::Notification(notification)) => self.notification(&notification),
            Ok(Message::Response(response)) => {
                (self.server.questions).answered(self.calls.peer, &response);
            }
            Ok(Message::Ignored) => {}
            Err(Malformed { id, error }) => {
                // An answer under an id in flight would end that call instead.
                let id = id.filter(|id| !self.is_in_flight(id));
                self.error(batch, id.as_ref(), &error);
            }
        }
    }

    fn request(&mut self, request: &Request<'_>, batch: Option<&Arc<Batch>>) {
        if batch.is_some_and(|batch| batch.is_full()) {
            let id = Some(&request.id).filter(|id| !self.is_in_flight(id));
            return self.error(batch, id, &RpcError::invalid_request(TOO_LARGE));
        }
        if !self.subscriptions.is_empty() && self.subscriptions.contains(&request.id) {
            return self.refuse_duplicate(batch);
        }
        // It would change the connection before its id is checked.
        if methods::find(&request.method).is_some_and(Method::is_initialize) {
            if self.calls.is_open(&request.id) {
                return self.refuse_duplicate(batch);
            }
            if batch.is_some() {
                let error = RpcError::invalid_request(
                    "Invalid request: \"initialize\" cannot be part of a batch",
                );
                return self.answer(batch, |out| encode::error(out, Ok(&request.id), &error));
            }
        }
        self.dispatch(request, batch);
    }

    fn dispatch(&mut self, request: &Request<'_>, batch: Option<&Arc<Batch>>) {
        let mut answer = Vec::new();
        let out = if batch.is_some() {
            &mut answer
        } else {
            &mut self.answers
        };
        let start = out.len();
        let routed = self.server.request(&mut self.session, request, out);
        if let Routed::Watch(watch) = &routed
            && !self.calls.is_open(&request.id)
        {
            watch.answer(&self.feed, out);
        }
        let call = match routed {
            Routed::Run(call) => call,
            Routed::Listen(subscription) => return self.listen(subscription, batch),
            Routed::Done | Routed::Watch(_) => {
                if self.calls.is_open(&request.id) {
                    out.truncate(start);
                    return self.refuse_duplicate(batch);
                }
                let Some(batch) = batch else {
                    return self.answers.push(b'\n');
                };
                if !batch.has_room_for(answer.len(), self.server.limits.unread_bytes) {
                    let error = RpcError::invalid_request(TOO_LARGE);
                    answer.clear();
                    encode::error(&mut answer, Ok(&request.id), &error);
                }
                return self.answer(Some(batch), |out| out.append(&mut answer));
            }
        };
        self.run(call, batch);
    }

    fn run(&mut self, mut call: Pending, batch: Option<&Arc<Batch>>) {
        // Bytes in the input when it ended were sent before the drain; bytes
        // that are read while the server drains were sent after.
        if self.server.drain.is_draining() && !call.runs_while_draining() {
            if self.calls.is_open(call.id()) {
                call.discard(ErrorCode::InvalidRequest);
                return self.refuse_duplicate(batch);
            }
            return self.refuse_call(&call, batch, Refusal::ShuttingDown);
        }
        let outbound = || Arc::clone(&self.calls) as Arc<dyn Outbound>;
        call.report_to(outbound);
        if call.era() == Era::Legacy {
            call.ask_through(|| (self.server).ask_peer(self.calls.peer, outbound(), &self.feed));
        }
        match self.calls.take(call, batch) {
            Ok(due) => self.expiry.set(due),
            Err(Refused::DuplicateId) => self.refuse_duplicate(batch),
            Err(Refused::Busy(call)) => self.refuse_call(&call, batch, Refusal::Busy),
        }
    }

    /// Opens a subscription. It lasts until the client cancels it, which gets no
    /// answer, or the connection ends.
    fn listen(&mut self, mut subscription: Subscription, batch: Option<&Arc<Batch>>) {
        if self.calls.is_open(&subscription.id) {
            return self.refuse_duplicate(batch);
        }
        match self.check_subscription(batch.is_some()) {
            Ok(()) => {
                subscription.find_tasks_now(&self.server, &self.session.principal);
                let mut acknowledgement = Vec::new();
                subscription.acknowledge(&mut acknowledgement);
                if let Err(error) = self.feed.add(&mut subscription) {
                    return self.error(None, Some(&subscription.id), &error);
                }
                self.answer(None, |out| out.append(&mut acknowledgement));
                self.subscriptions.insert(subscription.id);
            }
            Err(error) => self.error(batch, Some(&subscription.id), &error),
        }
    }

    fn check_subscription(&self, is_in_batch: bool) -> Result<(), RpcError> {
        if is_in_batch {
            return Err(RpcError::invalid_request(
                "Invalid request: a subscription cannot be part of a batch",
            ));
        }
        if self.server.drain.is_draining() {
            return Err(RpcError::new(ErrorCode::InternalError, SHUTTING_DOWN));
        }
        let most = self.server.limits.subscriptions_per_principal;
        if self.subscriptions.len() >= most {
            return Err(RpcError::invalid_request(format!(
                "Too many subscriptions: this connection has {most}; cancel one first"
            )));
        }
        Ok(())
    }

    fn notification(&mut self, notification: &Notification<'_>) {
        let passed = self.server.passes(&mut self.session, notification);
        let Some(notification) = passed.notification() else {
            return;
        };
        match &*notification.method {
            "notifications/cancelled" => {
                let id = notification.params.request_id;
                let Some(id) = id.and_then(|id| RequestId::from_json(id.get())) else {
                    return;
                };
                if self.subscriptions.remove(&id) {
                    self.feed.remove(&id);
                } else {
                    self.calls.cancel(&id);
                }
            }
            "notifications/initialized" if self.session.version.is_some() => {
                self.feed.add_legacy();
            }
            _ => (self.server).notified(None, &mut self.session, &notification),
        }
    }

    fn refuse_call(&mut self, call: &Pending, batch: Option<&Arc<Batch>>, why: Refusal) {
        if let Some(ended) = call.end() {
            let mut refusal = ended.refuse(why);
            self.answer(batch, |out| out.append(&mut refusal.json));
        }
    }

    fn refuse_duplicate(&mut self, batch: Option<&Arc<Batch>>) {
        // Has no id: an answer with it would end the first call at the client.
        let error = RpcError::invalid_request(
            "Invalid request: the id belongs to a request that is still in flight",
        );
        self.error(batch, None, &error);
    }

    fn refuse_batch(&mut self, message: impl Into<Cow<'static, str>>) {
        let error = RpcError::invalid_request(message);
        self.error(None, None, &error);
    }

    pub(super) fn too_long(&mut self, id: Option<RequestId>) {
        let error = RpcError::new(
            ErrorCode::InvalidRequest,
            format!(
                "Invalid request: the message is longer than {} bytes",
                self.server.limits.message_bytes
            ),
        );
        let id = id.filter(|id| !self.is_in_flight(id));
        self.error(None, id.as_ref(), &error);
    }

    fn is_in_flight(&self, id: &RequestId) -> bool {
        self.calls.is_open(id) || self.subscriptions.contains(id)
    }

    /// Answers the request with this id with an error, if that is possible.
    fn error(&mut self, batch: Option<&Arc<Batch>>, id: Option<&RequestId>, error: &RpcError) {
        // Without a handshake the client speaks the newest revision, or has
        // not spoken yet.
        let version = self.session.version.unwrap_or(ProtocolVersion::NEWEST);
        self.answer(batch, |out| encode::error(out, id.ok_or(version), error));
    }

    fn answer(&mut self, batch: Option<&Arc<Batch>>, write: impl FnOnce(&mut Vec<u8>)) {
        match batch {
            None => {
                write(&mut self.answers);
                self.answers.push(b'\n');
            }
            Some(batch) => {
                batch.expect_one();
                let mut answer = Vec::new();
                write(&mut answer);
                // Never complete here: the reader's own share is still missing.
                let _ = batch.add(&answer);
            }
        }
    }
}
