//! The functions that [`run`](super::run) takes.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

use clap::Args;

use super::runtime::LazyRuntime;
use crate::server::Server;

/// A function that builds the server: `fn` or `async fn`, with the program's
/// own options as its argument or without any.
///
/// A plain `fn` runs before there is a tokio runtime: the server's first answer
/// then does not wait for the runtime's start. What needs a runtime, such as
/// connecting to a database, wants an `async fn`.
///
/// The options derive [`clap::Args`]. The error is one that can be displayed:
/// `Box<dyn Error>`, [`BuildError`](crate::server::BuildError),
/// `anyhow::Error`, `String`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not build a server",
    label = "not a function that builds a server",
    note = "write `fn build(options: Options) -> Result<Server, Box<dyn Error>>`, or `async fn`, or without options; `Options` derives `clap::Args`; a closure needs its parameter's type written down"
)]
pub trait Build<Kind> {
    /// The program's own options.
    type Options: Args;

    #[doc(hidden)]
    fn build(self, options: Self::Options, runtime: &LazyRuntime) -> Result<Server, Failure>;
}

/// Why there is no server, for people.
#[doc(hidden)]
#[derive(Debug)]
pub struct Failure(pub(super) String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `fn() -> Result<Server, E>`
#[doc(hidden)]
#[derive(Debug)]
pub struct Plain;

/// `fn(O) -> Result<Server, E>`
#[doc(hidden)]
#[derive(Debug)]
pub struct WithOptions<O>(PhantomData<O>);

/// `async fn() -> Result<Server, E>`
#[doc(hidden)]
#[derive(Debug)]
pub struct Async;

/// `async fn(O) -> Result<Server, E>`
#[doc(hidden)]
#[derive(Debug)]
pub struct AsyncWithOptions<O>(PhantomData<O>);

impl<F, E> Build<Plain> for F
where
    F: FnOnce() -> Result<Server, E>,
    E: fmt::Display + 'static,
{
    type Options = ();

    fn build(self, (): (), _: &LazyRuntime) -> Result<Server, Failure> {
        self().map_err(failure)
    }
}

impl<F, O, E> Build<WithOptions<O>> for F
where
    F: FnOnce(O) -> Result<Server, E>,
    O: Args,
    E: fmt::Display + 'static,
{
    type Options = O;

    fn build(self, options: O, _: &LazyRuntime) -> Result<Server, Failure> {
        self(options).map_err(failure)
    }
}

impl<F, Fut, E> Build<Async> for F
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<Server, E>>,
    E: fmt::Display + 'static,
{
    type Options = ();

    fn build(self, (): (), runtime: &LazyRuntime) -> Result<Server, Failure> {
        runtime
            .get()?
            .block_on(async { self().await.map_err(failure) })
    }
}

impl<F, O, Fut, E> Build<AsyncWithOptions<O>> for F
where
    F: FnOnce(O) -> Fut,
    O: Args,
    Fut: Future<Output = Result<Server, E>>,
    E: fmt::Display + 'static,
{
    type Options = O;

    fn build(self, options: O, runtime: &LazyRuntime) -> Result<Server, Failure> {
        runtime
            .get()?
            .block_on(async { self(options).await.map_err(failure) })
    }
}

/// An error and its sources. `anyhow` shows its own where the form is the
/// alternate one.
fn failure<E: fmt::Display + 'static>(error: E) -> Failure {
    let mut text = format!("{error:#}");
    let any: &dyn Any = &error;
    let mut source = match (
        any.downcast_ref::<Box<dyn Error>>(),
        any.downcast_ref::<Box<dyn Error + Send + Sync>>(),
    ) {
        (Some(error), _) => error.source(),
        (_, Some(error)) => error.source(),
        _ => None,
    };
    while let Some(error) = source {
        text.push_str("\n  because: ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    Failure(text)
}
