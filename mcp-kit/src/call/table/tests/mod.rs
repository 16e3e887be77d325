//! Every request gets one answer or was cancelled, and no permit is lost: checked
//! over random interleavings, the same in every run, against a plain model.

mod model;

use std::time::Duration;

use self::model::{End, Model};
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
        match random.below(13 + takes) {
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
            9 if !model.handlers.is_empty() => {
                let handler = random.below(model.handlers.len());
                model.ask(handler);
            }
            10 if !model.asking.is_empty() => {
                let asking = random.below(model.asking.len());
                model.answer(asking);
            }
            11 if !model.returning.is_empty() => {
                let at = random.below(model.returning.len());
                model.retake(at);
            }
            12 if !model.asking.is_empty() || !model.returning.is_empty() => {
                let at = random.below(model.asking.len() + model.returning.len());
                model.drop_asking(at);
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
    // Handlers that still ask or return are dropped or go on.
    while !model.asking.is_empty() || !model.returning.is_empty() {
        if model.free() > 0 && !model.returning.is_empty() {
            model.retake(0);
        } else {
            model.drop_asking(0);
        }
        model.check();
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
