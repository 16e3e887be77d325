use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Page {
    #[garde(range(max = 50))]
    most: u8,
    offset: Option<u64>,
}

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(tag = "kind")]
enum Filter {
    Tag {
        #[garde(lenght(max = 4))]
        tag: String,
    },
}

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Args {
    #[garde(dive)]
    pages: Vec<Page>,
    #[garde(dive)]
    filter: Option<Filter>,
}

/// Search the web.
#[tool]
async fn search(args: Args) -> String {
    let _ = args.pages;
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
