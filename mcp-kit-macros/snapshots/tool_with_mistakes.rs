#[allow(dead_code)]
/// Search the web.
#[cfg(feature = "web")]
pub async fn search_web(args: &SearchArgs) -> String {
    String::new()
}
#[cfg(feature = "web")]
#[doc(hidden)]
#[allow(non_camel_case_types)]
pub struct search_web {}
const _: () = {
    impl ::mcp_kit::__private::ToolFn for search_web {
        fn describe(_: &mut ::mcp_kit::__private::ToolSpec) {}
        fn call(_: ::mcp_kit::__private::Call) -> ::mcp_kit::__private::HandlerFuture {
            ::core::unreachable!()
        }
    }
};
::core::compile_error! {
    "a tool owns its arguments: take the type without `&`"
}
::core::compile_error! {
    "expected a whole number and a unit: `500ms`, `15s`, `2m` or `1h`"
}
