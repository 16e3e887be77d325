const _: () = {
    #[automatically_derived]
    impl ::mcp_kit::__private::Shaped for SearchArgs {
        fn shape() -> &'static ::mcp_kit::__private::Shape {
            const {
                &::mcp_kit::__private::Shape::Struct(
                    &::mcp_kit::__private::StructShape {
                        name: "SearchArgs",
                        fields: &[
                            ::mcp_kit::__private::FieldShape {
                                rust: "query",
                                wire: "query",
                                aliases: &[],
                                flatten: false,
                                skipped: false,
                                default: false,
                                opaque: false,
                                rules: &[
                                    ::mcp_kit::__private::Rule::Length {
                                        mode: ::mcp_kit::__private::LengthMode::Chars,
                                        min: ::core::option::Option::Some(1),
                                        max: ::core::option::Option::Some(
                                            ::mcp_kit::__private::BoundOf(LONGEST).count(),
                                        ),
                                    },
                                    ::mcp_kit::__private::Rule::Custom,
                                ],
                                words: &["must not contain search operators"],
                                shape: <String as ::mcp_kit::__private::Shaped>::shape,
                            },
                            ::mcp_kit::__private::FieldShape {
                                rust: "max_results",
                                wire: "maxResults",
                                aliases: &["max_results", "limit"],
                                flatten: false,
                                skipped: false,
                                default: false,
                                opaque: false,
                                rules: &[
                                    ::mcp_kit::__private::Rule::Range {
                                        min: ::core::option::Option::Some(
                                            ::mcp_kit::__private::Bound::Int(-1),
                                        ),
                                        max: ::core::option::Option::Some(
                                            ::mcp_kit::__private::BoundOf(MOST).bound(),
                                        ),
                                    },
                                ],
                                words: &[],
                                shape: <Option<i64> as ::mcp_kit::__private::Shaped>::shape,
                            },
                            ::mcp_kit::__private::FieldShape {
                                rust: "tags",
                                wire: "tags",
                                aliases: &[],
                                flatten: false,
                                skipped: false,
                                default: false,
                                opaque: false,
                                rules: &[
                                    ::mcp_kit::__private::Rule::Length {
                                        mode: ::mcp_kit::__private::LengthMode::Simple,
                                        min: ::core::option::Option::None,
                                        max: ::core::option::Option::Some(3),
                                    },
                                    ::mcp_kit::__private::Rule::Inner(
                                        &[
                                            ::mcp_kit::__private::Rule::Length {
                                                mode: ::mcp_kit::__private::LengthMode::Chars,
                                                min: ::core::option::Option::None,
                                                max: ::core::option::Option::Some(20),
                                            },
                                            ::mcp_kit::__private::Rule::Prefix("#"),
                                        ],
                                    ),
                                ],
                                words: &[],
                                shape: <Vec<String> as ::mcp_kit::__private::Shaped>::shape,
                            },
                            ::mcp_kit::__private::FieldShape {
                                rust: "paging",
                                wire: "paging",
                                aliases: &[],
                                flatten: true,
                                skipped: false,
                                default: false,
                                opaque: false,
                                rules: &[::mcp_kit::__private::Rule::Dive],
                                words: &[],
                                shape: <Paging as ::mcp_kit::__private::Shaped>::shape,
                            },
                            ::mcp_kit::__private::FieldShape {
                                rust: "since",
                                wire: "since",
                                aliases: &[],
                                flatten: false,
                                skipped: false,
                                default: false,
                                opaque: true,
                                rules: &[::mcp_kit::__private::Rule::Skip],
                                words: &[],
                                shape: <() as ::mcp_kit::__private::Shaped>::shape,
                            },
                            ::mcp_kit::__private::FieldShape {
                                rust: "cache",
                                wire: "cache",
                                aliases: &[],
                                flatten: false,
                                skipped: true,
                                default: false,
                                opaque: false,
                                rules: &[],
                                words: &[],
                                shape: <() as ::mcp_kit::__private::Shaped>::shape,
                            },
                        ],
                        allow_unknown: false,
                        words: &["from must not be after to"],
                    },
                )
            }
        }
    }
    #[automatically_derived]
    impl ::mcp_kit::__private::ToolArgs for SearchArgs {
        fn __spec() -> ::mcp_kit::__private::ArgsSpec {
            use ::mcp_kit::__private::{MissingDerive as _, NotDerived as _};
            #[deny(unused_must_use)]
            let _: () = {
                <::mcp_kit::__private::Derived<SearchArgs>>::deserialize()
                    .json_schema()
                    .validate();
                <::mcp_kit::__private::Derived<SearchArgs>>::send();
            };
            <::mcp_kit::__private::Derived<SearchArgs>>::of()
        }
    }
};
