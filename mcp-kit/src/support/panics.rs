//! Contains panics of foreign code (handlers, middlewares, authenticators,
//! subscribers, and the `Drop` and `Display` of their values), and describes
//! them for the log. Clients never see them.

use std::any::Any;
use std::cell::{Cell, RefCell};
#[cfg(feature = "logging")]
use std::panic::PanicHookInfo;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::Span;

thread_local! {
    /// Whether this thread runs code whose panics are contained.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
    /// The panic on this thread that nothing has caught yet, as the hook saw it.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
    /// Whether `LAST` has a value. Every call reads it, and this costs less
    /// than `LAST`.
    static HAS_LAST: Cell<bool> = const { Cell::new(false) };
}

/// A contained panic, as text for the log.
#[derive(Debug)]
pub(crate) struct Panicked(String);

impl Panicked {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_description(self) -> String {
        self.0
    }
}

/// Runs `run` and turns a panic into an error.
pub(crate) fn contain<T>(run: impl FnOnce() -> T) -> Result<T, Panicked> {
    let outer = CONTAINED.replace(true);
    // A panic that earlier code caught itself does not describe one in here.
    // One that unwinds through this thread now is described again below.
    let unwinding = take_last();
    let outcome = catch_unwind(AssertUnwindSafe(run)).map_err(caught);
    if unwinding.is_some() || HAS_LAST.get() {
        swap_last(unwinding.filter(|_| std::thread::panicking()));
    }
    CONTAINED.set(outer);
    outcome
}

#[cold]
fn caught(payload: Box<dyn Any + Send>) -> Panicked {
    let description = take_last().unwrap_or_else(|| describe(&*payload));
    // The payload's own `Drop` may panic, and so may the payload of that:
    // the second is leaked, since it cannot be dropped safely.
    if let Err(second) = catch_unwind(AssertUnwindSafe(move || drop(payload))) {
        std::mem::forget(second);
    }
    Panicked(description)
}

/// Drops a value whose `Drop` may panic.
pub(crate) fn discard<T>(value: T) -> Result<(), Panicked> {
    contain(move || drop(value))
}

/// Drops a value of a user, such as a handler that was removed, and logs a panic: it
/// must not end what this thread does for others. `what` names the value.
pub(crate) fn discard_logged<T>(value: T, what: &'static str) {
    if let Err(panic) = discard(value) {
        let _ = contain(|| {
            tracing::error!(
                target: "mcp_kit::panic",
                error = panic.as_str(),
                "panic while {what} was dropped"
            );
        });
    }
}

/// Contains the panics of `run`, and of a subscriber when `span` is entered or
/// left.
///
/// The span is left after a panic in `run` was caught: a subscriber that
/// panicked while this thread unwinds would end the process.
pub(crate) fn contain_in<T>(span: &Span, run: impl FnOnce() -> T) -> Result<T, Panicked> {
    if span.is_disabled() {
        return contain(run);
    }
    let entered = contain(|| span.enter()).ok();
    let outcome = contain(run);
    let _ = discard(entered);
    outcome
}

/// A value whose panics on drop are contained, wherever it is dropped.
pub(crate) struct Discarded<T>(Option<T>);

impl<T> Discarded<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    pub(crate) fn take(mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T> Drop for Discarded<T> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            let _ = discard(value);
        }
    }
}

/// The panic hook's view of a panic: one outside of contained code, or the
/// first of two that no code has caught yet, together with the second.
#[cfg(feature = "logging")]
pub(crate) enum Seen {
    Outside(String),
    Contained,
    AfterAnother { first: String, second: String },
}

/// Records a panic, in the panic hook.
#[cfg(feature = "logging")]
pub(crate) fn see(info: &PanicHookInfo<'_>) -> Seen {
    let what = describe(info.payload());
    let description = match info.location() {
        Some(place) => format!("{what} (at {place})"),
        None => what,
    };
    if !CONTAINED.get() {
        return Seen::Outside(description);
    }
    match swap_last(Some(description.clone())) {
        None => Seen::Contained,
        Some(first) => Seen::AfterAnother {
            first,
            second: description,
        },
    }
}

/// Takes the description of the last panic.
fn take_last() -> Option<String> {
    HAS_LAST.get().then(|| swap_last(None)).flatten()
}

/// Replaces the description of the last panic; `None` if the thread's values
/// are already gone.
fn swap_last(description: Option<String>) -> Option<String> {
    HAS_LAST.set(description.is_some());
    LAST.try_with(|last| last.replace(description)).ok()?
}

fn describe(payload: &(dyn Any + Send)) -> String {
    let what = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let what = what.unwrap_or("with a value that is not text");
    crate::support::error_text::limited(format_args!("panicked: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Panics when it is dropped, with a payload that does the same, this many
    /// times.
    struct Bomb(u32);

    impl Drop for Bomb {
        #[allow(clippy::panic)]
        fn drop(&mut self) {
            if self.0 > 0 {
                std::panic::panic_any(Self(self.0 - 1));
            }
        }
    }

    #[test]
    fn a_payload_that_panics_when_it_is_dropped_is_contained_however_often() {
        for times in 0..5 {
            let panic = contain(|| std::panic::panic_any(Bomb(times))).unwrap_err();
            assert!(panic.as_str().starts_with("panicked"));
            assert_eq!(discard(Bomb(times)).is_err(), times > 0);
            drop(Discarded::new(Bomb(times)));
        }
    }

    /// A panic in a destructor while another one unwinds does not change how
    /// that one is described.
    #[test]
    #[allow(clippy::panic)]
    fn a_panic_contained_during_unwinding_hides_no_other() {
        struct Noisy;
        impl Drop for Noisy {
            fn drop(&mut self) {
                assert!(contain(|| panic!("inner")).is_err());
            }
        }
        let panic = contain(|| {
            let _noisy = Noisy;
            panic!("outer");
        });
        let text = panic.unwrap_err().into_description();
        assert!(text.starts_with("panicked: outer"), "{text}");
    }
}
