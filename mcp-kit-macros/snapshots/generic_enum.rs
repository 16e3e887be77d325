const _: () = {
    #[automatically_derived]
    impl<T: Validate<Context = ()>, U> kit::__private::Shaped for Order<T, U>
    where
        T: Clone,
        T: kit::__private::Shaped,
    {
        fn shape() -> &'static kit::__private::Shape {
            const {
                &kit::__private::Shape::Enum(
                    &kit::__private::EnumShape {
                        name: "Order",
                        repr: kit::__private::Repr::Internal {
                            tag: "by",
                        },
                        variants: &[
                            kit::__private::VariantShape {
                                rust: "Newest",
                                wire: "newest",
                                aliases: &[],
                                kind: kit::__private::VariantKind::Unit,
                            },
                            kit::__private::VariantShape {
                                rust: "NearTo",
                                wire: "near_to",
                                aliases: &["close"],
                                kind: kit::__private::VariantKind::Struct(
                                    &[
                                        kit::__private::FieldShape {
                                            rust: "lat_deg",
                                            wire: "latDeg",
                                            aliases: &[],
                                            flatten: false,
                                            skipped: false,
                                            default: false,
                                            opaque: false,
                                            rules: &[
                                                kit::__private::Rule::Range {
                                                    min: ::core::option::Option::Some(
                                                        kit::__private::Bound::Float(-90f64),
                                                    ),
                                                    max: ::core::option::Option::Some(
                                                        kit::__private::Bound::Float(90f64),
                                                    ),
                                                },
                                            ],
                                            words: &[],
                                            shape: <f64 as kit::__private::Shaped>::shape,
                                        },
                                    ],
                                ),
                            },
                            kit::__private::VariantShape {
                                rust: "Other",
                                wire: "other",
                                aliases: &[],
                                kind: kit::__private::VariantKind::Newtype(kit::__private::FieldShape {
                                    rust: "0",
                                    wire: "0",
                                    aliases: &[],
                                    flatten: false,
                                    skipped: false,
                                    default: false,
                                    opaque: false,
                                    rules: &[kit::__private::Rule::Dive],
                                    words: &[],
                                    shape: <T as kit::__private::Shaped>::shape,
                                }),
                            },
                        ],
                    },
                )
            }
        }
    }
    #[automatically_derived]
    impl<T: Validate<Context = ()>, U> kit::__private::ToolArgs for Order<T, U>
    where
        T: Clone,
        T: kit::__private::Shaped,
        Self: kit::__private::DerivesDeserialize + kit::__private::DerivesJsonSchema
            + kit::__private::DerivesValidate + ::core::marker::Send + 'static,
    {
        fn __spec() -> kit::__private::ArgsSpec {
            kit::__private::ArgsSpec::of::<Order<T, U>>()
        }
    }
};
