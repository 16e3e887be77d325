//! Runs blocking functions on the blocking pool.

use crate::call::{Call, Error, Reply};
use crate::support::panics::{Discarded, contain_in, discard};

/// The parameters of a blocking function, which moves to another thread.
#[diagnostic::on_unimplemented(
    message = "the arguments of a blocking handler move between threads, and `{Self}` cannot",
    label = "not `Send`",
    note = "use `Arc` in place of `Rc`, and `Mutex` in place of `RefCell`"
)]
pub trait MovesBetweenThreads: Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> MovesBetweenThreads for T {}

/// Runs a blocking function on the blocking pool, with its extracted
/// parameters.
///
/// The call, and with it every permit, moves into the closure: a caller that
/// gave up does not free what the closure still uses.
pub async fn run_blocking<T: MovesBetweenThreads>(
    call: Call,
    extracted: T,
    run: fn(T) -> Result<Reply, Error>,
) -> Result<Reply, Error> {
    let span = tracing::Span::current();
    let extracted = Discarded::new(extracted);
    let running = tokio::task::spawn_blocking(move || {
        // The pool may have had no free thread until the caller was answered.
        let outcome = match extracted.take() {
            Some(extracted) if !call.context().is_cancelled() => {
                contain_in(&span, || run(extracted)).unwrap_or_else(|panic| Err(panic.into()))
            }
            extracted => {
                let _ = discard(extracted);
                Err(Error::internal("the call ended before it began"))
            }
        };
        // The values that middlewares attached are dropped with the call.
        let dropped = contain_in(&span, || drop(call));
        let _ = discard(span);
        // The outcome of a call that was already answered is dropped.
        Discarded::new(match dropped {
            Ok(()) => outcome,
            Err(panic) => match discard(outcome) {
                Ok(()) => Err(panic.into()),
                Err(other) => Err(other.into()),
            },
        })
    });
    match running.await {
        Ok(outcome) => outcome
            .take()
            .unwrap_or_else(|| Err(Error::internal("the outcome was taken already"))),
        Err(error) => Err(Error::internal(error)),
    }
}
