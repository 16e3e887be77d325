//! The bytes of each kind of request.

use std::net::SocketAddr;

/// What every request begins with. Content types and versions are those that
/// clients in the field send.
pub(super) struct Requests {
    address: SocketAddr,
    keys: Vec<String>,
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"load","version":"0"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

impl Requests {
    pub(super) fn new(address: SocketAddr, keys: &[String]) -> Self {
        Requests {
            address,
            keys: keys.to_vec(),
        }
    }

    pub(super) fn initialize(&self, caller: usize) -> Vec<u8> {
        self.post(caller, "", INITIALIZE.as_bytes())
    }

    pub(super) fn initialized(&self, caller: usize, session: Option<&str>) -> Vec<u8> {
        self.post(caller, &legacy(session), INITIALIZED.as_bytes())
    }

    pub(super) fn legacy_call(
        &self,
        caller: usize,
        session: Option<&str>,
        message: &[u8],
    ) -> Vec<u8> {
        self.post(caller, &legacy(session), message)
    }

    pub(super) fn modern_call(&self, caller: usize, tool: &str, message: &[u8]) -> Vec<u8> {
        let headers = format!(
            "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n"
        );
        self.post(caller, &headers, message)
    }

    /// Callers use the keys in turn.
    fn post(&self, caller: usize, headers: &str, message: &[u8]) -> Vec<u8> {
        let authorization = match self.keys.get(caller % self.keys.len().max(1)) {
            Some(key) => format!("Authorization: Bearer {key}\r\n"),
            None => String::new(),
        };
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: {}\r\nUser-Agent: load\r\n\
             Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n\
             {authorization}{headers}Content-Length: {}\r\n\r\n",
            self.address,
            message.len()
        );
        [head.as_bytes(), message].concat()
    }
}

fn legacy(session: Option<&str>) -> String {
    let session = session.map_or(String::new(), |id| format!("Mcp-Session-Id: {id}\r\n"));
    format!("MCP-Protocol-Version: 2025-11-25\r\n{session}")
}
