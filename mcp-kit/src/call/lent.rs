//! What a call gives back while it asks its client: its permits, and the time of
//! its deadline.
//!
//! ```text
//!  running ──ask──▶ asking ─────answer─────▶ returning ──▶ running
//!   has its          the clock is stopped;    the clock     has them
//!   permits          other calls have the     counts
//!                    permits
//! ```
//!
//! Only a call whose handler may ask, or which runs a user's code that owns the
//! [`Call`](super::Call), keeps its permits here; any other has them in the `Call`
//! itself. They last until both the `Call` and the chain's future are gone: a
//! handler can drop its `Call` early, and a thread can keep it after the future was
//! dropped. A handler that asks several questions at once returns when the last one
//! is answered, and runs its other code without permits until then.

use std::any::Any;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::permit::LentShare;
use super::{CallContext, RunPermit};
use crate::support::lock::Lock;

/// The permit to run, as the [`Call`](super::Call) holds it.
pub(super) enum HeldPermit {
    Own {
        _permit: Option<RunPermit>,
    },
    /// In the context, since the call may lend it, or be dropped early.
    Shared(Arc<CallContext>),
}

impl HeldPermit {
    pub(super) fn of(call: &Arc<CallContext>, permit: Option<RunPermit>) -> Self {
        if !call.target.shares_permits {
            return Self::Own { _permit: permit };
        }
        let permits = LendablePermits::new(permit);
        let _ = call.permits.set(Box::new(permits)); // a call runs once
        Self::Shared(Arc::clone(call))
    }
}

/// The `Call` is gone.
impl Drop for HeldPermit {
    fn drop(&mut self) {
        if let Self::Shared(call) = self
            && let Some(permits) = call.permits.get()
        {
            permits.end();
        }
    }
}

/// The permits of a call that may ask its client, or be dropped early.
pub(crate) struct LendablePermits(Lock<Held>);

struct Held {
    /// Of the `Call` and the chain's future, how many are left.
    holders: u8,
    /// What middlewares keep until the handler has ended.
    guards: Vec<Box<dyn Any + Send>>,
    /// The questions that are open.
    questions: usize,
    stage: Stage,
}

#[derive(Default)]
enum Stage {
    /// The call has its permits.
    Has(Permits),
    /// It has given them back.
    Lent(Lent),
    /// Its handler has ended.
    #[default]
    Over,
}

/// The permits in the order in which they are released, which is the reverse of the
/// order in which they were taken.
#[derive(Default)]
struct Permits {
    /// Those of the layers that limit how many calls run at once.
    layers: Vec<OwnedSemaphorePermit>,
    run: Option<RunPermit>,
}

/// The places where permits were taken, in their order.
#[derive(Default)]
struct Lent {
    share: Option<LentShare>,
    principal: Option<Arc<Semaphore>>,
    server: Option<Arc<Semaphore>>,
    layers: Vec<Arc<Semaphore>>,
}

impl LendablePermits {
    fn new(run: Option<RunPermit>) -> Self {
        Self(Lock::new(Held {
            holders: 2,
            guards: Vec::new(),
            questions: 0,
            stage: Stage::Has(Permits {
                run,
                layers: Vec::new(),
            }),
        }))
    }

    /// Keeps the permit of a layer until the handler has ended.
    pub(super) fn keep(&self, permit: OwnedSemaphorePermit) {
        match &mut self.0.lock().stage {
            Stage::Has(permits) => permits.layers.push(permit),
            // A layer that asks before it passes the call on.
            Stage::Lent(lent) => lent.layers.push(Arc::clone(permit.semaphore())),
            Stage::Over => {}
        }
    }

    /// Keeps a guard until the handler has ended.
    pub(super) fn guard(&self, guard: Box<dyn Any + Send>) {
        self.0.lock().guards.push(guard);
    }

    /// The `Call` or the chain's future has ended: the last of them gives everything
    /// back for good. This drops guards, which are a user's.
    pub(super) fn end(&self) {
        let left = {
            let mut held = self.0.lock();
            held.holders = held.holders.saturating_sub(1);
            if held.holders > 0 {
                return;
            }
            (
                std::mem::take(&mut held.guards),
                std::mem::take(&mut held.stage),
            )
        };
        drop(left); // not under the lock
    }

    /// A question is sent: gives the permits back.
    fn lend(&self) {
        let before = {
            let mut held = self.0.lock();
            held.questions += 1;
            match &held.stage {
                Stage::Has(permits) => {
                    let lent = Stage::Lent(permits.places());
                    std::mem::replace(&mut held.stage, lent)
                }
                Stage::Lent(_) | Stage::Over => return,
            }
        };
        drop(before); // not under the lock: other calls start
    }

    /// A question has ended. Takes the permits again, if they are free.
    fn return_now(&self) {
        let wanted = {
            let mut held = self.0.lock();
            held.questions = held.questions.saturating_sub(1);
            held.wanted()
        };
        if let Some(wanted) = wanted {
            // A future that is polled once takes what is free.
            let mut taking = pin!(wanted.take());
            let mut cx = Context::from_waker(Waker::noop());
            if let Poll::Ready(permits) = taking.as_mut().poll(&mut cx) {
                self.put(permits);
            }
        }
    }

    /// Waits for the permits, if they were given back and no question is open.
    async fn returned(&self) {
        let wanted = self.0.lock().wanted();
        if let Some(wanted) = wanted {
            let permits = wanted.take().await;
            self.put(permits);
        }
    }

    /// Puts permits back in their place. They are released if the call needs none
    /// any more, has them already, or asks again.
    fn put(&self, permits: Permits) {
        let unused = {
            let mut held = self.0.lock();
            match held.stage {
                Stage::Lent(_) if held.questions == 0 => {
                    let lent = std::mem::replace(&mut held.stage, Stage::Has(permits));
                    (Some(lent), None)
                }
                _ => (None, Some(permits)),
            }
        };
        drop(unused); // not under the lock
    }
}

impl Held {
    /// The permits to take again.
    fn wanted(&self) -> Option<Lent> {
        match &self.stage {
            Stage::Lent(lent) if self.questions == 0 => Some(lent.another()),
            _ => None,
        }
    }
}

impl Permits {
    /// Where to take them again.
    fn places(&self) -> Lent {
        let of = |permit: &OwnedSemaphorePermit| Arc::clone(permit.semaphore());
        let run = self.run.as_ref();
        Lent {
            share: run.and_then(|run| LentShare::of(run.share.as_ref()?)),
            principal: run.and_then(|run| run.principal.as_ref().map(of)),
            server: run.and_then(|run| run.server.as_ref().map(of)),
            layers: self.layers.iter().map(of).collect(),
        }
    }
}

impl Lent {
    fn another(&self) -> Self {
        Self {
            share: self.share.as_ref().map(LentShare::another),
            principal: self.principal.clone(),
            server: self.server.clone(),
            layers: self.layers.clone(),
        }
    }

    /// Takes the permits, in the order in which calls take them at first: so two
    /// calls never wait for each other.
    async fn take(self) -> Permits {
        let mut permits = Permits::default();
        let share = match self.share {
            Some(share) => Some(share.await),
            None => None,
        };
        let mut principal = None;
        if let Some(theirs) = self.principal {
            principal = theirs.acquire_owned().await.ok();
        }
        if let Some(server) = self.server
            && let Ok(server) = server.acquire_owned().await
        {
            permits.run = Some(RunPermit {
                server: Some(server),
                principal,
                share,
            });
        }
        for layer in self.layers {
            permits.layers.extend(layer.acquire_owned().await);
        }
        permits
    }
}

impl CallContext {
    /// Waits for an answer of the client: the call's clock is stopped, and its
    /// permits are lent to other calls. Takes them again afterwards, in which time
    /// counts.
    pub(crate) async fn while_asking<T>(&self, answer: impl Future<Output = T>) -> T {
        self.while_lending(async {
            let _paused = Paused::begin(self);
            answer.await
        })
        .await
    }

    /// Waits with the permits lent to other calls, and takes them again afterwards.
    /// Time counts throughout.
    pub(crate) async fn while_lending<T>(&self, waiting: impl Future<Output = T>) -> T {
        let lending = Lending::begin(self);
        let outcome = waiting.await;
        drop(lending);
        if let Some(permits) = self.permits.get() {
            permits.returned().await;
        }
        outcome
    }
}

/// The permits of a call are lent, until this is dropped. A handler that drops a
/// question before it is answered goes on at once: with its permits if they are free.
struct Lending<'a>(&'a CallContext);

impl<'a> Lending<'a> {
    fn begin(call: &'a CallContext) -> Self {
        if let Some(permits) = call.permits.get() {
            permits.lend();
        }
        Self(call)
    }
}

impl Drop for Lending<'_> {
    fn drop(&mut self) {
        if let Some(permits) = self.0.permits.get() {
            permits.return_now();
        }
    }
}

/// The clock of a call is stopped, until this is dropped.
struct Paused<'a>(&'a CallContext);

impl<'a> Paused<'a> {
    fn begin(call: &'a CallContext) -> Self {
        call.deadline.pause();
        Self(call)
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        self.0.deadline.resume();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::pin::Pin;

    use super::*;

    struct Call {
        permits: Arc<LendablePermits>,
        questions: usize,
        returning: VecDeque<Pin<Box<dyn Future<Output = ()>>>>,
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 >> 33).expect("31 bits") % limit
        }
    }

    fn poll(future: &mut Pin<Box<dyn Future<Output = ()>>>) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        future.as_mut().poll(&mut cx).is_ready()
    }

    const SERVER: usize = 3;
    const LAYER: usize = 2;

    fn run(seed: u64) {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let server = Arc::new(Semaphore::new(SERVER));
        let layer = Arc::new(Semaphore::new(LAYER));
        let mut calls: Vec<Call> = Vec::new();
        for _ in 0..200 {
            match random.below(6) {
                0 => {
                    let run = Arc::clone(&server).try_acquire_owned();
                    let run = run.ok().map(|permit| RunPermit::new(permit, None));
                    if run.is_some() {
                        calls.push(Call {
                            permits: Arc::new(LendablePermits::new(run)),
                            questions: 0,
                            returning: VecDeque::new(),
                        });
                    }
                }
                _ if calls.is_empty() => {}
                1 => {
                    let at = random.below(calls.len());
                    if let Ok(permit) = Arc::clone(&layer).try_acquire_owned() {
                        calls[at].permits.keep(permit);
                    }
                }
                2 => {
                    let at = random.below(calls.len());
                    calls[at].permits.lend();
                    calls[at].questions += 1;
                }
                3 => {
                    let at = random.below(calls.len());
                    let call = &mut calls[at];
                    if call.questions > 0 {
                        call.questions -= 1;
                        call.permits.return_now();
                        let permits = Arc::clone(&call.permits);
                        let mut returning: Pin<Box<dyn Future<Output = ()>>> =
                            Box::pin(async move { permits.returned().await });
                        if !poll(&mut returning) {
                            call.returning.push_back(returning);
                        }
                    }
                }
                4 => {
                    let at = random.below(calls.len());
                    let is_dropped = random.below(3) == 0;
                    let returning = &mut calls[at].returning;
                    if let Some(mut one) = returning.pop_front()
                        && !is_dropped
                        && !poll(&mut one)
                    {
                        returning.push_back(one);
                    }
                }
                _ => {
                    let at = random.below(calls.len());
                    let call = calls.swap_remove(at);
                    call.permits.end();
                    call.permits.end();
                    // A task that the handler has started may ask on.
                    call.permits.lend();
                    call.permits.return_now();
                }
            }
            let has = |call: &&Call| matches!(call.permits.0.lock().stage, Stage::Has(_));
            let with_permits = calls.iter().filter(has).count();
            assert!(with_permits <= SERVER, "{with_permits}");
            let asking = |call: &Call| call.questions > 0;
            assert!(!calls.iter().any(|call| asking(call) && has(&call)));
        }
        // Each call that waits gets its turn, and every permit comes back.
        for mut call in calls {
            call.permits.end();
            call.permits.end();
            for returning in &mut call.returning {
                poll(returning);
            }
        }
        assert_eq!(server.available_permits(), SERVER);
        assert_eq!(layer.available_permits(), LAYER);
    }

    #[test]
    fn no_permit_is_lost_over_any_order_of_questions_and_ends() {
        (0..500).for_each(run);
    }
}
