//! A type that serde decodes again and again: three untagged variants share the
//! member through which it is recursive.

use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(untagged)]
#[allow(dead_code)] // The numbers are only decoded.
enum Expression {
    Add {
        #[garde(dive)]
        of: Option<Box<Expression>>,
        #[garde(skip)]
        add: i32,
    },
    Times {
        #[garde(dive)]
        of: Option<Box<Expression>>,
        #[garde(skip)]
        times: i32,
    },
    Minus {
        #[garde(dive)]
        of: Option<Box<Expression>>,
        #[garde(skip)]
        minus: i32,
    },
}

impl Expression {
    /// How many levels it has; the numbers only tell the variants apart.
    fn levels(&self) -> usize {
        let (Self::Add { of, add: _ }
        | Self::Times { of, times: _ }
        | Self::Minus { of, minus: _ }) = self;
        1 + of.as_deref().map_or(0, Self::levels)
    }
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Calculation {
    /// What to calculate.
    #[garde(dive)]
    expression: Expression,
}

/// Counts the levels of an expression.
#[tool(read_only, idempotent)]
async fn levels(args: Calculation) -> String {
    args.expression.levels().to_string()
}

/// Adds the tool.
pub(crate) fn register(server: mcp_kit::server::ServerBuilder) -> mcp_kit::server::ServerBuilder {
    server.tool::<levels>()
}
