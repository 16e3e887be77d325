//! Panics of handlers and middlewares: contained, described for the log, and
//! never seen by a client.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::Future;
#[cfg(feature = "logging")]
use std::panic::PanicHookInfo;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
#[cfg(feature = "logging")]
use std::sync::Once;
use std::task::{Context, Poll};

use crate::tool::ToolError;

thread_local! {
    /// Whether this thread runs code whose panics are contained.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
    /// The last contained panic on this thread, as the hook saw it.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `run` and makes a panic an error.
pub(crate) fn contain<T>(run: impl FnOnce() -> T) -> Result<T, ToolError> {
    let outer = CONTAINED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(run));
    CONTAINED.set(outer);
    outcome.map_err(|payload| {
        let seen_by_hook = LAST.take();
        let description = seen_by_hook.unwrap_or_else(|| describe(&*payload));
        // A payload whose own drop panics must not get past this point.
        let _ = catch_unwind(AssertUnwindSafe(move || drop(payload)));
        ToolError::panic(description)
    })
}

/// A future whose panics become errors.
pub(crate) struct Contained<F>(Option<F>);

impl<F> Contained<F> {
    pub(crate) fn new(future: F) -> Self {
        Self(Some(future))
    }

    /// Drops the future, if it has not come to its end.
    pub(crate) fn end(&mut self) {
        let _ = drop_contained(&mut self.0);
    }
}

impl<T, F: Future<Output = Result<T, ToolError>> + Unpin> Future for Contained<F> {
    type Output = Result<T, ToolError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = &mut self.0 else {
            return Poll::Ready(Err(ToolError::internal("the call has ended already")));
        };
        match contain(|| Pin::new(future).poll(cx)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(outcome)) => {
                let dropped = drop_contained(&mut self.0);
                Poll::Ready(dropped.and(outcome))
            }
            Err(panic) => {
                let _ = drop_contained(&mut self.0);
                Poll::Ready(Err(panic))
            }
        }
    }
}

impl<F> Drop for Contained<F> {
    fn drop(&mut self) {
        self.end();
    }
}

/// Drops the future; its own drop may panic as well.
fn drop_contained<F>(future: &mut Option<F>) -> Result<(), ToolError> {
    match future.take() {
        Some(future) => contain(|| drop(future)),
        None => Ok(()),
    }
}

/// Installs a panic hook that writes one log event per panic, in place of the
/// text that the standard hook prints. Panics inside a call are left to the
/// call's own event.
#[cfg(feature = "logging")]
pub(crate) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let description = describe_with_place(info);
            if CONTAINED.get() {
                LAST.set(Some(description));
            } else {
                tracing::error!(target: "mcp_kit::panic", error = description, "panic outside of a call");
            }
        }));
    });
}

/// The description of the panic that unwinds through this thread now, for
/// events that are written while it does.
pub(crate) fn unwinding() -> Option<String> {
    LAST.with_borrow(Clone::clone)
}

#[cfg(feature = "logging")]
fn describe_with_place(info: &PanicHookInfo<'_>) -> String {
    let what = describe(info.payload());
    match info.location() {
        Some(place) => format!("{what} (at {place})"),
        None => what,
    }
}

fn describe(payload: &(dyn Any + Send)) -> String {
    let what = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    format!(
        "panicked: {}",
        what.unwrap_or("with a value that is no text")
    )
}
