#[doc = include_str!("usage.md")]
fn usage() {}
/// The tool `usage`.
#[allow(non_camel_case_types, clippy::exhaustive_structs)]
struct usage {}
#[allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
const _: () = {
    #[automatically_derived]
    impl kit::__private::ToolFn for usage {
        fn describe(__spec: &mut kit::__private::ToolSpec) {
            __spec.name("disk.usage");
            __spec.description(::core::concat!(include_str!("usage.md")));
            __spec.blocking();
            __spec.output(<() as kit::__private::IntoToolResult>::output_schema);
        }
        fn call(__call: kit::__private::Call) -> kit::__private::HandlerFuture {
            ::std::boxed::Box::pin(async move {
                let __call = __call;
                kit::__private::run_blocking(
                        __call,
                        (),
                        |()| kit::__private::reply(
                            <() as kit::__private::IntoToolResult>::into_tool_result(
                                usage(),
                            ),
                        ),
                    )
                    .await
            })
        }
    }
};
