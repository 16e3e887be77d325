//! The completed interactions at URLs of which a legacy client has not been notified
//! yet.

use std::collections::VecDeque;
use std::sync::Arc;

/// The most that wait for one client; above that the oldest are forgotten. The
/// notification is optional, so a client does not depend on it.
const MOST: usize = 64;

/// The completed interactions of one client.
#[derive(Default)]
pub(super) struct CompletedUrls {
    due: VecDeque<CompletedUrl>,
    /// Those that were taken once: the stream that took them may break off.
    taken: VecDeque<CompletedUrl>,
}

struct CompletedUrl {
    id: Arc<str>,
    was_taken: bool,
}

impl CompletedUrls {
    pub(super) fn add(&mut self, id: &Arc<str>) {
        let id = Arc::clone(id);
        push(
            &mut self.due,
            CompletedUrl {
                id,
                was_taken: false,
            },
        );
    }

    pub(super) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Takes those that are due.
    pub(super) fn take(&mut self, mut write: impl FnMut(&str)) {
        for url in std::mem::take(&mut self.due) {
            write(&url.id);
            // The next stream takes it once more, and no other.
            if !url.was_taken {
                push(&mut self.taken, url);
            }
        }
    }

    /// Makes due again what was taken.
    pub(super) fn take_again(&mut self) {
        for url in std::mem::take(&mut self.taken) {
            let was_taken = true;
            push(&mut self.due, CompletedUrl { was_taken, ..url });
        }
    }
}

fn push(urls: &mut VecDeque<CompletedUrl>, url: CompletedUrl) {
    if urls.len() == MOST {
        urls.pop_front();
    }
    urls.push_back(url);
}
