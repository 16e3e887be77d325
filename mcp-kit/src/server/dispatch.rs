//! From a request to its answer: which era, which method, which tool. What
//! every call gets, whatever its chain: panics are contained, internal errors
//! are kept from the client, the result is bounded.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use serde_json::value::RawValue;

use super::ServerInner;
use crate::call::RequestSource;
use crate::call::RunPermit;
use crate::call::{Call, CallContext, CallRequest, CallText, Outbound, ToolError};
use crate::call::{CallOutcome, Next};
use crate::caller::Principal;
use crate::content::ToolResult;
use crate::observe::{CallStart, CallTrace, Origin};
use crate::observe::{log_late_panic, log_unseen};
use crate::protocol::message::Request;
use crate::protocol::meta::Meta;
use crate::protocol::params::Params;
use crate::protocol::{ClientInfo, Era, ErrorCode, ProtocolVersion, RequestId, RpcError, encode};
use crate::registry::ToolEntry;
use crate::support::panics::{Contained, discard};

/// What a connection or a request knows of its client.
pub(crate) struct Session {
    pub(crate) principal: Principal,
    /// The version agreed on by `initialize`.
    pub(crate) version: Option<ProtocolVersion>,
    /// What the client said of itself in `initialize`.
    pub(crate) client: Option<Arc<ClientInfo>>,
    pub(crate) origin: Origin,
    pub(crate) source: RequestSource,
}

/// A description of a client that is longer is read at once, and not kept as
/// text until a handler asks for it.
const LONGEST_CLIENT_TEXT: usize = 1024;

/// A call that may start.
pub(crate) struct PendingCall {
    pub(crate) id: RequestId,
    pub(crate) era: Era,
    pub(crate) context: Arc<CallContext>,
}

impl PendingCall {
    /// The bytes that the client made it hold. Its id is held twice: the
    /// connection keeps its own to find the call by.
    pub(crate) fn size(&self) -> usize {
        2 * self.id.size() + self.context.size()
    }
}

impl ServerInner {
    /// Answers a request into `out`, or gives back the call that it asks for.
    pub(crate) fn request(
        self: &Arc<Self>,
        session: &mut Session,
        request: &Request<'_>,
        outbound: Option<&Arc<dyn Outbound>>,
        out: &mut Vec<u8>,
    ) -> Option<PendingCall> {
        match self.try_request(session, request, outbound, out) {
            Ok(call) => call,
            Err(error) => {
                encode::error(out, Ok(&request.id), &error);
                None
            }
        }
    }

    fn try_request(
        self: &Arc<Self>,
        session: &mut Session,
        request: &Request<'_>,
        outbound: Option<&Arc<dyn Outbound>>,
        out: &mut Vec<u8>,
    ) -> Result<Option<PendingCall>, RpcError> {
        let meta = Meta::of(request.params.meta)?;
        let era = meta.era();
        if era == Era::Modern {
            meta.check_modern()?;
        }
        self.route(era, session, request, &meta, outbound, out)
    }

    /// Answers a request whose era is known, and whose metadata is what that
    /// era wants.
    pub(crate) fn route(
        self: &Arc<Self>,
        era: Era,
        session: &mut Session,
        request: &Request<'_>,
        meta: &Meta<'_>,
        outbound: Option<&Arc<dyn Outbound>>,
        out: &mut Vec<u8>,
    ) -> Result<Option<PendingCall>, RpcError> {
        let params = &request.params;
        let id = &request.id;
        match (era, &*request.method) {
            (Era::Modern, method) => match method {
                "server/discover" => self.discover(id, out),
                "tools/list" => self.list_tools(Era::Modern, session, id, params, out)?,
                "tools/call" => {
                    return self.call(Era::Modern, session, id, params, meta, outbound);
                }
                method => return Err(RpcError::method_not_found(method)),
            },
            (Era::Legacy, "initialize") => self.initialize(session, id, params, out)?,
            (Era::Legacy, "ping") => encode::result(out, id, |out| out.extend_from_slice(b"{}")),
            (Era::Legacy, "server/discover") => {
                // Metadata is missing, or comes where it means nothing.
                meta.check_modern()?;
                return Err(RpcError::method_not_found("server/discover"));
            }
            (Era::Legacy, _) if session.version.is_none() => {
                return Err(RpcError::invalid_params(
                    "Not initialized: send \"initialize\" first, or put \"io.modelcontextprotocol/protocolVersion\" and \"io.modelcontextprotocol/clientCapabilities\" into the request's \"_meta\" (2026-07-28)",
                ));
            }
            (Era::Legacy, "tools/list") => {
                self.list_tools(Era::Legacy, session, id, params, out)?;
            }
            (Era::Legacy, "tools/call") => {
                return self.call(Era::Legacy, session, id, params, meta, outbound);
            }
            (Era::Legacy, method) => return Err(RpcError::method_not_found(method)),
        }
        Ok(None)
    }

    fn initialize(
        &self,
        session: &mut Session,
        id: &RequestId,
        params: &Params<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), RpcError> {
        if session.version.is_some() {
            return Err(RpcError::invalid_request(
                "Invalid request: the connection is initialized already",
            ));
        }
        let requested = text(params.protocol_version, "protocolVersion")?;
        let version = ProtocolVersion::from_name(&requested)
            .filter(|version| version.era() == Era::Legacy)
            .unwrap_or(ProtocolVersion::NEWEST_LEGACY);
        session.version = Some(version);
        session.client = (params.client_info)
            .and_then(|client| ClientInfo::from_json(client.get()))
            .map(Arc::new);
        encode::result(out, id, |out| {
            out.extend_from_slice(br#"{"protocolVersion":"#);
            encode::string(out, version.as_str());
            out.extend_from_slice(br#","capabilities":{"tools":{}},"serverInfo":"#);
            out.extend_from_slice(self.identity.info.as_bytes());
            self.write_instructions(out);
            out.push(b'}');
        });
        Ok(())
    }

    fn discover(&self, id: &RequestId, out: &mut Vec<u8>) {
        encode::result(out, id, |out| {
            out.extend_from_slice(br#"{"supportedVersions":"#);
            // Only what a request's own metadata may name: the legacy versions
            // have their handshake.
            encode::json(out, &[ProtocolVersion::V2026_07_28.as_str()]);
            out.extend_from_slice(br#","capabilities":{"tools":{}}"#);
            self.write_instructions(out);
            out.extend_from_slice(br#","ttlMs":0,"cacheScope":"public""#);
            self.write_modern_tail(out);
        });
    }

    fn list_tools(
        &self,
        era: Era,
        session: &Session,
        id: &RequestId,
        params: &Params<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), RpcError> {
        let cursor = match params.cursor {
            Some(cursor) if cursor.get() != "null" => Some(text(Some(cursor), "cursor")?),
            _ => None,
        };
        let page = self.tools_page(&session.principal, cursor.as_deref())?;
        encode::result(out, id, |out| {
            out.extend_from_slice(br#"{"tools":["#);
            for (at, entry) in page.tools.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(entry.listed(era).as_bytes());
            }
            out.push(b']');
            if let Some(cursor) = &page.next_cursor {
                out.extend_from_slice(br#","nextCursor":"#);
                encode::string(out, cursor);
            }
            match era {
                Era::Legacy => out.push(b'}'),
                Era::Modern => {
                    out.extend_from_slice(br#","ttlMs":0,"cacheScope":"#);
                    encode::string(out, if page.is_private { "private" } else { "public" });
                    self.write_modern_tail(out);
                }
            }
        });
        Ok(())
    }

    fn call(
        self: &Arc<Self>,
        era: Era,
        session: &Session,
        id: &RequestId,
        params: &Params<'_>,
        meta: &Meta<'_>,
        outbound: Option<&Arc<dyn Outbound>>,
    ) -> Result<Option<PendingCall>, RpcError> {
        let name = text(params.name, "name")?;
        let entry = self.tool(&name).ok_or_else(|| {
            RpcError::invalid_params(format!(
                "Unknown tool: {}",
                crate::support::text::excerpt(&name)
            ))
        })?;
        let raw = params
            .arguments
            .map(RawValue::get)
            .filter(|raw| *raw != "null");
        if raw.is_some_and(|raw| !raw.starts_with('{')) {
            return Err(RpcError::invalid_params(
                r#"Invalid params: "arguments" must be an object"#,
            ));
        }
        let progress = meta.progress_token();
        let outbound = progress.as_ref().and(outbound).cloned();
        let version = match era {
            Era::Modern => ProtocolVersion::V2026_07_28,
            Era::Legacy => session.version.unwrap_or(ProtocolVersion::NEWEST_LEGACY),
        };
        // Of a long one, the icons need not be kept.
        let mut described = None;
        let mut client_text = meta.client_info.map(RawValue::get);
        if let Some(long) = client_text.take_if(|text| text.len() > LONGEST_CLIENT_TEXT) {
            described = ClientInfo::from_json(long).map(Arc::new);
        }
        let client = match meta.client_info {
            Some(_) => described.as_ref(),
            None => session.client.as_ref(),
        };
        let trace = CallStart {
            tool: entry.definition().name(),
            principal: session.principal.name(),
            id,
            version: Some(version),
            origin: &session.origin,
        };
        let trace = CallTrace::begin(&trace, meta);
        let request = CallRequest {
            id: id.clone(),
            version,
            source: session.source.clone(),
        };
        Ok(Some(PendingCall {
            id: id.clone(),
            era,
            context: Arc::new(CallContext::new(
                Arc::clone(entry),
                (request, CallText::new(raw, client_text)),
                client,
                session.principal.clone(),
                progress,
                outbound,
                trace,
            )),
        }))
    }

    /// Writes a call's result, or the answer to one that is too large.
    pub(crate) fn write_result(
        &self,
        out: &mut Vec<u8>,
        id: &RequestId,
        era: Era,
        context: &CallContext,
        result: &ToolResult,
    ) {
        let refusal;
        let result = if context.entry.takes(result) {
            result
        } else {
            refusal = ToolResult::error(format!(
                "The result has {} bytes, more than the {} that this tool may return. Ask for less.",
                result.size(),
                context.entry.result_bytes
            ));
            &refusal
        };
        encode::result(out, id, |out| self.write_tool_result(out, era, result));
    }

    fn write_tool_result(&self, out: &mut Vec<u8>, era: Era, result: &ToolResult) {
        out.extend_from_slice(br#"{"content":["#);
        for (at, block) in result.content.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            match block {
                crate::content::Content::Text(text) => {
                    out.extend_from_slice(br#"{"type":"text","text":"#);
                    encode::string(out, text.as_str());
                    out.push(b'}');
                }
                block => encode::json(out, block),
            }
        }
        out.push(b']');
        if let Some(structured) = &result.structured
            && (era == Era::Modern || structured.get().starts_with('{'))
        {
            out.extend_from_slice(br#","structuredContent":"#);
            out.extend_from_slice(structured.get().as_bytes());
        }
        if result.is_error {
            out.extend_from_slice(br#","isError":true"#);
        }
        match era {
            Era::Legacy => out.push(b'}'),
            Era::Modern => self.write_modern_tail(out),
        }
    }

    fn write_instructions(&self, out: &mut Vec<u8>) {
        if let Some(instructions) = &self.identity.instructions {
            out.extend_from_slice(br#","instructions":"#);
            out.extend_from_slice(instructions.as_bytes());
        }
    }

    /// Ends a result of the modern era.
    fn write_modern_tail(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(
            br#","resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":"#,
        );
        out.extend_from_slice(self.identity.info.as_bytes());
        out.extend_from_slice(b"}}");
    }

    /// Writes who the server is, as a further member of a result's `_meta`.
    pub(crate) fn write_server_info(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#","io.modelcontextprotocol/serverInfo":"#);
        out.extend_from_slice(self.identity.info.as_bytes());
    }
}

/// A parameter that must be a string.
fn text<'a>(
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

/// A call on its way. It ends with a result in any case: failures become
/// results that say what the client may know. Polling and dropping it never
/// panics.
pub(crate) struct Running {
    chain: Contained<ChainFuture>,
    context: Arc<CallContext>,
}

type ChainFuture = Pin<Box<dyn Future<Output = Result<ToolResult, ToolError>> + Send>>;

impl Running {
    /// Starts a call; the permit is kept until its handler has ended.
    pub(crate) fn new(
        server: &Arc<ServerInner>,
        context: &Arc<CallContext>,
        permit: Option<RunPermit>,
    ) -> Self {
        let call = Call::new(Arc::clone(server), Arc::clone(context), permit);
        let entry = Arc::clone(&context.entry);
        Self {
            chain: Contained::new(
                Box::pin(async move { run_chain(&entry, call).await }),
                context.trace.span(),
            ),
            context: Arc::clone(context),
        }
    }
}

async fn run_chain(entry: &Arc<ToolEntry>, call: Call) -> Result<ToolResult, ToolError> {
    Next::of(entry).run(call).await
}

impl Future for Running {
    type Output = ToolResult;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ToolResult> {
        let Self { chain, context } = &mut *self;
        let outcome = std::task::ready!(Pin::new(chain).poll(cx));
        context
            .trace
            .end(|| CallOutcome::of(&outcome, context), context);
        Poll::Ready(outcome.unwrap_or_else(|error| {
            let result = error_result(&error, context);
            // This runs the `Drop` of the error's author.
            if let Err(panic) = discard(error) {
                log_late_panic(&panic, context);
            }
            result
        }))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Self { chain, context } = self;
        chain.end();
        context
            .trace
            .end(|| CallOutcome::of_dropped(context), context);
    }
}

/// What a client reads of an error. It never panics.
pub(crate) fn error_result(error: &ToolError, context: &CallContext) -> ToolResult {
    let mut result = told(error, context);
    result.failure = Some(error.kind());
    result
}

fn told(error: &ToolError, context: &CallContext) -> ToolResult {
    match error.message() {
        Some(message) => {
            if error.source().is_some() {
                log_unseen(error, context);
            }
            ToolResult::error(message)
        }
        None => {
            log_unseen(error, context);
            ToolResult::error(format!(
                "An internal error occurred (reference {}). The issue has been logged.",
                context.reference()
            ))
        }
    }
}
