//! Says to a client what the server is and what it can do: `initialize` (legacy)
//! and `server/discover` (modern).

use std::sync::Arc;

use super::ServerInner;
use super::dispatch::{Ask, text};
use crate::primitive::Kind;
use crate::protocol::{
    ClientCapabilities, ClientDetails, ClientInfo, Era, ProtocolVersion, RpcError, encode,
};

impl ServerInner {
    pub(super) fn initialize(
        &self,
        ask: &mut Ask<'_, '_>,
        out: &mut Vec<u8>,
    ) -> Result<(), RpcError> {
        let (session, params) = (&mut *ask.session, &ask.request.params);
        if session.version.is_some() {
            return Err(already_initialized());
        }
        let requested = text(params.protocol_version, "protocolVersion")?;
        let version = ProtocolVersion::from_name(&requested)
            .filter(|version| version.era() == Era::Legacy)
            .unwrap_or(ProtocolVersion::NEWEST_LEGACY);
        session.version = Some(version);
        session.client = Some(Arc::new(ClientDetails {
            info: (params.client_info).and_then(|client| ClientInfo::from_json(client.get())),
            capabilities: (params.capabilities)
                .map_or_else(ClientCapabilities::default, |capabilities| {
                    ClientCapabilities::from_json(capabilities.get())
                }),
            extensions: (self.extensions.as_ref().zip(params.capabilities))
                .map_or_else(Vec::new, |(all, of)| all.declared_with(of.get())),
        }));
        encode::result(out, &ask.request.id, |out| {
            out.extend_from_slice(br#"{"protocolVersion":"#);
            encode::string(out, version.as_str());
            self.write_capabilities(out, Era::Legacy, session.has_stream);
            out.extend_from_slice(br#","serverInfo":"#);
            out.extend_from_slice(self.identity.full.as_bytes());
            self.write_instructions(out);
            out.push(b'}');
        });
        Ok(())
    }

    pub(super) fn discover(
        &self,
        ask: &mut Ask<'_, '_>,
        out: &mut Vec<u8>,
    ) -> Result<(), RpcError> {
        encode::result(out, &ask.request.id, |out| {
            out.extend_from_slice(br#"{"supportedVersions":"#);
            // Only the versions that a request's own metadata may name: the
            // legacy ones have their handshake.
            encode::json(out, &[ProtocolVersion::V2026_07_28.as_str()]);
            self.write_capabilities(out, Era::Modern, true);
            self.write_instructions(out);
            self.write_cache_hints(out, false);
            out.extend_from_slice(br#","resultType":"complete","_meta":{"#);
            self.write_server_info(out, &self.identity.full);
            out.extend_from_slice(b"}}");
        });
        Ok(())
    }

    /// Writes the server's capabilities, as a further member of a result.
    /// `notifies` is whether the client can be notified of changes, which any
    /// server can have.
    fn write_capabilities(&self, out: &mut Vec<u8>, era: Era, notifies: bool) {
        out.extend_from_slice(br#","capabilities":{"#);
        let current = self.registry.current();
        for (at, kind) in current.capabilities().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            encode::string(out, kind.plural());
            out.extend_from_slice(match (notifies, kind) {
                (false, _) => b":{}",
                (true, Kind::Resource) => br#":{"listChanged":true,"subscribe":true}"#,
                (true, _) => br#":{"listChanged":true}"#,
            });
        }
        if current.declares(Kind::Completion) {
            out.extend_from_slice(br#","completions":{}"#); // tools come before it
        }
        if current.may_log() {
            out.extend_from_slice(br#","logging":{}"#);
        }
        self.write_extensions(out, era, current.has_tasks());
        out.push(b'}');
    }

    fn write_instructions(&self, out: &mut Vec<u8>) {
        if let Some(instructions) = &self.identity.instructions {
            out.extend_from_slice(br#","instructions":"#);
            out.extend_from_slice(instructions.as_bytes());
        }
    }
}

/// Refuses a second handshake.
pub(super) fn already_initialized() -> RpcError {
    RpcError::invalid_request("Invalid request: the connection is initialized already")
}
