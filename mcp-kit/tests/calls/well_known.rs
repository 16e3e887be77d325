//! Dates, identifiers, URLs, decimals and durations as arguments of a tool: what
//! is listed, what the function gets, and what a wrong call reads.

use std::net::SocketAddr;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use mcp_kit::prelude::*;
use mcp_kit::testing::{TestClient, assert_schema_agrees};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use url::Url;
use uuid::Uuid;

#[derive(Debug, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "lowercase")]
enum Priority {
    Low,
    High,
}

#[allow(dead_code, reason = "read through Debug")]
#[derive(Debug, Deserialize, JsonSchema, garde::Validate, ToolArgs)]
struct Plan {
    /// The last day.
    #[garde(skip)]
    due: Option<NaiveDate>,
    #[garde(length(max = 5))]
    meetings: Vec<DateTime<Utc>>,
    #[garde(skip)]
    id: Uuid,
    #[garde(skip)]
    page: Url,
    #[garde(skip)]
    price: Decimal,
    #[garde(skip)]
    remind: Duration,
    #[garde(skip)]
    server: SocketAddr,
    #[garde(skip)]
    priority: Priority,
}

/// Plans.
#[tool]
async fn plan(args: Plan) -> String {
    format!("{args:?}")
}

#[tokio::test]
async fn well_known_types_are_arguments_without_an_attribute() {
    assert_schema_agrees::<Plan>();
    let server = Server::builder("test", "1").tool::<plan>().build().unwrap();
    let schema = server.tools()[0].input_schema().clone();
    let properties = &schema["properties"];
    assert_eq!(
        properties["due"],
        json!({"type": "string", "format": "date", "description": "The last day."})
    );
    assert_eq!(properties["meetings"]["items"]["format"], "date-time");
    assert_eq!(
        properties["id"],
        json!({"type": "string", "format": "uuid"})
    );
    assert_eq!(
        properties["page"],
        json!({"type": "string", "format": "uri"})
    );
    assert_eq!(properties["priority"]["enum"], json!(["low", "high"]));

    let client = TestClient::new(&server).await;
    let good = json!({
        "due": "2026-12-31", "meetings": ["2026-12-01T09:30:00+01:00"],
        "id": "67e55044-10b1-426f-9247-bb680e5fe0c8", "page": "https://example.com/a",
        "price": "12.50", "remind": {"secs": 90, "nanos": 0}, "server": "192.0.2.1:80",
        "priority": "high",
    });
    let answer = client.call("plan", good).await;
    assert!(!answer.is_error(), "{answer:?}");
    let text = answer.text();
    for part in [
        "2026-12-31",
        "2026-12-01T08:30:00Z",
        "12.50",
        "90s",
        "192.0.2.1:80",
        "High",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }

    let bad = json!({
        "due": "tomorrow", "meetings": ["2026-12-01"], "id": "7", "page": "example.com",
        "price": "12,50", "remind": "90s", "server": "localhost:80", "priority": "urgent",
    });
    let answer = client.call("plan", bad).await;
    assert!(answer.is_error());
    assert_eq!(
        answer.text(),
        "Invalid arguments: due: must be a date such as 2026-12-31; id: must be a UUID such as \
         67e55044-10b1-426f-9247-bb680e5fe0c8; meetings[0]: must be a date and time with an \
         offset such as 2026-12-31T09:30:00Z; page: must be a URL such as \
         https://example.com/page; price: must be a decimal number such as 12.50; priority: must \
         be \"low\" or \"high\"; remind: must be a \
         duration in seconds and nanoseconds such as {\"secs\": 90, \"nanos\": 0}; server: must be an IP address with a \
         port such as 192.0.2.1:8080 or [2001:db8::1]:8080"
    );
}
