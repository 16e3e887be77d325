/// Reviews a file.
async fn review(args: ReviewArgs, caller: Principal) -> Vec<PromptMessage> {
    messages(&args, &caller)
}
/// Reviews a file.
#[allow(non_camel_case_types, clippy::exhaustive_structs)]
struct review {}
#[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
const _: () = {
    type __T0 = ReviewArgs;
    type __T1 = Principal;
    type __T2 = Vec<PromptMessage>;
    #[automatically_derived]
    impl ::mcp_kit::__private::PromptFn for review {
        fn describe(__spec: &mut ::mcp_kit::__private::PromptSpec) {
            __spec.name("review");
            __spec.title("Code review");
            __spec.description("Reviews a file.");
            __spec.timeout(::core::time::Duration::from_millis(5000u64));
            __spec.accept_warning(::mcp_kit::__private::WarningCode::LongName);
            <__T0 as ::mcp_kit::__private::Parameter<_>>::describe(__spec);
            <__T1 as ::mcp_kit::__private::Parameter<_>>::describe(__spec);
        }
        fn call(
            __call: ::mcp_kit::__private::Call,
        ) -> ::mcp_kit::__private::HandlerFuture {
            ::std::boxed::Box::pin(async move {
                let mut __call = __call;
                let __p0 = <__T0 as ::mcp_kit::__private::Parameter<
                    _,
                >>::from_call(&mut __call)
                    .await?;
                let __p1 = <__T1 as ::mcp_kit::__private::Parameter<
                    _,
                >>::from_call(&mut __call)
                    .await?;
                ::mcp_kit::__private::reply(
                    <__T2 as ::mcp_kit::__private::IntoPromptResult>::into_prompt_result(
                        review(__p0, __p1).await,
                    ),
                )
            })
        }
    }
    const _: () = if <__T1 as ::mcp_kit::__private::Parameter<_>>::IS_ARGS
        && (<__T0 as ::mcp_kit::__private::Parameter<_>>::IS_ARGS)
    {
        ::core::panic!(
            "a prompt takes one argument struct, and this is the second: put all arguments into one"
        )
    };
};
