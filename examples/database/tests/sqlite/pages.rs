//! Pages and their cursors.

use database::{Sqlite, limits};
use mcp_kit::{Principal, testing::TestClient};
use serde_json::json;

use crate::{
    sample,
    support::{FOREVER, ids_of_all_pages, query, server},
};

#[tokio::test]
async fn pages_join_to_the_whole_result() {
    let client = sample().await;
    let ids = ids_of_all_pages(&client, "orders").await;
    assert_eq!(ids, (11..=120).collect::<Vec<_>>());

    // A page that ends exactly with the result has no cursor.
    let exact = json!({"sql": "SELECT id FROM customers", "maxRows": 8});
    assert!(
        query(&client, exact)
            .await
            .expect("a page")
            .get("nextCursor")
            .is_none()
    );
}

#[tokio::test]
async fn a_page_ends_before_its_byte_limit_and_goes_on_with_the_cursor() {
    let client = sample().await;
    let sql = "SELECT printf('%.*c', 3000, 'x') FROM orders";
    let first = query(&client, json!({"sql": sql, "maxRows": 120}))
        .await
        .expect("a page");
    let count = first["rows"].as_array().map_or(0, Vec::len);
    assert!(count * 3000 < limits::PAGE_BYTES && count > 30, "{count}");
    let next = json!({"sql": sql, "maxRows": 500, "cursor": first["nextCursor"]});
    let next = query(&client, next).await.expect("a page");
    assert!(next["rows"].as_array().is_some_and(|rows| !rows.is_empty()));
}

#[tokio::test]
async fn cursors_of_others_forged_and_far_ones_are_refused() {
    let database = Sqlite::sample().expect("the sample");
    let server = server(database.query_time(FOREVER));
    let client = async |name: &str| {
        let caller = Principal::unrestricted(name);
        TestClient::builder(&server)
            .principal(caller)
            .connect()
            .await
    };
    let (ada, bob) = (client("ada").await, client("bob").await);
    let sql = "SELECT id FROM orders";
    let page = query(&ada, json!({"sql": sql, "maxRows": 1}))
        .await
        .expect("a page");
    let cursor = page["nextCursor"].as_str().expect("a cursor");
    let next = |sql: &str, cursor: &str| json!({"sql": sql, "maxRows": 1, "cursor": cursor});
    assert!(query(&ada, next(sql, cursor)).await.is_ok());
    for (client, arguments) in [
        (&bob, next(sql, cursor)),
        (&ada, next("SELECT id FROM customers", cursor)),
        (&ada, next(sql, "100")),
        (&ada, next(sql, &cursor.replace('A', "B"))),
        (
            &ada,
            json!({"sql": "SELECT id FROM orders", "params": [1], "cursor": cursor}),
        ),
    ] {
        let text = query(client, arguments)
            .await
            .expect_err("no cursor of theirs");
        assert!(text.contains("does not belong to this query"), "{text}");
    }
}
