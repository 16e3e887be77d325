//! Functions that answer methods and handle notifications.

use std::future::Future;
use std::marker::PhantomData;

use super::IntoMethodResult;
use crate::call::{Call, Handler, NextFuture, Reply};
use crate::handler::{FunctionSpec, Parameter, ParameterVia};

/// A function that answers a method of an extension, or handles one of its
/// notifications: an `async fn` of at most six parameters, of which one may be a struct
/// of arguments ([`ToolArgs`](crate::ToolArgs)) and the others are
/// [extractors](crate::extract), and that returns an [`IntoMethodResult`].
///
/// `M` distinguishes the parameters and is always inferred. The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot answer a method of an extension",
    label = "not an async function of an argument struct and extractors that returns an object",
    note = "write `async fn list(args: ListArgs, State(notes): State<Notes>) -> Json<Listed>`; `()`, `Map<String, Value>` and `Result<_, Error>` of these may also be returned"
)]
pub trait MethodHandler<M>: sealed::Via<M> + Send + Sync + 'static {
    #[doc(hidden)]
    fn run(&self, call: Call) -> NextFuture<'_>;

    #[doc(hidden)]
    fn describe(spec: &mut FunctionSpec);
}

/// A function as the innermost part of its chain.
pub(super) struct Innermost<H, M>(H, PhantomData<fn() -> M>);

impl<H, M> Innermost<H, M> {
    pub(super) fn new(function: H) -> Self {
        Self(function, PhantomData)
    }
}

impl<M: 'static, H: MethodHandler<M>> Handler for Innermost<H, M> {
    fn run(&self, call: Call) -> NextFuture<'_> {
        self.0.run(call)
    }
}

macro_rules! handlers {
    ($($parameter:ident $via:ident),*) => {
        impl<F, Fut, $($parameter, $via),*> MethodHandler<(Fut, $(($parameter, $via),)*)> for F
        where
            F: Fn($($parameter),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output: IntoMethodResult> + Send + 'static,
            $($via: ParameterVia + 'static, $parameter: Parameter<$via> + Send + 'static,)*
        {
            fn run(&self, call: Call) -> NextFuture<'_> {
                Box::pin(async move {
                    #[allow(unused_mut, unused_variables, reason = "without parameters")]
                    let mut call = call;
                    let returned = self(
                        $(<$parameter as Parameter<$via>>::from_call(&mut call).await?),*
                    );
                    returned.await.into_method_result().map(Reply::from)
                })
            }

            fn describe(spec: &mut FunctionSpec) {
                const {
                    assert!(
                        0 $(+ <$parameter as Parameter<$via>>::IS_ARGS as usize)* <= 1,
                        "a method takes one struct of arguments: put all arguments into it"
                    );
                }
                let _ = &spec;
                $(<$parameter as Parameter<$via>>::describe(spec);)*
            }
        }

        impl<F, Fut, $($parameter, $via),*> sealed::Via<(Fut, $(($parameter, $via),)*)> for F
        where
            F: Fn($($parameter),*) -> Fut,
        {
        }
    };
}
handlers!();
handlers!(A VA);
handlers!(A VA, B VB);
handlers!(A VA, B VB, C VC);
handlers!(A VA, B VB, C VC, D VD);
handlers!(A VA, B VB, C VC, D VD, E VE);
handlers!(A VA, B VB, C VC, D VD, E VE, G VG);

mod sealed {
    pub trait Via<M> {}
}
