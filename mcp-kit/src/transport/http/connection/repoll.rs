//! A waker that avoids scheduling a task that wakes itself.
//!
//! hyper requests a request's body by waking the task that it runs in. The
//! runtime then puts the task at the end of its queue and wakes another thread
//! to help, for every request. Here the task is just polled once more.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

/// How often in a row, before other tasks have their turn.
const MOST: usize = 8;

const RESTING: u8 = 0;
const POLLING: u8 = 1;
const AGAIN: u8 = 2;

/// Polls a future of one task.
pub(crate) struct Repoll {
    inner: Arc<Inner>,
    waker: Waker,
}

struct Inner {
    state: AtomicU8,
    /// The task's waker.
    outer: OnceLock<Waker>,
}

impl Repoll {
    pub(crate) fn new() -> Self {
        let inner = Arc::new(Inner {
            state: AtomicU8::new(RESTING),
            outer: OnceLock::new(),
        });
        let waker = Waker::from(Arc::clone(&inner));
        Self { inner, waker }
    }

    /// Wakes the task, once it has been polled.
    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Polls, and polls once more if that woke its own task.
    pub(crate) fn poll<T>(
        &self,
        cx: &Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let outer = self.inner.outer.get_or_init(|| cx.waker().clone());
        let mut inner = Context::from_waker(&self.waker);
        for _ in 0..MOST {
            self.inner.state.store(POLLING, Ordering::Release);
            let ready = poll(&mut inner);
            let before = self.inner.state.swap(RESTING, Ordering::AcqRel);
            if ready.is_ready() || before == POLLING {
                return ready;
            }
        }
        outer.wake_by_ref();
        Poll::Pending
    }
}

impl Wake for Inner {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let again = self
            .state
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| {
                (state != RESTING).then_some(AGAIN)
            });
        if again.is_err()
            && let Some(outer) = self.outer.get()
        {
            outer.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Counted(AtomicUsize);

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn task() -> (Arc<Counted>, Waker) {
        let counted = Arc::<Counted>::default();
        (Arc::clone(&counted), Waker::from(counted))
    }

    #[test]
    fn what_wakes_itself_is_polled_again_and_not_scheduled() {
        let (woken, task) = task();
        let again = Repoll::new();
        let mut polls = 0;
        let polled = again.poll(&Context::from_waker(&task), |cx| {
            polls += 1;
            if polls < 3 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(polls)
        });
        assert_eq!(polled, Poll::Ready(3));
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_wakes_itself_without_end_lets_others_have_their_turn() {
        let (woken, task) = task();
        let mut polls = 0;
        let polled = Repoll::new().poll(&Context::from_waker(&task), |cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert!(polled.is_pending());
        assert_eq!((polls, woken.0.load(Ordering::Relaxed)), (MOST, 1));
    }

    #[test]
    fn who_is_woken_between_polls_is_scheduled() {
        let (woken, task) = task();
        let again = Repoll::new();
        let mut kept = None;
        let polled = again.poll(&Context::from_waker(&task), |cx| {
            kept = Some(cx.waker().clone());
            Poll::<()>::Pending
        });
        assert!(polled.is_pending());
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        kept.unwrap().wake();
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    }
}
