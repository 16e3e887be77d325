use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Seat {
    #[garde(skip)]
    row: u8,
}

/// Books a seat.
#[tool]
async fn book(client: Client) -> Result<String, ToolError> {
    let seat = client.elicit::<Seat>("Which seat?").await?;
    Ok(format!("{seat:?}"))
}

fn main() {}
