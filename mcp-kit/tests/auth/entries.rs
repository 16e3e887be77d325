//! Entries as `MCP_API_KEYS` has them, and keys given in code.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue};
use mcp_kit::auth::{ApiKeys, Authenticator, Credentials, KeyDigest, KeyEntry};

use crate::support::{ask, name};
use crate::{log, support};

#[tokio::test]
async fn entries_name_their_holders_and_scopes() {
    let keys = ApiKeys::from_list("alice:alice-key:admin,bob:bob-key, carol:c-key:files:read+b ,")
        .unwrap();
    let alice = ask(&keys, "alice-key").await.unwrap().unwrap();
    assert_eq!(alice.name(), "alice");
    assert!(alice.has_scope("admin") && !alice.has_scope("read"));
    let bob = ask(&keys, "bob-key").await.unwrap().unwrap();
    assert!(bob.name() == "bob" && !bob.has_scope("admin") && !bob.has_scope(""));
    let carol = ask(&keys, "c-key").await.unwrap().unwrap();
    assert!(carol.has_scope("files:read") && carol.has_scope("b") && !carol.has_scope("files"));
    for unknown in [
        "alice-ke",
        "alice-key2",
        "ALICE-KEY",
        "alice",
        "admin",
        "alice:alice-key",
    ] {
        assert_eq!(name(&keys, unknown).await, None, "{unknown}");
    }
}

#[tokio::test]
async fn a_key_is_taken_from_either_header() {
    let keys = ApiKeys::from_list("alice:alice-key").unwrap();
    for (header, value) in [
        ("x-api-key", "alice-key"),
        ("authorization", "Bearer alice-key"),
        ("authorization", "bearer alice-key"),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(header, HeaderValue::from_static(value));
        let credentials = Credentials::read(&headers).unwrap();
        let alice = keys.authenticate(&credentials).await.unwrap().unwrap();
        assert_eq!(alice.name(), "alice");
    }
    let nothing = HeaderMap::new();
    let credentials = Credentials::read(&nothing).unwrap();
    assert!(keys.authenticate(&credentials).await.unwrap().is_none());
    assert_eq!(keys.challenge().unwrap(), "Bearer realm=\"mcp\"");
}

#[tokio::test]
async fn keys_without_names_are_named_after_their_digests() {
    let keys = ApiKeys::from_list("abc,another-key").unwrap();
    // printf abc | sha256sum
    assert_eq!(name(&keys, "abc").await.unwrap(), "key-ba7816bf");
    let other = name(&keys, "another-key").await.unwrap();
    assert!(
        other.starts_with("key-") && other.len() == 12 && other != "key-ba7816bf",
        "{other}"
    );
}

#[tokio::test]
async fn keys_may_look_as_generators_write_them() {
    let written = [
        "Zm9vYmFy+/Zm9vYg==",
        "k=v-of-a-named-one",
        "pass|word&(x)!$^",
        "a'quote",
        "$money$",
    ];
    let entries: Vec<_> = (written.iter().zip(1..))
        .map(|(key, number)| format!("user-{number}:{key}"))
        .collect();
    let keys = ApiKeys::from_list(&format!("{},YmFyZQ==", entries.join(","))).unwrap();
    for (key, number) in written.iter().zip(1..) {
        assert_eq!(name(&keys, key).await.unwrap(), format!("user-{number}"));
    }
    assert!(name(&keys, "YmFyZQ==").await.unwrap().starts_with("key-"));
    let folder = support::Folder::new("separators");
    let error = ApiKeys::from_file(folder.private("keys", "a:one;b:two\n")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("line 1: there is a `;` in it; give each entry its own line")
    );
}

#[tokio::test]
async fn a_digest_is_accepted_in_place_of_its_key() {
    let digest = KeyDigest::of("the-key").to_hex();
    let keys = ApiKeys::from_list(&format!("alice:sha256={digest}:admin")).unwrap();
    let alice = ask(&keys, "the-key").await.unwrap().unwrap();
    assert!(alice.name() == "alice" && alice.has_scope("admin"));
    // The digest itself opens nothing.
    assert_eq!(name(&keys, &digest).await, None);
    assert_eq!(name(&keys, &format!("sha256={digest}")).await, None);
}

#[tokio::test]
async fn a_name_may_have_two_keys_while_one_replaces_the_other() {
    let keys = ApiKeys::from_list("a:old-key:read,a:new-key:read+write,a:dead expires=2020-01-01")
        .unwrap();
    let old = ask(&keys, "old-key").await.unwrap().unwrap();
    let new = ask(&keys, "new-key").await.unwrap().unwrap();
    assert_eq!(old.name(), new.name());
    assert!(!old.has_scope("write") && new.has_scope("write"));
    let error = ApiKeys::from_list("a:one,b:x,a:two,a:three").unwrap_err();
    assert_eq!(
        error.to_string(),
        "list of API keys: entry 4: its name has 2 active keys already (entry 1 and entry 3); \
         remove one that is no longer used"
    );
}

#[tokio::test]
async fn an_expired_key_is_refused_with_the_reason() {
    let keys = ApiKeys::from_list(
        "a:past expires=2020-01-01,b:past-too expires=2020-01-01T00:00:00Z,c:future expires=9999-01-01",
    )
    .unwrap();
    for past in ["past", "past-too"] {
        let error = ask(&keys, past).await.unwrap_err();
        assert_eq!(error.reason(), Some("the key has expired"));
    }
    assert_eq!(name(&keys, "future").await.unwrap(), "c");
}

#[test]
fn each_mistake_is_named_by_its_entry_alone() {
    for (list, expected) in [
        ("", "there are no keys in it"),
        (" , ,", "there are no keys in it"),
        (":secret", "entry 1: the name is empty"),
        ("ok:fine,secret:", "entry 2: the key is empty"),
        ("secret::read", "entry 1: the key is empty"),
        ("a/secret:key", "entry 1: the name may hold letters"),
        ("anonymous:secret", "entry 1: `anonymous` and `local`"),
        ("local:secret", "entry 1: `anonymous` and `local`"),
        ("secret:k:", "entry 1: a scope is empty"),
        ("secret:k:read++write", "entry 1: a scope is empty"),
        ("secret:k:\"read\"", "entry 1: a scope is one word"),
        (
            "secret:sha256=12",
            "entry 1: `sha256=` takes the 64 hexadecimal digits",
        ),
        ("sécrét:key", "entry 1: the name may hold letters"),
        (
            "name:sécrét",
            "entry 1: the key contains characters other than visible ASCII",
        ),
        ("a:secret two", "entry 1: only one `expires=…`"),
        (
            "a:secret expires=2027-01-01 expires=2027-01-01",
            "entry 1: only one `expires=…`",
        ),
        ("a:secret expires=soon", "entry 1: `expires=` takes a date"),
        (
            "a:secret,b:secret",
            "entry 2: the key is also that of entry 1",
        ),
        ("secret,secret", "entry 2: the key is also that of entry 1"),
        (
            "a:secret1;b:secret2",
            "entry 1: there is a `;` in it; separate entries by commas",
        ),
        ("secret1;secret2", "entry 1: there is a `;` in it"),
        (
            "a:secret1|b:secret2",
            "entry 1: there is a `:` behind a `|`",
        ),
        (
            "a:secret1&b:secret2",
            "entry 1: there is a `:` behind a `|` or `&`",
        ),
        ("a:${SECRET}", "entry 1: the key is a variable"),
        ("a:$SECRET_2:admin", "entry 1: the key is a variable"),
        ("%SECRET%", "entry 1: the key is a variable"),
        ("a:{{secret}}", "entry 1: the key is a variable"),
        (
            "alice=secret",
            "entry 1: there is a `=` in it and no name; write `name:key`",
        ),
        (
            "alice=secret==",
            "entry 1: there is a `=` in it and no name",
        ),
        (
            "a:fine-key,bob=secret",
            "entry 2: there is a `=` in it and no name",
        ),
        ("a:\"secret\"", "entry 1: the key is in quotes"),
        ("a:'secret':admin", "entry 1: the key is in quotes"),
        ("a:<secret>", "entry 1: the key is in quotes or brackets"),
        (
            "a:sha256:secret",
            "entry 1: a digest is written `name:sha256=…`",
        ),
        (
            "sha256:secret",
            "entry 1: a digest is written `name:sha256=…`",
        ),
        ("a:SHA256=secret", "entry 1: the key looks like a digest"),
        ("a:sha512=secret", "entry 1: the key looks like a digest"),
        ("a:$2b$12$secret", "entry 1: the key looks like a digest"),
        (
            "a:$argon2id$v=19$secret",
            "entry 1: the key looks like a digest",
        ),
        (
            "abc,key-ba7816bf:secret",
            "entry 2: the name is also that of entry 1",
        ),
    ] {
        let error = ApiKeys::from_list(list).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("list of API keys: {expected}")),
            "{list}: {text}"
        );
        for shown in [text, format!("{error:?}")] {
            assert!(!shown.contains("secret") && !shown.contains('é'), "{shown}");
        }
    }
}

#[test]
fn all_mistakes_are_reported_at_once_up_to_a_limit() {
    let error = ApiKeys::from_list("a:,fine:key,:b")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("entry 1: ") && error.contains("; entry 3: "),
        "{error}"
    );
    let many = "a:,".repeat(1000);
    let error = ApiKeys::from_list(&many).unwrap_err().to_string();
    assert!(
        error.len() < 1000 && error.ends_with("; and 990 more"),
        "{error}"
    );
}

#[test]
fn short_keys_are_accepted_with_a_warning() {
    log::capture();
    let folder = support::Folder::new("short");
    let path = folder.private("keys", "a:hunter2-hunter2-\nb:hunter2-hunter2\n");
    ApiKeys::from_file(&path).unwrap();
    let lines = log::lines_with(path.to_str().unwrap());
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("WARN") && lines[0].contains("line 2: "),
        "{lines:?}"
    );
    assert!(!lines[0].contains("hunter2"), "{lines:?}");
}

#[tokio::test]
async fn keys_can_be_given_in_code() {
    let soon = SystemTime::now() + Duration::from_secs(3600);
    let keys = ApiKeys::builder()
        .key("alice", "alice-key")
        .key(
            KeyEntry::new("bob").scopes(["admin"]).expires(soon),
            "bob-key",
        )
        .key(KeyEntry::new("eve").expires(SystemTime::now()), "eve-key")
        .digest("carol", KeyDigest::of("carol-key"))
        .build()
        .unwrap();
    assert_eq!(name(&keys, "alice-key").await.unwrap(), "alice");
    assert_eq!(name(&keys, "carol-key").await.unwrap(), "carol");
    assert!(
        ask(&keys, "bob-key")
            .await
            .unwrap()
            .unwrap()
            .has_scope("admin")
    );
    assert!(ask(&keys, "eve-key").await.is_err());
    let error = ApiKeys::builder()
        .key("alice", "")
        .key("bob", "two words")
        .key(KeyEntry::new("bob").scopes(["a b"]), "key")
        .build()
        .unwrap_err()
        .to_string();
    for entry in [
        "entry 1: the key is empty",
        "entry 2: the key contains",
        "entry 3: a scope is one",
    ] {
        assert!(error.contains(entry), "{error}");
    }
}

#[test]
fn debug_shows_neither_keys_nor_digests() {
    let digest = KeyDigest::of("hunter2").to_hex();
    let builder = ApiKeys::builder().key("alice", "hunter2");
    let shown = format!("{builder:?} {:?} {:?}", builder, KeyDigest::of("hunter2"));
    let shown = format!("{shown} {:?}", ApiKeys::from_list("alice:hunter2").unwrap());
    assert!(
        !shown.contains("hunter2") && !shown.contains(&digest[..8]),
        "{shown}"
    );
    assert!(shown.contains("keys: Some(1)"), "{shown}");
}
