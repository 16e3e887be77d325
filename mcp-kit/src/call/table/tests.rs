//! Every request gets one answer or was cancelled, and no permit is lost: checked
//! over random interleavings, the same in every run, against a plain model.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use super::*;

const LIMITS: TableLimits = TableLimits {
    running: 3,
    waiting: 8,
    waiting_bytes: 100,
};

fn id(number: usize) -> RequestId {
    match number % 2 {
        0 => RequestId::Integer(number.cast_signed() as i64),
        _ => RequestId::String(format!("id-{number}").into()),
    }
}

fn never(_: &RequestId) -> bool {
    false
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Answered,
    GivenUp,
    Cancelled,
    /// The client was gone.
    Closed,
    /// It was never admitted, and answered so.
    Refused,
}

/// What is known of a request that was admitted.
struct Request {
    id: RequestId,
    key: CallKey,
    bytes: usize,
    due: Instant,
    is_waiting: bool,
    ends: Vec<End>,
    /// Whatever the table keeps for it.
    kept: Kept,
}

type Kept = Rc<Fate>;

#[derive(Default)]
struct Fate {
    /// The call has ended by itself, so that its answer is on the way.
    has_ended: Cell<bool>,
    /// By how much pauses have moved its deadline.
    paused: Cell<Duration>,
}

impl Request {
    fn due(&self) -> Instant {
        self.due + self.kept.paused.get()
    }
}

/// The right to end a call from outside.
fn end(kept: &Kept) -> Option<()> {
    (!kept.has_ended.get()).then_some(())
}

/// A table and what should be in it.
struct Model {
    table: CallTable<Kept, Kept>,
    requests: Vec<Request>,
    /// Requests that wait, in their order.
    queue: VecDeque<usize>,
    /// Requests whose handlers have a permit; their calls may have ended.
    handlers: Vec<usize>,
    held_elsewhere: Vec<RequestId>,
    now: Instant,
    refused: usize,
    is_closed: bool,
}

impl Model {
    fn new() -> Self {
        Self {
            table: CallTable::new(LIMITS),
            requests: Vec::new(),
            queue: VecDeque::new(),
            handlers: Vec::new(),
            held_elsewhere: vec![id(1)],
            now: Instant::now(),
            refused: 0,
            is_closed: false,
        }
    }

    fn waiting_bytes(&self) -> usize {
        let waiting = self.queue.iter().map(|&at| self.requests[at].bytes);
        waiting.sum()
    }

    fn open(&self) -> impl Iterator<Item = &Request> {
        let requests = self.requests.iter();
        requests.filter(|request| request.ends.is_empty())
    }

    fn take(&mut self, id: RequestId, bytes: usize, time: Duration) {
        let is_open = self.open().any(|request| request.id == id);
        let is_held = self.held_elsewhere.contains(&id);
        let is_full = self.queue.len() >= LIMITS.waiting
            || (self.waiting_bytes() + bytes > LIMITS.waiting_bytes && !self.queue.is_empty());
        let expected = match () {
            () if self.is_closed => Err(NotAdmitted::Closed),
            () if is_open || is_held => Err(NotAdmitted::DuplicateId),
            () if is_full => Err(NotAdmitted::Full),
            () => Ok(()),
        };
        let must_wait = !self.queue.is_empty() || self.handlers.len() >= LIMITS.running;
        let held = &self.held_elsewhere;
        let place = self.table.admit(&id, bytes, |id| held.contains(id));
        match place {
            Err(why) => {
                assert_eq!(expected, Err(why));
                self.refused += 1;
            }
            Ok(place) => {
                assert_eq!(expected, Ok(()));
                assert_eq!(place.must_wait(), must_wait);
                let (due, kept) = (self.now + time, Kept::default());
                let promised = place.key();
                let key = place.fill(Rc::clone(&kept), Rc::clone(&kept), due);
                assert_eq!(key, promised);
                let is_new = self.requests.iter().all(|request| request.key != key);
                assert!(is_new, "{key:?} is given out twice");
                self.queue.push_back(self.requests.len());
                self.requests.push(Request {
                    id,
                    key,
                    bytes,
                    due,
                    is_waiting: true,
                    ends: Vec::new(),
                    kept,
                });
            }
        }
    }

    fn start(&mut self) {
        let may_start = self.handlers.len() < LIMITS.running && !self.is_closed;
        assert_eq!(
            self.table.can_start(),
            may_start && !self.queue.is_empty(),
            "whether a call can start"
        );
        match self.table.start() {
            None => assert!(!may_start || self.queue.is_empty()),
            Some((key, _work)) => {
                let at = self.queue.pop_front().expect("a call waits");
                let request = &mut self.requests[at];
                assert_eq!(request.key, key, "the longest waiting call is next");
                request.is_waiting = false;
                self.handlers.push(at);
            }
        }
    }

    /// The handler of a request ends: it answers, unless the call has ended, and
    /// its permit comes back. `unwinds` if it panicked, which is answered the same.
    fn end_handler(&mut self, handler: usize) {
        let at = self.handlers.swap_remove(handler);
        let key = self.requests[at].key;
        let removed = self.table.finish(key);
        assert_eq!(removed.is_some(), self.requests[at].ends.is_empty());
        self.ended(removed, End::Answered);
        self.table.release();
    }

    /// A handler's task is dropped before it has answered: with its runtime, or
    /// because it was aborted.
    fn drop_handler(&mut self, handler: usize) {
        let at = self.handlers.swap_remove(handler);
        let removed = self.table.finish(self.requests[at].key);
        self.ended(removed, End::GivenUp);
        self.table.release();
    }

    fn cancel(&mut self, id: &RequestId) {
        let is_open = self.open().any(|request| request.id == *id);
        assert_eq!(self.table.contains(id), is_open);
        let removed = self.table.cancel(id);
        assert_eq!(removed.is_some(), is_open);
        self.ended(removed, End::Cancelled);
    }

    fn expire(&mut self, by: Duration) {
        self.now += by;
        let now = self.now;
        let is_late = |request: &&Request| request.due() <= now && !request.kept.has_ended.get();
        let late = self.open().filter(is_late).count();
        let requests = &self.requests;
        let removed = self.table.expire(now, |kept| {
            let request = requests.iter().find(|one| Rc::ptr_eq(&one.kept, kept));
            let due = request.expect("a call that was admitted").due();
            match end(kept) {
                _ if due > now => Due::Later(due),
                Some(()) => Due::Ended(()),
                None => Due::HasEnded,
            }
        });
        assert_eq!(removed.len(), late);
        self.given_up(removed);
        assert_eq!(self.open().filter(is_late).count(), 0);
    }

    fn give_up_all(&mut self) {
        let removed = self.table.give_up_all(end);
        self.given_up(removed);
        assert!(self.open().all(|request| request.kept.has_ended.get()));
    }

    fn given_up(&mut self, removed: Vec<(Removed<Kept, Kept>, ())>) {
        let removed = removed.into_iter().map(|(removed, ())| removed);
        self.ended(removed, End::GivenUp);
    }

    fn ended(&mut self, removed: impl IntoIterator<Item = Removed<Kept, Kept>>, end: End) {
        for removed in removed {
            let mut requests = self.requests.iter_mut();
            let at = requests
                .position(|request| request.key == removed.key)
                .expect("a call that was admitted");
            let request = &mut self.requests[at];
            assert!(Rc::ptr_eq(&removed.call, &request.kept));
            assert_eq!(removed.work.is_some(), request.is_waiting);
            request.is_waiting = false;
            request.ends.push(end);
            self.queue.retain(|&waiting| waiting != at);
        }
    }

    fn check(&self) {
        let table = &self.table;
        assert_eq!(table.len(), self.open().count());
        assert_eq!(table.calls().count(), table.len());
        assert_eq!(table.running(), self.handlers.len(), "permits");
        assert_eq!(table.entries.waiting, self.queue.len());
        assert_eq!(table.entries.waiting_bytes, self.waiting_bytes());
        assert_eq!(table.ids.len(), table.len());
        let late = self.open().filter(|request| !request.kept.has_ended.get());
        if let Some(earliest) = late.map(Request::due).min() {
            let next = table.next_due();
            assert!(
                next.is_some_and(|next| next <= earliest),
                "a call would be late"
            );
        }
        assert!(!table.is_empty() || table.next_due().is_none());
        for request in &self.requests {
            assert!(request.ends.len() <= 1, "{:?}", request.ends);
            let is_open = request.ends.is_empty();
            assert_eq!(
                table
                    .entries
                    .get(request.key.slot)
                    .is_some_and(|entry| entry.serial == request.key.serial),
                is_open
            );
            // What the table keeps of a call is one or both, and nothing afterwards.
            let kept = usize::from(is_open) + usize::from(request.is_waiting);
            assert_eq!(Rc::strong_count(&request.kept) - 1, kept);
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    fn millis(&mut self, limit: usize) -> Duration {
        Duration::from_millis(self.below(limit) as u64)
    }
}

/// A run of so many steps, and the end of the server or of the client after it.
fn run(seed: u64, steps: usize) -> Model {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut model = Model::new();
    // Some clients come in bursts, some one by one.
    let takes = 1 + random.below(8);
    for _ in 0..steps {
        match random.below(9 + takes) {
            0 | 1 => model.start(),
            2 if !model.handlers.is_empty() => {
                let handler = random.below(model.handlers.len());
                model.end_handler(handler);
            }
            3 if !model.handlers.is_empty() => {
                let handler = random.below(model.handlers.len());
                model.drop_handler(handler);
            }
            4 => model.cancel(&id(random.below(12))),
            5 => {
                let by = random.millis(20);
                model.expire(by);
            }
            6 if random.below(20) == 0 => model.give_up_all(),
            6 if !model.handlers.is_empty() => {
                let at = model.handlers[random.below(model.handlers.len())];
                model.requests[at].kept.has_ended.set(true);
            }
            7 => {
                // Of a call that has ended, or runs, or waits: a stale key finds
                // nothing, and an answer before the start is one all the same.
                if !model.requests.is_empty() {
                    let at = random.below(model.requests.len());
                    let key = model.requests[at].key;
                    let is_open = model.requests[at].ends.is_empty();
                    assert_eq!(model.table.get_mut(key).is_some(), is_open);
                    if !is_open {
                        assert!(model.table.finish(key).is_none());
                    }
                }
            }
            8 if !model.requests.is_empty() => {
                let at = random.below(model.requests.len());
                let paused = &model.requests[at].kept.paused;
                paused.set(paused.get() + random.millis(30));
            }
            _ => {
                let (bytes, time) = (random.below(60), random.millis(100));
                model.take(id(random.below(12)), bytes, time);
            }
        }
        model.check();
    }
    if seed.is_multiple_of(2) {
        model.give_up_all();
    } else {
        model.is_closed = true;
        let removed = model.table.close();
        model.ended(removed, End::Closed);
    }
    model.check();
    if model.is_closed {
        let refused = model.refused;
        model.take(id(0), 0, Duration::ZERO);
        assert_eq!(model.refused, refused + 1);
    }
    // Handlers that blocked go on, and end at last.
    while !model.handlers.is_empty() {
        model.end_handler(0);
        model.check();
    }
    model
}

#[test]
fn every_request_gets_one_answer_or_was_cancelled_and_no_permit_is_lost() {
    let mut ends = Vec::new();
    let mut refused = 0;
    for seed in 0..400 {
        let model = run(seed, 300);
        for request in &model.requests {
            assert_eq!(
                request.ends.len(),
                1,
                "{:?}: {:?}",
                request.id,
                request.ends
            );
            ends.extend(&request.ends);
        }
        assert_eq!(model.table.running(), 0);
        assert_eq!(model.table.entries.waiting_bytes, 0);
        assert_eq!(model.table.next_due(), None);
        refused += model.refused;
    }
    ends.resize(ends.len() + refused, End::Refused);
    // Each way to end was taken often.
    for end in [
        End::Answered,
        End::GivenUp,
        End::Cancelled,
        End::Closed,
        End::Refused,
    ] {
        let times = ends.iter().filter(|other| **other == end).count();
        assert!(times > 200, "{end:?}: {times}");
    }
}

#[test]
fn cancelling_one_of_many_waiting_calls_leaves_the_order_of_the_others() {
    const MANY: usize = 4_096;
    let mut table = CallTable::new(TableLimits {
        running: MANY,
        waiting: MANY,
        waiting_bytes: MANY,
    });
    let due = Instant::now();
    for number in 0..MANY {
        let place = table.admit(&id(number), 1, never).expect("a place");
        place.fill(number, number, due);
    }
    assert!(matches!(
        table.admit(&id(MANY), 0, never),
        Err(NotAdmitted::Full)
    ));
    for number in (0..MANY).filter(|number| number % 3 != 1) {
        let removed = table.cancel(&id(number)).expect("it waits");
        assert_eq!((removed.call, removed.work), (number, Some(number)));
    }
    let started = std::iter::from_fn(|| table.start().map(|(_, number)| number));
    let expected = (0..MANY).filter(|number| number % 3 == 1);
    assert!(started.eq(expected));
    assert_eq!(table.entries.waiting_bytes, 0);
}

/// One that is larger than everything that may wait can still be called.
#[test]
fn a_call_above_the_limit_on_bytes_waits_alone() {
    let mut table = CallTable::new(LIMITS);
    let large = LIMITS.waiting_bytes + 1;
    let place = table.admit(&id(0), large, never).expect("a place");
    place.fill((), (), Instant::now());
    assert!(matches!(
        table.admit(&id(2), 0, never),
        Err(NotAdmitted::Full)
    ));
    assert!(table.start().is_some());
    assert!(table.admit(&id(2), large, never).is_ok());
}

#[test]
fn a_table_owns_no_memory_before_it_is_used_and_little_after_a_busy_time() {
    let mut table = CallTable::new(TableLimits {
        running: 1,
        waiting: 1_000,
        waiting_bytes: 1_000,
    });
    assert_eq!((table.ids.capacity(), table.entries.capacity()), (0, 0));
    let due = Instant::now();
    let one = |table: &mut CallTable<(), ()>, number| {
        let place = table.admit(&id(number), 0, never).expect("a place");
        place.fill((), (), due)
    };
    for _ in 0..10 {
        let key = one(&mut table, 0);
        assert!(table.finish(key).is_some());
    }
    assert_eq!(table.entries.capacity(), 1, "one call at a time");
    for number in 0..1_000 {
        one(&mut table, number);
    }
    table.shrink();
    assert_eq!(table.expire(due, |()| Due::Ended(())).len(), 1_000);
    table.shrink();
    assert!(table.ids.capacity() <= KEPT_ROOM);
    assert!(table.entries.capacity() <= KEPT_ROOM);
    // Its old keys still belong to no call.
    let key = one(&mut table, 0);
    assert_eq!(key.serial(), 1_011);
}

#[test]
fn watched_calls_take_no_permit_and_are_visited_when_they_are_due() {
    let mut table: CallTable<u64, ()> = CallTable::new(LIMITS);
    let began = Instant::now();
    let at = |millis| began + Duration::from_millis(millis);
    let keys: Vec<_> = (1..=5)
        .map(|call| table.watch(call, at(10 * call)))
        .collect();
    assert_eq!((table.len(), table.running()), (5, 0));
    let visited = |table: &mut CallTable<u64, ()>, now| {
        let mut visited = Vec::new();
        table.visit_due(now, |call| {
            visited.push(*call);
            at(100 * *call)
        });
        visited
    };
    assert!(visited(&mut table, at(9)).is_empty());
    assert_eq!(visited(&mut table, at(20)), [1, 2]);
    assert_eq!(table.next_due(), Some(at(30)));
    assert_eq!(visited(&mut table, at(100)), [1, 3, 4, 5]);
    for key in &keys {
        assert!(table.finish(*key).is_some());
        assert!(table.finish(*key).is_none());
    }
    assert!(table.is_empty());
    assert_eq!(table.next_due(), None);
}
