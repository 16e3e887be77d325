/// A page of the manual.
pub async fn page(args: PageArgs, uri: ResourceUri) -> Option<String> {
    find(&args.path)
}
/// A page of the manual.
#[allow(non_camel_case_types, clippy::exhaustive_structs)]
pub struct page {}
#[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
const _: () = {
    type __T0 = PageArgs;
    type __T1 = ResourceUri;
    type __T2 = Option<String>;
    #[automatically_derived]
    impl ::mcp_kit::__private::ResourceFn for page {
        fn describe(__spec: &mut ::mcp_kit::__private::ResourceSpec) {
            __spec.name("page");
            __spec.description("A page of the manual.");
            __spec.timeout(::core::time::Duration::from_millis(15000u64));
            <__T0 as ::mcp_kit::__private::Parameter<_>>::describe(__spec);
            <__T1 as ::mcp_kit::__private::Parameter<_>>::describe(__spec);
            __spec.uri("docs://{chapter}/{+path}{?draft}");
            __spec.mime_type("text/markdown");
            __spec.audience(::mcp_kit::__private::Role::User);
            __spec.priority(0.8);
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
                    <__T2 as ::mcp_kit::__private::IntoResourceResult>::into_resource_result(
                        page(__p0, __p1).await,
                    ),
                )
            })
        }
    }
    const _: () = if <__T1 as ::mcp_kit::__private::Parameter<_>>::IS_ARGS
        && (<__T0 as ::mcp_kit::__private::Parameter<_>>::IS_ARGS)
    {
        ::core::panic!(
            "a resource takes one argument struct, and this is the second: put all arguments into one"
        )
    };
};
