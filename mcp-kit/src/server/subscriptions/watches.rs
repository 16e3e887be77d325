//! The resources that one subscription watches, and which of them have been updated.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::updates::PER_WATCH;

/// The resources that one subscription watches.
#[derive(Default)]
pub(super) struct Watches {
    /// By their URIs in normal form.
    pub(super) uris: BTreeMap<Arc<str>, Watch>,
    /// Those that were updated since the client was notified, each once.
    pub(super) due: VecDeque<Arc<str>>,
    pub(super) bytes: usize,
}

pub(super) struct Watch {
    /// The URI as the client wrote it.
    pub(super) uri: Arc<str>,
    pub(super) is_due: bool,
    /// Whether its update was taken, and the client has not read it since.
    pub(super) is_taken: bool,
}

impl Watches {
    pub(super) fn make_due(&mut self, uri: &str) {
        let Some((uri, _)) = self.uris.get_key_value(uri) else {
            return;
        };
        let uri = Arc::clone(uri);
        if let Some(watch) = self.uris.get_mut(&uri)
            && !std::mem::replace(&mut watch.is_due, true)
        {
            self.due.push_back(uri);
        }
    }

    /// Makes due again what was taken.
    pub(super) fn take_again(&mut self) {
        for (uri, watch) in &mut self.uris {
            if std::mem::take(&mut watch.is_taken) && !std::mem::replace(&mut watch.is_due, true) {
                self.due.push_back(Arc::clone(uri));
            }
        }
    }

    pub(super) fn remove(&mut self, uri: &str) -> Option<(Arc<str>, Watch)> {
        let (uri, watch) = self.uris.remove_entry(uri)?;
        self.bytes -= watch.uri.len();
        if watch.is_due {
            self.due.retain(|due| *due != uri);
        }
        Some((uri, watch))
    }
}

impl Watch {
    /// Returns about how many bytes it holds; `normal` is its URI in normal form.
    pub(super) fn held(&self, normal: &Arc<str>) -> usize {
        let own = match Arc::ptr_eq(&self.uri, normal) {
            true => 0,
            false => self.uri.len(),
        };
        PER_WATCH + normal.len() + own
    }
}
