/// Search the web.
///
/// - quickly
#[cfg(feature = "web")]
pub(crate) async fn search_web(
    args: SearchArgs,
    State(web): State<Web>,
) -> Result<Json<Hits>, ToolError> {
    web.search(&args.query).await
}
#[cfg(feature = "web")]
/// Search the web.
///
/// - quickly
#[allow(non_camel_case_types, clippy::exhaustive_structs)]
pub(crate) struct search_web {}
#[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
const _: () = {
    type __T0 = SearchArgs;
    type __T1 = State<Web>;
    type __T2 = Result<Json<Hits>, ToolError>;
    #[automatically_derived]
    impl ::mcp_kit::__private::ToolFn for search_web {
        fn describe(__spec: &mut ::mcp_kit::__private::ToolSpec) {
            __spec.name("search_web");
            __spec.title("Web search");
            __spec.description("Search the web.\n\n- quickly");
            __spec.timeout(::core::time::Duration::from_millis(15000u64));
            __spec.scope("web:search");
            __spec.accept_warning(::mcp_kit::__private::WarningCode::UniqueItems);
            __spec.accept_warning(::mcp_kit::__private::WarningCode::LongTimeout);
            <__T0 as ::mcp_kit::__private::Parameter<_>>::describe(__spec);
            <__T1 as ::mcp_kit::__private::Parameter<_>>::describe(__spec);
            __spec.read_only(true);
            __spec.destructive(false);
            __spec.idempotent(true);
            __spec.open_world(true);
            __spec.output(<__T2 as ::mcp_kit::__private::IntoToolResult>::output_schema);
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
                    <__T2 as ::mcp_kit::__private::IntoToolResult>::into_tool_result(
                        search_web(__p0, __p1).await,
                    ),
                )
            })
        }
    }
    const _: () = if <__T1 as ::mcp_kit::__private::Parameter<_>>::IS_ARGS
        && (<__T0 as ::mcp_kit::__private::Parameter<_>>::IS_ARGS)
    {
        ::core::panic!(
            "a tool takes one argument struct, and this is the second: put all arguments into one"
        )
    };
};
