//! Lists and their pages.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::caller::Principal;
use crate::protocol::RpcError;
use crate::registry::ToolEntry;
use crate::server::ServerInner;

/// A page of the tools that a caller may see.
pub(crate) struct Page<'a> {
    pub(crate) tools: Vec<&'a ToolEntry>,
    pub(crate) next_cursor: Option<String>,
    /// Whether another caller may see other tools.
    pub(crate) is_private: bool,
}

impl ServerInner {
    /// The page that `cursor` points to, or the first one. Tools come in the
    /// order in which they were registered.
    pub(crate) fn tools_page(
        &self,
        principal: &Principal,
        cursor: Option<&str>,
    ) -> Result<Page<'_>, RpcError> {
        // A cursor names the last tool that was seen, and not a position: it
        // stays right when a caller's scopes change between two pages.
        let start = match cursor {
            None => 0,
            Some(cursor) => self.position_after(principal, cursor).ok_or_else(|| {
                RpcError::invalid_params(
                    "Invalid params: unknown cursor; request the list again without a cursor",
                )
            })?,
        };
        let mut visible = self.tools[start..]
            .iter()
            .map(Arc::as_ref)
            .filter(|entry| is_visible(entry, principal));
        let tools: Vec<_> = visible.by_ref().take(self.limits.page_items).collect();
        let next_cursor = match (visible.next(), tools.last()) {
            (Some(_), Some(last)) => Some(URL_SAFE_NO_PAD.encode(last.name())),
            _ => None,
        };
        Ok(Page {
            tools,
            next_cursor,
            is_private: self
                .tools
                .iter()
                .any(|entry| entry.definition().scope().is_some()),
        })
    }

    fn position_after(&self, principal: &Principal, cursor: &str) -> Option<usize> {
        let name = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let last = self
            .tool(std::str::from_utf8(&name).ok()?)
            .filter(|entry| is_visible(entry, principal))?;
        let position = self
            .tools
            .iter()
            .position(|entry| Arc::ptr_eq(entry, last))?;
        Some(position + 1)
    }
}

fn is_visible(entry: &ToolEntry, principal: &Principal) -> bool {
    entry
        .definition()
        .scope()
        .is_none_or(|scope| principal.has_scope(scope))
}
