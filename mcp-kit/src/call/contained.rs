//! A future whose panics become errors.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tracing::Span;

use super::Error;
use crate::support::panics::{Panicked, contain_in, discard};

/// A future that runs inside a span, and whose panics become errors.
pub(crate) struct Contained<F> {
    future: Option<F>,
    span: Span,
}

impl<F> Contained<F> {
    pub(crate) fn new(future: F, span: Span) -> Self {
        let future = Some(future);
        Self { future, span }
    }

    /// No future.
    pub(crate) fn ended() -> Self {
        Self {
            future: None,
            span: Span::none(),
        }
    }

    /// Drops the future, if it has not ended.
    pub(crate) fn end(&mut self) {
        let _ = self.drop_future();
    }

    fn drop_future(&mut self) -> Result<(), Panicked> {
        match self.future.take() {
            Some(future) => contain_in(&self.span, || drop(future)),
            None => Ok(()),
        }
    }
}

impl<T, F: Future<Output = Result<T, Error>> + Unpin> Future for Contained<F> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { future, span } = &mut *self;
        if future.is_none() {
            return Poll::Ready(Err(Error::internal("the call has ended already")));
        }
        // Out of the closure's reach: it must survive a panic in the future's `Drop`.
        let mut outcome = None;
        let ended = contain_in(span, || {
            if let Some(running) = future
                && let Poll::Ready(ready) = Pin::new(running).poll(cx)
            {
                outcome = Some(ready);
                *future = None;
            }
        });
        match (ended, outcome) {
            (Ok(()), None) => Poll::Pending,
            (Ok(()), Some(outcome)) => Poll::Ready(outcome),
            (Err(panic), outcome) => {
                // The rest of the future after the panic; a failure in its drop
                // does not replace the call's outcome.
                let _ = self.drop_future();
                Poll::Ready(match outcome {
                    Some(Err(error)) => Err(error),
                    outcome => {
                        let _ = discard(outcome);
                        Err(panic.into())
                    }
                })
            }
        }
    }
}

impl<F> Drop for Contained<F> {
    fn drop(&mut self) {
        self.end();
        if !self.span.is_none() {
            let _ = discard(std::mem::replace(&mut self.span, Span::none()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bomb;

    impl Drop for Bomb {
        #[allow(clippy::panic)]
        fn drop(&mut self) {
            panic!("dropped");
        }
    }

    #[tokio::test]
    async fn a_future_that_panics_when_it_is_dropped_ends_with_an_error() {
        struct Ready(#[allow(dead_code)] Bomb);
        impl Future for Ready {
            type Output = Result<u8, Error>;
            fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
                Poll::Ready(Ok(1))
            }
        }
        let outcome = Contained::new(Ready(Bomb), Span::none()).await;
        assert!(outcome.is_err());
        drop(Contained::new(Ready(Bomb), Span::none()));
    }
}
