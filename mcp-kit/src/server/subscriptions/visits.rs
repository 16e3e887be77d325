//! The interactions at URLs that have ended, of which a legacy client has not been
//! notified yet.

use std::collections::VecDeque;
use std::sync::Arc;

/// The most that wait for one client; above that the oldest are forgotten. The
/// notification is optional, so a client does not depend on it.
const MOST: usize = 64;

/// The ended interactions of one client.
#[derive(Default)]
pub(super) struct Visits {
    due: VecDeque<Visit>,
    /// Those that were taken once: the stream that took them may break off.
    taken: VecDeque<Visit>,
}

struct Visit {
    id: Arc<str>,
    was_taken: bool,
}

impl Visits {
    pub(super) fn ended(&mut self, id: &Arc<str>) {
        let id = Arc::clone(id);
        push(
            &mut self.due,
            Visit {
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
        for visit in std::mem::take(&mut self.due) {
            write(&visit.id);
            // The next stream takes it once more, and no other.
            if !visit.was_taken {
                push(&mut self.taken, visit);
            }
        }
    }

    /// Makes due again what was taken.
    pub(super) fn take_again(&mut self) {
        for visit in std::mem::take(&mut self.taken) {
            let was_taken = true;
            push(&mut self.due, Visit { was_taken, ..visit });
        }
    }
}

fn push(visits: &mut VecDeque<Visit>, visit: Visit) {
    if visits.len() == MOST {
        visits.pop_front();
    }
    visits.push_back(visit);
}
