//! The issuer's keys: when they are fetched, and what happens when they cannot
//! be.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::issuer::{Answer, Issuer, ask, known, refused};
use crate::signer::Signer;

const NO_SUCH_KEY: &str = "the token names no key that its issuer publishes";

/// Lets time pass for all that waits for it, in no time. Sockets are real, so
/// the clock runs otherwise.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

#[tokio::test]
async fn keys_are_fetched_once_for_all_who_wait() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    let oauth = Arc::new(issuer.oauth());
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (oauth, token) = (Arc::clone(&oauth), signer.token("k1", &issuer.claims()));
            tokio::spawn(async move { known(ask(&oauth, &token).await) })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(issuer.key_fetches(), 1);
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let (old, new) = (Signer::es256(), Signer::rs256());
    let issuer = Issuer::with(&old).await;
    let oauth = issuer.oauth();
    oauth.fetch_keys().await.unwrap();
    pass(minutes(1)).await;
    issuer.publish([old.jwk("k1"), new.jwk("k2")]);
    known(ask(&oauth, &new.token("k2", &issuer.claims())).await);
    known(ask(&oauth, &old.token("k1", &issuer.claims())).await);
    assert_eq!(issuer.key_fetches(), 2);
}

#[tokio::test]
async fn a_withdrawn_key_is_dropped_when_the_keys_are_old() {
    let (old, new) = (Signer::es256(), Signer::es256());
    let issuer = Issuer::with(&old).await;
    let oauth = issuer.oauth();
    let token = old.token("k1", &issuer.claims());
    known(ask(&oauth, &token).await);
    issuer.publish([new.jwk("k2")]);
    // Fetched behind this call, which is not held up.
    pass(minutes(11)).await;
    known(ask(&oauth, &token).await);
    while issuer.key_fetches() < 2 {
        issuer.was_asked().await;
    }
    known(ask(&oauth, &new.token("k2", &issuer.claims())).await);
    pass(minutes(1)).await;
    assert_eq!(refused(ask(&oauth, &token).await), NO_SUCH_KEY);
}

#[tokio::test]
async fn random_key_ids_do_not_make_the_server_hammer_the_issuer() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    let oauth = issuer.oauth();
    for id in 0..100 {
        let token = signer.token(&format!("random-{id}"), &issuer.claims());
        assert_eq!(refused(ask(&oauth, &token).await), NO_SUCH_KEY);
    }
    assert_eq!(issuer.key_fetches(), 1);
    known(ask(&oauth, &signer.token("k1", &issuer.claims())).await);
}

#[tokio::test]
async fn every_key_is_tried_that_may_be_the_tokens() {
    let (one, two, forger) = (Signer::es256(), Signer::es256(), Signer::es256());
    let without_id = |signer: &Signer| {
        let mut key = signer.jwk("");
        key.as_object_mut().unwrap().remove("kid");
        key
    };
    let named = |signer: &Signer, issuer: &Issuer| signer.token("k1", &issuer.claims());
    let nameless = |signer: &Signer, issuer: &Issuer| {
        signer.token_with(&json!({"alg": "ES256"}), &issuer.claims())
    };
    let issuer = Issuer::with(&one).await;
    const FORGED: &str = "the token's signature is not its issuer's";
    type Sign<'a> = &'a dyn Fn(&Signer, &Issuer) -> String;
    let both = [one.jwk("k1"), two.jwk("k1")];
    let other = [Signer::rs256().jwk("k1"), two.jwk("k1"), one.jwk("k1")];
    let apart = [one.jwk("k1"), two.jwk("k2")];
    let bare = [
        without_id(&one),
        Signer::rs256().jwk("k9"),
        without_id(&two),
    ];
    for (keys, sign, refusal) in [
        // Two keys of one name, also of two kinds.
        (both.to_vec(), &named as Sign<'_>, FORGED),
        (other.to_vec(), &named, FORGED),
        // The token does not say which one.
        (apart.to_vec(), &nameless, FORGED),
        // The keys do not, the token does or does not.
        (bare.to_vec(), &named, NO_SUCH_KEY),
        (bare.to_vec(), &nameless, FORGED),
    ] {
        issuer.publish(keys);
        let oauth = issuer.oauth();
        for signer in [&one, &two] {
            known(ask(&oauth, &sign(signer, &issuer)).await);
        }
        assert_eq!(refused(ask(&oauth, &sign(&forger, &issuer)).await), refusal);
    }
    // The work is bounded.
    let many = (0..20).map(|id| Signer::es256().jwk(&format!("k{id}")));
    issuer.publish(many.chain([one.jwk("k20")]));
    let outcome = ask(&issuer.oauth(), &nameless(&one, &issuer)).await;
    assert_eq!(refused(outcome), "the token does not name its key");
}

#[tokio::test]
async fn a_new_key_without_a_name_is_fetched_when_a_token_needs_it() {
    let (old, new) = (Signer::es256(), Signer::es256());
    let issuer = Issuer::with(&old).await;
    let oauth = issuer.oauth();
    oauth.fetch_keys().await.unwrap();
    pass(minutes(1)).await;
    issuer.publish([new.jwk("k2")]);
    let token = new.token_with(&json!({"alg": "ES256"}), &issuer.claims());
    known(ask(&oauth, &token).await);
    assert_eq!(issuer.key_fetches(), 2);
}

#[tokio::test]
async fn keys_that_are_not_for_this_are_passed_over() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    let token = signer.token("k1", &issuer.claims());
    let with = |member: &str, value: serde_json::Value| {
        let mut key = signer.jwk("k1");
        key[member] = value;
        key
    };
    for key in [
        with("use", json!("enc")),
        with("key_ops", json!(["sign"])),
        with("alg", json!("HS256")),
        with("kty", json!("oct")),
        with("crv", json!("P-521")),
        with("x", json!("AAAA")),
        with("x", json!(7)),
        json!("no key"),
    ] {
        issuer.publish([key, Signer::rs256().jwk("k9")]);
        assert_eq!(refused(ask(&issuer.oauth(), &token).await), NO_SUCH_KEY);
    }
    issuer.publish([with("alg", json!("ES384"))]);
    let outcome = ask(&issuer.oauth(), &token).await;
    assert_eq!(
        refused(outcome),
        "the token's algorithm is not that of its key"
    );
    issuer.publish([
        json!({"kty": "lattice"}),
        with("key_ops", json!(["verify"])),
    ]);
    known(ask(&issuer.oauth(), &token).await);
}

#[tokio::test]
async fn old_keys_stay_in_use_for_an_hour_while_the_issuer_is_down() {
    let signer = Signer::es256();
    let mut issuer = Issuer::with(&signer).await;
    let oauth = issuer.oauth();
    let token = signer.token("k1", &issuer.claims_but("exp", Some(json!(1e12))));
    known(ask(&oauth, &token).await);
    issuer.stop().await;
    for _ in 0..5 {
        pass(minutes(11)).await;
        known(ask(&oauth, &token).await);
    }
    // What it cannot say now does not refuse a token for good.
    pass(minutes(1)).await;
    let unknown = signer.token("k2", &issuer.claims());
    assert!(ask(&oauth, &unknown).await.unwrap_err().is_unavailable());
    pass(minutes(5)).await;
    assert!(ask(&oauth, &token).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn an_issuer_that_is_down_from_the_start_closes_the_door() {
    let signer = Signer::es256();
    let mut issuer = Issuer::with(&signer).await;
    issuer.stop().await;
    let oauth = issuer.oauth();
    let error = oauth.fetch_keys().await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        source.contains(&issuer.url) && source.contains("no connection"),
        "{source}"
    );
    let token = signer.token("k1", &issuer.claims());
    assert!(ask(&oauth, &token).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn a_giant_key_set_is_not_read() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    let keys = json!({"keys": [signer.jwk("k1")], "padding": "x".repeat(1 << 20)});
    issuer.answer("/keys", keys);
    let oauth = issuer.oauth();
    let source = source(&oauth).await;
    assert!(source.contains("larger than 512 KiB"), "{source}");
    // Of a set with more keys than anybody has, the first count.
    let many = (0..1000).map(|id| signer.jwk(&format!("k{id}")));
    issuer.publish(many);
    let oauth = issuer.oauth();
    known(ask(&oauth, &signer.token("k99", &issuer.claims())).await);
    assert_eq!(
        refused(ask(&oauth, &signer.token("k100", &issuer.claims())).await),
        NO_SUCH_KEY
    );
}

#[tokio::test]
async fn a_silent_issuer_is_waited_for_five_seconds() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    issuer.answer_with("/keys", Answer::Silence);
    let oauth = Arc::new(issuer.oauth());
    let token = signer.token("k1", &issuer.claims());
    let waiting = tokio::spawn({
        let (oauth, token) = (Arc::clone(&oauth), token.clone());
        async move { ask(&oauth, &token).await }
    });
    while issuer.key_fetches() == 0 {
        issuer.was_asked().await;
    }
    pass(Duration::from_secs(5)).await;
    assert!(waiting.await.unwrap().unwrap_err().is_unavailable());
    // It answers again, and is asked again after a while.
    issuer.publish([signer.jwk("k1")]);
    assert!(ask(&oauth, &token).await.unwrap_err().is_unavailable());
    pass(Duration::from_secs(10)).await;
    known(ask(&oauth, &token).await);
}

#[tokio::test]
async fn a_client_that_leaves_takes_the_fetch_from_no_other() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    let oauth = Arc::new(issuer.oauth());
    let token = signer.token("k1", &issuer.claims());
    let leaving = tokio::spawn({
        let (oauth, token) = (Arc::clone(&oauth), token.clone());
        async move { ask(&oauth, &token).await }
    });
    issuer.was_asked().await;
    leaving.abort();
    known(ask(&oauth, &token).await);
    assert_eq!(issuer.key_fetches(), 1);
}

#[tokio::test]
async fn the_keys_are_found_in_each_place_of_the_metadata() {
    let signer = Signer::es256();
    for place in [
        "/.well-known/oauth-authorization-server/tenant",
        "/.well-known/openid-configuration/tenant",
        "/tenant/.well-known/openid-configuration",
    ] {
        let server = Issuer::start().await;
        server.publish([signer.jwk("k1")]);
        let name = format!("{}/tenant", server.url);
        let metadata = json!({"issuer": name, "jwks_uri": format!("{}/keys", server.url)});
        server.answer(place, metadata);
        let oauth = mcp_kit::auth::OAuth::builder(&name, crate::issuer::RESOURCE)
            .build()
            .unwrap();
        let token = signer.token("k1", &server.claims_but("iss", Some(json!(name))));
        known(ask(&oauth, &token).await);
    }
}

/// At addresses that an issuer does not know, it may answer with anything.
#[tokio::test]
async fn the_search_for_metadata_goes_on_after_an_answer_that_is_none() {
    let signer = Signer::es256();
    for answer in [
        Answer::Json("<!doctype html><html></html>".to_owned()),
        Answer::Json(json!({"error": "not found"}).to_string()),
        Answer::Json(json!({"issuer": "https://other.example.com", "jwks_uri": "https://other.example.com/keys"}).to_string()),
        Answer::Json(format!("\"{}\"", "x".repeat(600 << 10))),
        Answer::Redirect("/elsewhere".to_owned()),
    ] {
        let server = Issuer::start().await;
        server.publish([signer.jwk("k1")]);
        let keys = format!("{}/keys", server.url);
        server.answer_with("/.well-known/oauth-authorization-server", answer);
        let metadata = json!({"issuer": server.url, "jwks_uri": keys});
        server.answer("/.well-known/openid-configuration", metadata);
        known(ask(&server.oauth(), &signer.token("k1", &server.claims())).await);
    }
}

#[tokio::test]
async fn metadata_that_cannot_be_trusted_is_not_used() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    let keys = format!("{}/keys", issuer.url);
    let place = "/.well-known/oauth-authorization-server";
    for (metadata, expected) in [
        (
            json!({"issuer": "https://other.example.com", "jwks_uri": keys}),
            "names another issuer",
        ),
        (
            json!({"issuer": issuer.url, "jwks_uri": "http://keys.example.com/"}),
            "not an https URL",
        ),
        (
            json!({"issuer": issuer.url, "jwks_uri": "file:///etc/passwd"}),
            "not an https URL",
        ),
        (json!({"issuer": issuer.url}), "not that of RFC 8414"),
        (json!("hunter2"), "not that of RFC 8414"),
    ] {
        issuer.answer(place, metadata);
        let source = source(&issuer.oauth()).await;
        assert!(
            source.contains(expected) && !source.contains("hunter2"),
            "{source}"
        );
    }
    issuer.answer_with(place, Answer::Redirect(keys.clone()));
    let source = source(&issuer.oauth()).await;
    assert!(source.contains("404") || source.contains("302"), "{source}");
    assert_eq!(issuer.key_fetches(), 0);
}

#[tokio::test]
async fn a_key_set_that_is_none_is_an_error_and_redirects_lead_nowhere() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    issuer.answer("/elsewhere", json!({"keys": [signer.jwk("k1")]}));
    let redirect = Answer::Redirect(format!("{}/elsewhere", issuer.url));
    for (answer, expected) in [
        (redirect, "the answer is 302 Found"),
        (Answer::Json("hunter2".to_owned()), "not one of RFC 7517"),
        (
            Answer::Json("{\"keys\": 7}".to_owned()),
            "not one of RFC 7517",
        ),
        (
            Answer::Json("{\"keys\": []}".to_owned()),
            "no key that tokens could be checked with",
        ),
    ] {
        issuer.answer_with("/keys", answer);
        let source = source(&issuer.oauth()).await;
        assert!(
            source.contains(expected) && !source.contains("hunter2"),
            "{source}"
        );
    }
    assert!(!issuer.asked().iter().any(|path| path == "/elsewhere"));
}

/// Why the keys cannot be fetched, as the log has it.
async fn source(oauth: &mcp_kit::auth::OAuth) -> String {
    let error = oauth.fetch_keys().await.unwrap_err();
    std::error::Error::source(&error).unwrap().to_string()
}
