//! Snapshots of what the macros write. They show a reader what becomes of a
//! tool, and a reviewer what a change of the macros changes.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p mcp-kit-macros` records them.

use std::path::Path;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Item, Meta};

#[test]
fn a_tool() {
    let written = crate::handler::attribute::<crate::tool::Tool>(
        quote! {
            title = "Web search", read_only, destructive = false, idempotent, open_world = true,
            timeout = "15s", scope = "web:search", allow(unique_items, long_timeout)
        },
        quote! {
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
        },
    );
    compare("tool", written);
}

#[test]
fn a_blocking_tool_without_parameters() {
    let written = crate::handler::attribute::<crate::tool::Tool>(
        quote! { blocking, crate = kit, name = "disk.usage" },
        quote! {
            #[doc = include_str!("usage.md")]
            fn usage() {}
        },
    );
    compare("blocking_tool", written);
}

#[test]
fn a_tool_with_mistakes() {
    let written = crate::handler::attribute::<crate::tool::Tool>(
        quote! { timeout = "soon" },
        quote! {
            /// Search the web.
            #[cfg(feature = "web")]
            pub async fn search_web(args: &SearchArgs) -> String {
                String::new()
            }
        },
    );
    compare("tool_with_mistakes", written);
}

#[test]
fn a_prompt() {
    let written = crate::handler::attribute::<crate::prompt::Prompt>(
        quote! { title = "Code review", timeout = "5s", allow(long_name) },
        quote! {
            /// Reviews a file.
            async fn review(args: ReviewArgs, caller: Principal) -> Vec<PromptMessage> {
                messages(&args, &caller)
            }
        },
    );
    compare("prompt", written);
}

#[test]
fn a_resource() {
    let written = crate::handler::attribute::<crate::resource::Resource>(
        quote! {
            uri = "docs://{chapter}/{+path}{?draft}", mime_type = "text/markdown", audience(user),
            priority = 0.8, timeout = "15s"
        },
        quote! {
            /// A page of the manual.
            pub async fn page(args: PageArgs, uri: ResourceUri) -> Option<String> {
                find(&args.path)
            }
        },
    );
    compare("resource", written);
}

#[test]
fn arguments() {
    let written = crate::tool_args::tool_args(quote! {
        #[serde(rename_all = "camelCase")]
        #[tool_args(rule = "from must not be after to")]
        pub struct SearchArgs {
            #[garde(length(chars, min = 1, max = LONGEST), custom(no_operators))]
            #[tool_args(rule = "must not contain search operators")]
            query: String,
            #[serde(alias = "max_results", alias = "limit")]
            #[garde(range(min = -1, max = MOST))]
            max_results: Option<i64>,
            #[garde(length(max = 3), inner(length(chars, max = 20), prefix("#")))]
            tags: Vec<String>,
            #[serde(flatten)]
            #[garde(dive)]
            paging: Paging,
            #[tool_args(opaque)]
            #[serde(with = "seconds")]
            #[garde(skip)]
            since: Duration,
            #[serde(skip)]
            #[garde(skip)]
            cache: Cache,
        }
    });
    compare("arguments", written);
}

#[test]
fn a_generic_enum() {
    let written = crate::tool_args::tool_args(quote! {
        #[serde(tag = "by", rename_all = "snake_case", rename_all_fields = "camelCase")]
        #[tool_args(crate = kit)]
        enum Order<T: Validate<Context = ()>, U = u8> where T: Clone {
            Newest,
            #[serde(alias = "close")]
            NearTo { #[garde(range(min = -90.0, max = 90.0))] lat_deg: f64 },
            Other(#[garde(dive)] T),
            #[serde(skip)]
            Hidden(#[garde(skip)] U),
        }
    });
    compare("generic_enum", written);
}

#[test]
fn arguments_with_mistakes() {
    let written = crate::tool_args::tool_args(quote! {
        struct Args {
            #[garde(custom(f))]
            query: String,
        }
    });
    compare("arguments_with_mistakes", written);
}

#[track_caller]
fn compare(name: &str, written: TokenStream) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("snapshots/{name}.rs"));
    let written = text(written);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &written).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let recorded = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        recorded, written,
        "the expansion of `{name}` has changed: read it, then record it with UPDATE_SNAPSHOTS=1"
    );
}

/// Returns the items as rustfmt would write them. The additions of
/// `tool_function` to the type are shown after it, where rustc has them in the
/// end.
fn text(tokens: TokenStream) -> String {
    let mut file: syn::File = syn::parse2(tokens).unwrap();
    let items = std::mem::take(&mut file.items);
    for mut item in items {
        let mut added: Option<Item> = None;
        if let Item::Struct(of) = &mut item {
            of.attrs.retain(|attribute| match &attribute.meta {
                Meta::List(list) if list.path.segments.last().unwrap().ident == "tool_function" => {
                    added = Some(syn::parse2(list.tokens.clone()).unwrap());
                    false
                }
                _ => true,
            });
        }
        file.items.push(item);
        file.items.extend(added);
    }
    prettyplease::unparse(&file)
}
