//! The panic hook: one log event per panic, in place of the text that the standard hook
//! prints.

use std::sync::Once;

use crate::support::panics::{Seen, see};

/// Installs the hook, once for the process. Panics inside a call are left to
/// the call's own event.
///
/// A panic that follows an uncaught one comes from a `Drop` during unwinding,
/// or from a function that must not unwind: the process is about to abort, and
/// no call will write an event. Both panics and all lines before them are then
/// written to stderr before the hook returns.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| match see(info) {
            Seen::Contained => {}
            Seen::Outside(description) => {
                tracing::error!(target: "mcp_kit::panic", error = description, "panic outside of a call");
                super::flush();
            }
            Seen::AfterAnother { first, second } => super::write_now(&[
                ("panic that was not caught", &first),
                ("panic that followed it; the process may abort", &second),
            ]),
        }));
    });
}
