//! What is known of the client whose messages are handled.

use std::sync::Arc;

use tokio::time::Instant;

use super::messages::EnteredMessages;
use super::subscriptions::Feed;
use crate::call::{Origin, RequestSource};
use crate::caller::Principal;
use crate::protocol::{ClientDetails, Era, LogLevel, ProtocolVersion};

/// The state of a connection or a request that depends on its client.
pub(crate) struct Session {
    pub(crate) principal: Principal,
    /// The version agreed on by `initialize`.
    pub(crate) version: Option<ProtocolVersion>,
    /// What the client has sent in `initialize`.
    pub(crate) client: Option<Arc<ClientDetails>>,
    /// The level of `logging/setLevel`.
    pub(crate) log_level: Option<LogLevel>,
    pub(crate) origin: Origin,
    pub(crate) source: RequestSource,
    /// Whether the client can be notified outside of its requests, apart from
    /// subscriptions.
    pub(crate) has_stream: bool,
    /// What the client follows on a stream that may break off and be replaced.
    pub(crate) follows: Option<Arc<Feed>>,
    /// The messages that have passed their middlewares on the way in, if the server has
    /// any, until they are dispatched.
    pub(crate) entered: EnteredMessages,
    /// When the messages that are handled now were read.
    pub(crate) read_at: Instant,
}

impl Session {
    /// Whether its requests may become calls: the handshake, if it has one, is over.
    pub(super) fn is_open(&self, era: Era) -> bool {
        era == Era::Modern || self.version.is_some()
    }

    /// Returns what is known of the client, without what its messages change.
    pub(crate) fn snapshot(&self) -> Self {
        Self {
            principal: self.principal.clone(),
            version: self.version,
            client: self.client.clone(),
            log_level: self.log_level,
            origin: self.origin.clone(),
            source: self.source.clone(),
            has_stream: self.has_stream,
            follows: None,
            entered: EnteredMessages::default(),
            read_at: self.read_at,
        }
    }
}
