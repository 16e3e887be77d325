//! The resources that one subscription watches, and which of them have been updated.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Weak};

use super::updates::{PER_WATCH, ResourceUpdates, Watcher};
use crate::primitive::normalised;
use crate::protocol::{ErrorCode, RpcError};

/// The most bytes of URIs that one subscription, or one legacy client, watches.
pub(crate) const MOST_URI_BYTES: usize = 256 * 1024;

/// The watches of one subscription, as the rest of the server reaches them: a server
/// without resources does not contain them.
pub(crate) trait ResourceWatches: Send {
    /// Begins to watch a URI.
    fn watch(&mut self, uri: &str) -> Result<(), RpcError>;

    fn unwatch(&mut self, uri: &str);

    /// The client has read a URI.
    fn read(&mut self, uri: &str);

    /// Whether an update of this URI would make something due.
    fn waits_for(&self, normal: &str) -> bool;

    /// Makes the update of a URI due.
    fn make_due(&mut self, normal: &str);

    /// Makes due again what was taken.
    fn take_again(&mut self);

    fn is_due(&self) -> bool;

    /// Takes an update that is due, and returns the URI as the client wrote it.
    fn take(&mut self) -> Option<Arc<str>>;
}

pub(super) struct Watches {
    /// By their URIs in normal form.
    uris: BTreeMap<Arc<str>, Watch>,
    /// Those that were updated since the client was notified, each once.
    due: VecDeque<Arc<str>>,
    bytes: usize,
    /// The most URIs.
    most: usize,
    updates: ResourceUpdates,
    watcher: Weak<dyn Watcher>,
    /// Its number among those of `updates`.
    number: u64,
}

struct Watch {
    /// The URI as the client wrote it.
    uri: Arc<str>,
    is_due: bool,
    /// Whether its update was taken, and the client has not read it since.
    is_taken: bool,
}

impl Watches {
    pub(super) fn new(updates: &ResourceUpdates, watcher: Weak<dyn Watcher>, most: usize) -> Self {
        Self {
            uris: BTreeMap::new(),
            due: VecDeque::new(),
            bytes: 0,
            most,
            updates: updates.clone(),
            watcher,
            number: updates.next_number(),
        }
    }
}

impl ResourceWatches for Watches {
    fn watch(&mut self, uri: &str) -> Result<(), RpcError> {
        let normal = normalised(uri).map_err(|_| RpcError::invalid_params("Invalid URI"))?;
        let normal: Arc<str> = Arc::from(&*normal);
        if self.uris.contains_key(&normal) {
            return Ok(());
        }
        let bytes = self.bytes + uri.len();
        if self.uris.len() >= self.most || bytes > MOST_URI_BYTES {
            return Err(too_many_uris(self.most));
        }
        let watch = Watch {
            uri: match *normal == *uri {
                true => Arc::clone(&normal),
                false => uri.into(),
            },
            is_due: false,
            is_taken: false,
        };
        let watcher = (self.number, &self.watcher);
        if !(self.updates).watch(&normal, watcher, watch.held(&normal)) {
            return Err(RpcError::new(
                ErrorCode::InternalError,
                "The server is busy: its clients watch too many resources. Try again later.",
            ));
        }
        self.bytes = bytes;
        self.uris.insert(normal, watch);
        Ok(())
    }

    fn unwatch(&mut self, uri: &str) {
        let Ok(normal) = normalised(uri) else { return };
        let Some((normal, watch)) = self.uris.remove_entry(&*normal) else {
            return;
        };
        self.bytes -= watch.uri.len();
        if watch.is_due {
            self.due.retain(|due| *due != normal);
        }
        (self.updates).unwatch(&normal, self.number, watch.held(&normal));
    }

    fn read(&mut self, uri: &str) {
        let Ok(normal) = normalised(uri) else { return };
        if let Some(watch) = self.uris.get_mut(&*normal) {
            watch.is_taken = false;
        }
    }

    fn waits_for(&self, normal: &str) -> bool {
        self.uris.get(normal).is_some_and(|watch| !watch.is_due)
    }

    fn make_due(&mut self, normal: &str) {
        let Some((uri, _)) = self.uris.get_key_value(normal) else {
            return;
        };
        let uri = Arc::clone(uri);
        if let Some(watch) = self.uris.get_mut(&uri)
            && !std::mem::replace(&mut watch.is_due, true)
        {
            self.due.push_back(uri);
        }
    }

    fn take_again(&mut self) {
        for (uri, watch) in &mut self.uris {
            if std::mem::take(&mut watch.is_taken) && !std::mem::replace(&mut watch.is_due, true) {
                self.due.push_back(Arc::clone(uri));
            }
        }
    }

    fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    fn take(&mut self) -> Option<Arc<str>> {
        while let Some(uri) = self.due.pop_front() {
            if let Some(watch) = self.uris.get_mut(&uri) {
                watch.is_due = false;
                watch.is_taken = true;
                return Some(Arc::clone(&watch.uri));
            }
        }
        None
    }
}

impl Drop for Watches {
    fn drop(&mut self) {
        for (uri, watch) in &self.uris {
            (self.updates).unwatch(uri, self.number, watch.held(uri));
        }
    }
}

impl Watch {
    /// Returns about how many bytes it holds. Its URI is held once if the client
    /// wrote it in normal form.
    fn held(&self, normal: &Arc<str>) -> usize {
        let own = match Arc::ptr_eq(&self.uri, normal) {
            true => 0,
            false => self.uri.len(),
        };
        PER_WATCH + normal.len() + own
    }
}

/// Refuses further URIs.
pub(crate) fn too_many_uris(most: usize) -> RpcError {
    RpcError::invalid_params(format!(
        "Too many resources are watched: one client or subscription may watch {most}, whose URIs have at most {MOST_URI_BYTES} bytes together; unsubscribe from one first"
    ))
}
