//! The traits through which an exchange uses the sessions and streams above it.

use std::sync::Arc;

use crate::limits::Claim;
use crate::server::Feed;

/// A stream that the answers and notifications of many calls share
/// (2024-11-05). Each call has a number on it.
pub(crate) trait Sink: Send + Sync {
    /// Returns a number for another call.
    fn next_call(&self) -> u64;

    /// Whether there is room for an answer of so many bytes.
    fn has_room(&self, bytes: usize) -> bool;

    /// Sends a notification of a call, unless too much is unread.
    fn notify(&self, call: u64, json: &[u8]);

    /// Sends a message that is not dropped later. Returns false if it is not sent,
    /// because too much is unread, or the stream has ended.
    fn send(&self, json: &[u8]) -> bool;

    /// Sends the answer of a call. `claim` is what it counts for until it has
    /// left.
    fn answer(&self, call: u64, json: &[u8], claim: Option<Claim>);

    /// Stops expecting an answer of a call.
    fn forget(&self, call: u64);

    /// Also sends what the client follows.
    fn follow(&self, feed: &Arc<Feed>);

    /// Whether nothing can be sent any more.
    fn has_ended(&self) -> bool;
}

/// The budget of a session for events that are kept until its client has read
/// them, and for a while longer.
pub(crate) trait ReplayBudget: Send + Sync {
    /// Whether so many more bytes can be kept, after forgetting streams that
    /// have ended if needed.
    fn has_room(&self, bytes: usize) -> bool;

    /// Counts bytes that are kept.
    fn keep(&self, bytes: usize);

    /// Releases bytes that are not kept any more.
    fn release(&self, bytes: usize);
}
