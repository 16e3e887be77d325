//! The functions that [`run`](super::run) takes.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::pin;

use clap::{ArgMatches, Args, Command, FromArgMatches as _};

use super::runtime::LazyRuntime;
use crate::server::Server;
use crate::support::error_text;
use crate::support::task::block_on;

/// A function that builds the server: `fn` or `async fn`, with the program's
/// own options as its argument or without any.
///
/// A plain `fn` runs before there is a tokio runtime: the server's first answer
/// then does not wait for the runtime's start. Code that needs a runtime, such
/// as connecting to a database, requires an `async fn`.
///
/// The options derive [`clap::Args`]. The error must implement `Display`:
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

/// The author's part of a program. The rest is not generic: what is generic is compiled in
/// the crate of each server, together with a copy of everything that it uses.
pub(super) trait Program {
    /// Adds the program's own options.
    fn add_options(&self, command: Command) -> Command;

    /// Keeps the values of the program's own options.
    ///
    /// # Errors
    ///
    /// clap's, for example that a required option is missing.
    fn read_options(&mut self, matches: &mut ArgMatches) -> Result<(), clap::Error>;

    /// Builds the server, once the options have been read.
    fn build(&mut self, runtime: &LazyRuntime) -> Result<Server, Failure>;
}

/// The function that builds the server, and the options that it takes.
pub(super) struct Author<Kind, B: Build<Kind>> {
    build: Option<B>,
    pub(super) options: Option<B::Options>,
}

impl<Kind, B: Build<Kind>> Author<Kind, B> {
    pub(super) fn new(build: B) -> Self {
        Self {
            build: Some(build),
            options: None,
        }
    }
}

impl<Kind, B: Build<Kind>> Program for Author<Kind, B> {
    fn add_options(&self, command: Command) -> Command {
        B::Options::augment_args(command)
    }

    fn read_options(&mut self, matches: &mut ArgMatches) -> Result<(), clap::Error> {
        self.options = Some(B::Options::from_arg_matches_mut(matches)?);
        Ok(())
    }

    fn build(&mut self, runtime: &LazyRuntime) -> Result<Server, Failure> {
        match (self.build.take(), self.options.take()) {
            (Some(build), Some(options)) => build.build(options, runtime),
            _ => Err(Failure("the server is built once".to_owned())),
        }
    }
}

/// Why there is no server, as text for people.
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
        wait_for(runtime, async { self().await.map_err(failure) })
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
        wait_for(runtime, async { self(options).await.map_err(failure) })
    }
}

fn wait_for(
    runtime: &LazyRuntime,
    building: impl Future<Output = Result<Server, Failure>>,
) -> Result<Server, Failure> {
    let mut built = Err(Failure(String::new()));
    block_on(runtime.get()?, pin!(async { built = building.await }));
    built
}

/// Formats an error and its sources. `anyhow` adds its own in the alternate
/// form.
fn failure<E: fmt::Display + 'static>(error: E) -> Failure {
    let any: &dyn Any = &error;
    let source = match (
        any.downcast_ref::<Box<dyn Error>>(),
        any.downcast_ref::<Box<dyn Error + Send + Sync>>(),
    ) {
        (Some(error), _) => error.source(),
        (_, Some(error)) => error.source(),
        _ => None,
    };
    let text = error_text::with_sources(format_args!("{error:#}"), source, "\n  because: ");
    Failure(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::BuildError;

    #[derive(Args)]
    struct Options {
        #[arg(long)]
        name: Option<String>,
    }

    fn named(name: &str) -> Result<Server, BuildError> {
        Server::builder(name, "1").build()
    }

    fn plain() -> Result<Server, BuildError> {
        named("plain")
    }

    fn with_options(options: Options) -> Result<Server, Box<dyn Error>> {
        Ok(named(&options.name.ok_or("no name")?)?)
    }

    async fn asynchronous() -> Result<Server, String> {
        tokio::spawn(async { named("asynchronous") })
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())
    }

    async fn asynchronous_with_options(
        options: Options,
    ) -> Result<Server, Box<dyn Error + Send + Sync>> {
        Ok(named(&options.name.unwrap_or_default())?)
    }

    fn name<Kind, B: Build<Kind>>(build: B, options: B::Options) -> String {
        let runtime = LazyRuntime::default();
        build.build(options, &runtime).unwrap().name().to_owned()
    }

    fn options(name: &str) -> Options {
        Options {
            name: Some(name.to_owned()),
        }
    }

    #[test]
    fn a_server_is_built_by_a_function_of_each_kind() {
        assert_eq!(name(plain, ()), "plain");
        assert_eq!(name(with_options, options("a")), "a");
        assert_eq!(name(asynchronous, ()), "asynchronous");
        assert_eq!(name(asynchronous_with_options, options("b")), "b");
        assert_eq!(name(|| named("c"), ()), "c");
        assert_eq!(name(|_: Options| named("d"), options("")), "d");
        assert_eq!(name(async || named("e"), ()), "e");
        assert_eq!(name(async |_: Options| named("f"), options("")), "f");
    }

    #[test]
    fn a_plain_function_starts_no_runtime() {
        let runtime = LazyRuntime::default();
        plain.build((), &runtime).unwrap();
        assert!(!runtime.is_started());
    }

    #[derive(Debug)]
    struct Chained(Option<Box<Chained>>);

    impl fmt::Display for Chained {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(if self.0.is_some() { "outer" } else { "inner" })
        }
    }

    impl Error for Chained {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.0.as_deref().map(|source| source as _)
        }
    }

    #[test]
    fn a_failure_prints_its_sources() {
        let chained = || Chained(Some(Box::new(Chained(None))));
        let text = "outer\n  because: inner";
        let boxed: Box<dyn Error> = Box::new(chained());
        assert_eq!(failure(boxed).to_string(), text);
        let sendable: Box<dyn Error + Send + Sync> = Box::from("plain text");
        assert_eq!(failure(sendable).to_string(), "plain text");
        assert_eq!(failure(chained()).to_string(), "outer");
    }
}
