//! Dispatches a request to the code that answers it: by era, by method, and for
//! a call by the primitive.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::ServerInner;
use super::messages::internal;
use super::methods::{self, Does, Method};
use super::resources::Found;
use super::session::Session;
use super::subscriptions::{Subscription, WatchRequest};
use crate::call::{
    CallContext, CallParts, CallRequest, CallText, CallTexts, Home, OpenQuestions, Pending,
    Refusal, RoundSettings, STATE_NOT_VALID, ServerKeys, StateMap,
};
use crate::content::{ResultMeta, write_cache_hints};
use crate::observe::{self, CallStart};
use crate::primitive::Kind;
use crate::protocol::message::Request;
use crate::protocol::meta::Meta;
use crate::protocol::{
    ClientDetails, ClientInfo, Era, ErrorCode, LogLevel, ProtocolVersion, RpcError, encode,
};
use crate::registry::{ResourceList, unknown_cursor};

/// A longer description of a client is parsed at once, and not kept as text
/// until a handler needs it.
const LONGEST_CLIENT_TEXT: usize = 1024;

/// A request whose era is known.
pub(super) struct Ask<'a, 'm> {
    pub(super) era: Era,
    pub(super) session: &'a mut Session,
    pub(super) request: &'a Request<'m>,
    pub(super) meta: &'a Meta<'m>,
}

/// The method of a call.
pub(super) struct Called<'a> {
    pub(super) method: &'a str,
    /// Its result may ask the client (2026-07-28).
    pub(super) may_ask: bool,
}

impl From<&'static Method> for Called<'static> {
    fn from(method: &'static Method) -> Self {
        Self {
            method: method.name,
            may_ask: method.may_ask,
        }
    }
}

/// The result of dispatching a request.
#[must_use]
pub(crate) enum Routed {
    /// Its answer is written.
    Done,
    /// It is a call, which may start.
    Run(Pending),
    /// It opens a subscription.
    Listen(Subscription),
    /// It watches a resource on the stream of its client.
    Watch(WatchRequest),
}

impl ServerInner {
    /// Answers a request into `out`, or returns the call or subscription that
    /// it requests.
    pub(crate) fn request(
        self: &Arc<Self>,
        session: &mut Session,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) -> Routed {
        match self.try_request(session, request, out) {
            Ok(routed) => routed,
            Err(error) => {
                encode::error(out, Ok(&request.id), &error);
                Routed::Done
            }
        }
    }

    fn try_request(
        self: &Arc<Self>,
        session: &mut Session,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Routed, RpcError> {
        let meta = Meta::of(request.params.meta)?;
        let era = meta.era();
        if era == Era::Modern {
            meta.check_modern()?;
        }
        self.route(era, session, request, &meta, out)
    }

    /// Answers a request whose era is known, and whose metadata meets the
    /// requirements of that era.
    #[inline]
    pub(crate) fn route(
        self: &Arc<Self>,
        era: Era,
        session: &mut Session,
        request: &Request<'_>,
        meta: &Meta<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Routed, RpcError> {
        match &self.messages {
            None => self.routed(era, session, request, meta, out),
            Some(messages) => self.route_within(messages, era, session, request, meta, out),
        }
    }

    /// Routes a request that has passed the middlewares of messages, if there are any.
    pub(super) fn routed(
        self: &Arc<Self>,
        era: Era,
        session: &mut Session,
        request: &Request<'_>,
        meta: &Meta<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Routed, RpcError> {
        let method = methods::find(&request.method);
        let comes_first = method.is_some_and(|method| method.comes_first);
        if era == Era::Legacy && session.version.is_none() && !comes_first {
            return Err(RpcError::invalid_params(
                "Not initialized: send \"initialize\" first, or put \"io.modelcontextprotocol/protocolVersion\" and \"io.modelcontextprotocol/clientCapabilities\" into the request's \"_meta\" (2026-07-28)",
            ));
        }
        let Some(method) = method.filter(|method| method.is_in(era)) else {
            let ask = Ask {
                era,
                session,
                request,
                meta,
            };
            if let Some(routed) = self.extension_method(&ask)? {
                return Ok(routed);
            }
            if comes_first && era == Era::Legacy {
                // Metadata is missing, or is present where it has no meaning.
                meta.check_modern()?;
            }
            return Err(RpcError::method_not_found(&request.method));
        };
        let mut ask = Ask {
            era,
            session,
            request,
            meta,
        };
        match method.does {
            Does::Answer(answer) => answer(self, &mut ask, out)?,
            Does::List(kind) => {
                self.check_declared(kind, method)?;
                if let Some(found) = self.list(kind, &ask, out)? {
                    return self.call_of(method.into(), found, &ask).map(Routed::Run);
                }
            }
            Does::Initialize => self.initialize(&mut ask, out)?,
            Does::Call(kind, find) => {
                let found = find(self, &request.params, era);
                let found = found.or_else(|error| {
                    self.check_declared(kind, method)?;
                    Err(error)
                })?;
                found.check_readable(&ask.session.principal, era)?;
                if let (Some(feed), Some(uri)) = (&ask.session.follows, found.uri()) {
                    feed.read(uri);
                }
                let work = self.task_of(&found.target, &ask)?;
                let call = self.call_of(method.into(), found, &ask)?;
                refuse_hidden(&call)?;
                return Ok(Routed::Run(match work {
                    Some(work) => call.with_work(work),
                    None => call,
                }));
            }
            Does::Task(about) => {
                let work = self.about_task(about, &ask)?;
                let target = Arc::clone(self.tasks.target());
                let call = self.call_of(method.into(), target.into(), &ask)?;
                return Ok(Routed::Run(call.with_work(work)));
            }
            Does::Listen => return Subscription::of(self, &ask).map(Routed::Listen),
            Does::Watch { begins } => {
                return WatchRequest::of(self, &ask, begins).map(Routed::Watch);
            }
        }
        Ok(Routed::Done)
    }

    /// Refuses a method of a kind whose capability is not declared.
    fn check_declared(&self, kind: Kind, method: &Method) -> Result<(), RpcError> {
        if self.registry.current().declares(kind) {
            return Ok(());
        }
        Err(RpcError::method_not_found(method.name))
    }

    pub(super) fn ping(&self, ask: &mut Ask<'_, '_>, out: &mut Vec<u8>) -> Result<(), RpcError> {
        encode::result(out, &ask.request.id, |out| out.extend_from_slice(b"{}"));
        Ok(())
    }

    /// Sets the level from which on a legacy client receives log messages.
    pub(super) fn set_log_level(
        &self,
        ask: &mut Ask<'_, '_>,
        out: &mut Vec<u8>,
    ) -> Result<(), RpcError> {
        let level = text(ask.request.params.level, "level")?;
        let level = LogLevel::from_name(&level).ok_or_else(|| {
            RpcError::invalid_params(
                r#"Invalid params: "level" must be one of debug, info, notice, warning, error, critical, alert, emergency"#,
            )
        })?;
        ask.session.log_level = Some(level);
        encode::result(out, &ask.request.id, |out| out.extend_from_slice(b"{}"));
        Ok(())
    }

    /// Answers with a page, or returns the provider that completes it.
    fn list(
        &self,
        kind: Kind,
        ask: &Ask<'_, '_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Found>, RpcError> {
        let era = ask.era;
        let list = kind.plural();
        let position = match ask.request.params.cursor {
            Some(cursor) if cursor.get() != "null" => {
                let cursor = text(Some(cursor), "cursor")?;
                let position = self.keys.open_cursor(list, &cursor);
                Some(position.ok_or_else(unknown_cursor)?)
            }
            _ => None,
        };
        let (principal, items) = (&ask.session.principal, self.limits.page_items);
        if let Some(feed) = &ask.session.follows {
            feed.listed(kind);
        }
        let current = self.registry.current();
        let position = position.as_deref();
        let page = match kind {
            Kind::Resource => match current.resource_list(principal, position, items, era)? {
                ResourceList::Page(page) => page,
                ResourceList::Provider(provider, request) => {
                    return Ok(Some(Found::list(&provider, request)));
                }
            },
            kind => current.page(kind, principal, position, items)?,
        };
        let next = page.next.as_deref();
        let next = next.map(|position| self.keys.seal_cursor(list, position));
        let next = next.transpose().map_err(|_| {
            let problem =
                "the operating system gave no random key for the cursors of lists: set `state_key`";
            internal(&ask.request.method, problem)
        })?;
        encode::result(out, &ask.request.id, |out| {
            out.push(b'{');
            encode::string(out, list);
            out.extend_from_slice(b":[");
            for (at, entry) in page.entries.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(entry.listed(era).as_bytes());
            }
            out.push(b']');
            if let Some(cursor) = &next {
                out.extend_from_slice(br#","nextCursor":"#);
                encode::string(out, cursor);
            }
            if era == Era::Modern {
                self.write_cache_hints(out, page.is_private);
            }
            self.end_result(out, era, None);
        });
        Ok(None)
    }

    pub(super) fn call_of(
        self: &Arc<Self>,
        called: Called<'_>,
        found: Found,
        ask: &Ask<'_, '_>,
    ) -> Result<Pending, RpcError> {
        let Found {
            target,
            subject,
            arguments,
        } = found;
        let Ask {
            era,
            session,
            request,
            meta,
        } = ask;
        let raw = match (&subject, &arguments) {
            (None, None) => request.params.arguments.map(RawValue::get),
            (_, arguments) => arguments.as_deref(),
        };
        let mut raw = raw.filter(|raw| *raw != "null");
        if raw.is_some_and(|raw| !raw.starts_with('{')) {
            // A caller that may not see the primitive reads that it is unknown.
            if target.info.missing_scope(&session.principal).is_none() {
                return Err(RpcError::invalid_params(
                    r#"Invalid params: "arguments" must be an object"#,
                ));
            }
            raw = None;
        }
        let version = match era {
            Era::Modern => ProtocolVersion::V2026_07_28,
            Era::Legacy => session.version.unwrap_or(ProtocolVersion::NEWEST_LEGACY),
        };
        // The icons of a long description need not be kept.
        let mut described = None;
        let mut client_text = meta.client_info.map(RawValue::get);
        if let Some(long) = client_text.take_if(|text| text.len() > LONGEST_CLIENT_TEXT) {
            described = Some(Arc::new(ClientDetails {
                info: ClientInfo::from_json(long),
                ..ClientDetails::default()
            }));
        }
        let client = match meta.client_info {
            Some(_) => described.as_ref(),
            None => session.client.as_ref(),
        };
        let mut texts = CallTexts {
            arguments: raw,
            client: client_text,
            ..CallTexts::default()
        };
        let may_ask = called.may_ask && target.asks();
        if *era == Era::Modern && target.info.kind().capability() == Kind::Method {
            texts.capabilities = meta.client_capabilities.map(RawValue::get);
        }
        if *era == Era::Modern && called.may_ask {
            let state = request.params.request_state.map(RawValue::get);
            let state = state.filter(|state| *state != "null");
            if may_ask {
                texts.capabilities = meta.client_capabilities.map(RawValue::get);
                texts.input_responses = request.params.input_responses.map(RawValue::get);
                texts.request_state = state;
            } else if state.is_some() && target.info.missing_scope(&session.principal).is_none() {
                // No state is made for a primitive that does not ask.
                return Err(RpcError::invalid_params(STATE_NOT_VALID));
            }
        }
        let log_level = match era {
            _ if !target.asks() => None,
            Era::Modern => meta.log_level(),
            Era::Legacy => Some(session.log_level.unwrap_or(LogLevel::Info)),
        };
        if meta.has_more {
            texts.meta = request.params.meta.map(RawValue::get);
        }
        let start = CallStart {
            method: called.method,
            info: &target.info,
            principal: session.principal.name(),
            id: &request.id,
            version,
            origin: &session.origin,
        };
        let scope = observe::begin(&start, meta);
        Ok(Pending::new(CallContext::new(CallParts {
            home: Arc::clone(self) as Arc<dyn Home>,
            request: CallRequest {
                id: request.id.clone(),
                version,
                transport: session.origin.transport,
                source: session.source.clone(),
                may_ask,
            },
            received_at: session.read_at,
            text: CallText::new(texts),
            client,
            principal: session.principal.clone(),
            progress_token: meta.progress_token(),
            log_level,
            scope,
            subject,
            target,
        })))
    }

    /// Writes how long, and by whom, a list may be kept. (2026-07-28, "Caching".)
    pub(super) fn write_cache_hints(&self, out: &mut Vec<u8>, is_private: bool) {
        write_cache_hints(out, self.list_ttl, is_private);
    }

    /// Writes the server's information, as a member of a result's `_meta`.
    pub(super) fn write_server_info(&self, out: &mut Vec<u8>, info: &str) {
        out.extend_from_slice(br#""io.modelcontextprotocol/serverInfo":"#);
        out.extend_from_slice(info.as_bytes());
    }
}

/// Refuses a caller that may not see the primitive like one that asks for an unknown
/// name: at once, so that neither a queue nor a drain makes a difference. A caller
/// with a token receives a challenge instead, which its transport writes.
pub(super) fn refuse_hidden(call: &Pending) -> Result<(), RpcError> {
    let context = call.context();
    let principal = &context.principal;
    if context.target.info.missing_scope(principal).is_none() || principal.has_token() {
        return Ok(());
    }
    let unknown = context.unknown();
    if let Some(ended) = call.end() {
        ended.turn_away(Refusal::Hidden);
    }
    Err(unknown)
}

/// Reads a parameter that must be a string.
pub(super) fn text<'a>(
    value: Option<&'a RawValue>,
    name: &'static str,
) -> Result<std::borrow::Cow<'a, str>, RpcError> {
    value
        .and_then(|value| crate::protocol::json_string(value.get()))
        .ok_or_else(|| {
            RpcError::new(
                ErrorCode::InvalidParams,
                format!("Invalid params: \"{name}\" must be given, as a string"),
            )
        })
}

impl Home for ServerInner {
    fn states(&self) -> &StateMap {
        self.registry.states()
    }

    fn keys(&self) -> &ServerKeys {
        &self.keys
    }

    fn rounds(&self) -> &RoundSettings {
        &self.rounds
    }

    fn questions(&self) -> &OpenQuestions {
        &self.questions
    }

    fn is_draining(&self) -> bool {
        self.drain.is_draining()
    }

    fn drain_started(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.drain.started())
    }

    fn sender_of(&self, notification: &str) -> Option<&str> {
        self.extensions.as_ref()?.sender_of(notification)
    }

    fn end_result(&self, out: &mut Vec<u8>, era: Era, meta: Option<&ResultMeta>) {
        match (era, meta) {
            (Era::Modern, meta) => {
                out.extend_from_slice(br#","resultType":"complete","_meta":{"#);
                if let Some(meta) = meta {
                    meta.write(out);
                }
                self.write_server_info(out, &self.identity.short);
                out.push(b'}');
            }
            (Era::Legacy, Some(meta)) => {
                out.extend_from_slice(br#","_meta":{"#);
                meta.write(out);
                out.pop(); // the last comma
                out.push(b'}');
            }
            (Era::Legacy, None) => {}
        }
        out.push(b'}');
    }

    fn end_result_as(&self, out: &mut Vec<u8>, result_type: &'static str) {
        out.extend_from_slice(br#","resultType":"#);
        encode::string(out, result_type);
        out.extend_from_slice(br#","_meta":{"#);
        self.write_server_info(out, &self.identity.short);
        out.extend_from_slice(b"}}");
    }
}
