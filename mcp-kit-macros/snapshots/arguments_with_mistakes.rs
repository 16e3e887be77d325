const _: () = {
    impl ::mcp_kit::__private::Shaped for Args {
        fn shape() -> &'static ::mcp_kit::__private::Shape {
            &::mcp_kit::__private::Shape::Leaf
        }
    }
    impl ::mcp_kit::__private::ToolArgs for Args
    where
        Self: 'static,
    {
        fn __spec() -> ::mcp_kit::__private::ArgsSpec {
            ::core::unreachable!()
        }
    }
};
::core::compile_error! {
    "a JSON Schema cannot express what `custom` checks: describe it for the model with `#[tool_args(rule = \"must …\")]`"
}
