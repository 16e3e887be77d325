//! Functions that suggest values.

use std::future::Future;
use std::sync::Arc;

use crate::call::{Call, ErasedCompleter, Error, IntoError, NextFuture, Reply};
use crate::content::Completions;
use crate::extract::{FromCall, Requirements};

/// A function that suggests values for an argument: an `async fn` whose
/// parameters are extractors, at most six, such as
/// [`CompletionRequest`](super::CompletionRequest) and
/// [`State`](crate::extract::State), and that returns suggestions
/// ([`IntoCompletions`]).
///
/// `M` distinguishes the numbers of parameters and is always inferred. The trait
/// is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot suggest values",
    label = "not an async function of extractors that returns suggestions",
    note = "write `async fn names(request: CompletionRequest) -> Vec<String>`; further parameters are extractors such as `State<T>`, and `Result<Vec<String>, Error>` and `Completions` may also be returned"
)]
pub trait Completer<M>: sealed::Via<M> + Send + Sync + 'static {
    #[doc(hidden)]
    fn complete(&self, call: Call) -> NextFuture<'_>;

    #[doc(hidden)]
    fn requires(requirements: &mut Requirements);
}

/// The types that a completing function may return.
///
/// | type | suggestions |
/// |---|---|
/// | `Vec<String>`, `Vec<&'static str>` | all of them; the client gets the first 100 |
/// | [`Completions`] | itself |
/// | `Result<T, Error>` | `T`'s suggestions, or a JSON-RPC error |
pub trait IntoCompletions {
    /// Converts the value into suggestions.
    ///
    /// # Errors
    ///
    /// Returns the function's own failure.
    fn into_completions(self) -> Result<Completions, Error>;
}

impl IntoCompletions for Completions {
    fn into_completions(self) -> Result<Completions, Error> {
        Ok(self)
    }
}

impl IntoCompletions for Vec<String> {
    fn into_completions(self) -> Result<Completions, Error> {
        Ok(Completions::new(self))
    }
}

impl IntoCompletions for Vec<&'static str> {
    fn into_completions(self) -> Result<Completions, Error> {
        Ok(Completions::new(
            self.into_iter().map(str::to_owned).collect(),
        ))
    }
}

impl<T: IntoCompletions, E: IntoError> IntoCompletions for Result<T, E> {
    fn into_completions(self) -> Result<Completions, Error> {
        self.map_err(E::into_error)?.into_completions()
    }
}

/// Erases the type of a completing function.
pub(crate) fn erase<M: 'static>(completer: impl Completer<M>) -> ErasedCompleter {
    let completer = Arc::new(completer);
    Arc::new(move |call| {
        let completer = Arc::clone(&completer);
        Box::pin(async move { completer.complete(call).await })
    })
}

macro_rules! completers {
    ($($extractor:ident),*) => {
        impl<F, Fut, $($extractor),*> Completer<(Fut, $($extractor,)*)> for F
        where
            F: Fn($($extractor),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output: IntoCompletions> + Send + 'static,
            $($extractor: FromCall,)*
        {
            fn complete(&self, call: Call) -> NextFuture<'_> {
                Box::pin(async move {
                    #[allow(unused_mut, unused_variables, reason = "without parameters")]
                    let mut call = call;
                    let completions = self($($extractor::from_call(&mut call).await?),*).await;
                    completions.into_completions().map(Reply::from)
                })
            }

            fn requires(requirements: &mut Requirements) {
                let _ = &requirements;
                $($extractor::requires(requirements);)*
            }
        }

        impl<F, Fut, $($extractor),*> sealed::Via<(Fut, $($extractor,)*)> for F
        where
            F: Fn($($extractor),*) -> Fut,
        {
        }
    };
}
completers!();
completers!(A);
completers!(A, B);
completers!(A, B, C);
completers!(A, B, C, D);
completers!(A, B, C, D, E);
completers!(A, B, C, D, E, G);

mod sealed {
    pub trait Via<M> {}
}
