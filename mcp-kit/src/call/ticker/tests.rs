//! Ticks that a test makes itself, those of the thread, and those of the timer.

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use tokio::sync::Notify;

use super::*;

/// Calls that are open, and how often they were ticked and woken.
#[derive(Default)]
struct Calls {
    open: Mutex<usize>,
    ticks: AtomicUsize,
    ticked: Notify,
    wakes: AtomicUsize,
    woken: Notify,
}

impl Calls {
    fn registered(ticker: &Ticker) -> (Arc<Self>, Ticking) {
        let calls = Arc::new(Self::default());
        let ticking = ticker.register(Arc::downgrade(&calls) as Weak<dyn Ticked>);
        (calls, ticking)
    }

    fn open(&self, ticking: &Ticking) {
        *self.open.lock().unwrap() += 1;
        ticking.start();
    }

    fn end(&self) {
        *self.open.lock().unwrap() -= 1;
    }

    fn ticks(&self) -> usize {
        self.ticks.load(Ordering::Relaxed)
    }
}

impl Ticked for Calls {
    fn tick(&self) -> bool {
        self.ticks.fetch_add(1, Ordering::Relaxed);
        self.ticked.notify_one();
        self.has_open()
    }

    fn has_open(&self) -> bool {
        *self.open.lock().unwrap() > 0
    }

    fn wake(&self) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
        self.woken.notify_one();
    }
}

#[test]
fn only_what_has_open_calls_is_ticked() {
    let ticker = Ticker::by_hand();
    let (busy, ticking) = Calls::registered(&ticker);
    let (idle, _registered) = Calls::registered(&ticker);
    assert!(!ticker.tick());
    busy.open(&ticking);
    busy.open(&ticking);
    assert!(ticker.tick());
    busy.end();
    assert!(ticker.tick());
    busy.end();
    assert!(!ticker.tick());
    assert!(!ticker.tick());
    assert_eq!((busy.ticks(), idle.ticks()), (3, 0));
    busy.open(&ticking);
    assert!(ticker.tick());
    assert_eq!(busy.ticks(), 4);
    drop(busy);
    assert!(!ticker.tick());
}

/// What is entered between the look and the clearing of the flag.
#[test]
fn a_call_that_is_entered_while_the_ticker_looks_is_not_missed() {
    struct Late {
        ticking: OnceLock<Ticking>,
        is_open: AtomicBool,
    }
    impl Ticked for Late {
        fn tick(&self) -> bool {
            let was_open = self.has_open();
            if !was_open {
                self.is_open.store(true, Ordering::Relaxed);
                self.ticking.get().unwrap().start();
            }
            was_open
        }
        fn has_open(&self) -> bool {
            self.is_open.load(Ordering::Relaxed)
        }
        fn wake(&self) {}
    }
    let ticker = Ticker::by_hand();
    let late = Arc::new(Late {
        ticking: OnceLock::new(),
        is_open: AtomicBool::new(false),
    });
    let ticking = ticker.register(Arc::downgrade(&late) as Weak<dyn Ticked>);
    ticking.start();
    assert!(late.ticking.set(ticking).is_ok());
    assert!(ticker.tick());
    assert!(late.has_open());
    assert!(ticker.tick());
    assert_eq!(ticker.0.lock().ticking.len(), 1, "it is in the list once");
}

#[test]
fn one_that_panics_does_not_end_the_ticks_of_others() {
    struct Broken;
    impl Ticked for Broken {
        fn tick(&self) -> bool {
            panic!("a waker of another executor")
        }
        fn has_open(&self) -> bool {
            true
        }
        fn wake(&self) {
            panic!("a waker of another executor")
        }
    }
    let ticker = Ticker::by_hand();
    let broken: Arc<dyn Ticked> = Arc::new(Broken);
    let breaking = ticker.register(Arc::downgrade(&broken));
    let (calls, ticking) = Calls::registered(&ticker);
    breaking.start();
    breaking.wake();
    calls.open(&ticking);
    assert!(ticker.tick());
    assert_eq!(calls.ticks(), 1);
}

#[tokio::test]
async fn the_thread_ticks_while_calls_are_open_and_ends_with_its_server() {
    let ticker = Ticker::default();
    let (calls, ticking) = Calls::registered(&ticker);
    let (other, its_ticking) = Calls::registered(&ticker);
    calls.open(&ticking);
    for _ in 0..3 {
        calls.ticked.notified().await;
    }
    calls.end();
    while ticker.0.lock().is_driven {
        tokio::task::yield_now().await;
    }
    // It sleeps, and is there again for either.
    other.open(&its_ticking);
    other.ticked.notified().await;
    ticking.wake();
    calls.woken.notified().await;
    assert_eq!(calls.wakes.load(Ordering::Relaxed), 1);
    let shared = Arc::downgrade(&ticker.0);
    drop((ticker, ticking, its_ticking));
    while shared.strong_count() > 0 || shared.weak_count() > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_thread_a_timer_ticks_while_calls_are_open() {
    let ticker = Ticker::default();
    ticker.use_timer();
    let (calls, ticking) = Calls::registered(&ticker);
    for round in 1..=2 {
        calls.open(&ticking);
        tokio::time::sleep(10 * PACE + PACE / 2).await;
        calls.end();
        // One more, which finds nothing open.
        tokio::time::sleep(60 * PACE).await;
        assert_eq!(calls.ticks(), 11 * round);
    }
    ticking.wake();
    assert_eq!(calls.wakes.load(Ordering::Relaxed), 1);
}

#[test]
fn a_timer_that_ended_with_its_runtime_is_started_anew_on_the_next() {
    let ticker = Ticker::default();
    ticker.use_timer();
    let (calls, ticking) = Calls::registered(&ticker);
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            calls.open(&ticking);
            calls.ticked.notified().await;
        });
    }
}
