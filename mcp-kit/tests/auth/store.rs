//! Keys in a database.

use std::error::Error;
use std::time::SystemTime;

use mcp_kit::async_trait;
use mcp_kit::auth::{ApiKeys, KeyDigest, KeyEntry, KeyStore};

use crate::support::{ask, name};

/// Knows `good-key`; breaks for `broken-key`.
struct Store;

#[async_trait]
impl KeyStore for Store {
    async fn find(
        &self,
        digest: &KeyDigest,
    ) -> Result<Option<KeyEntry>, Box<dyn Error + Send + Sync>> {
        let is = |key| *digest == KeyDigest::of(key);
        if is("good-key") {
            Ok(Some(KeyEntry::new("alice").scopes(["admin"])))
        } else if is("old-key") {
            Ok(Some(KeyEntry::new("alice").expires(SystemTime::UNIX_EPOCH)))
        } else if is("odd-key") {
            Ok(Some(KeyEntry::new("issuer.example#alice")))
        } else if is("broken-key") {
            Err("connection refused".into())
        } else {
            Ok(None)
        }
    }
}

#[tokio::test]
async fn a_store_answers_for_digests() {
    let keys = ApiKeys::from_store(Store);
    let alice = ask(&keys, "good-key").await.unwrap().unwrap();
    assert!(alice.name() == "alice" && alice.has_scope("admin"));
    assert_eq!(name(&keys, "unknown-key").await, None);
    assert_eq!(
        ask(&keys, "old-key").await.unwrap_err().reason(),
        Some("the key has expired")
    );
}

#[tokio::test]
async fn a_store_that_fails_or_answers_nonsense_closes_the_door() {
    let keys = ApiKeys::from_store(Store);
    let error = ask(&keys, "broken-key").await.unwrap_err();
    assert!(error.is_unavailable());
    assert!(!error.to_string().contains("connection refused"));
    assert_eq!(error.source().unwrap().to_string(), "connection refused");
    // A name that could be that of a caller of another kind.
    let error = ask(&keys, "odd-key").await.unwrap_err();
    assert!(error.is_unavailable() && error.reason().is_none());
}
