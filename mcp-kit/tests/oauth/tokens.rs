//! Which tokens are taken, and whom they make of their holders.

use mcp_kit::auth::Algorithm;
use ring::hmac;
use serde_json::{Value, json};

use crate::issuer::{Issuer, RESOURCE, ask, ask_with, known, refused};
use crate::signer::{Signer, encode, in_seconds, signed};

#[tokio::test]
async fn good_tokens_of_every_kind_are_taken() {
    for signer in [
        Signer::rs256(),
        Signer::ps512(),
        Signer::es256(),
        Signer::ed_dsa(),
    ] {
        let issuer = Issuer::with(&signer).await;
        let alice = known(ask(&issuer.oauth(), &signer.token("k1", &issuer.claims())).await);
        let host = &issuer.url;
        assert_eq!(alice.name(), format!("{host}#alice"));
        assert!(alice.has_scope("read") && alice.has_scope("write") && !alice.has_scope("admin"));
    }
}

#[tokio::test]
async fn claims_decide() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    let oauth = issuer.oauth();
    let elsewhere = json!("https://other.example.com/mcp");
    for (claim, value, expected) in [
        (
            "aud",
            Some(elsewhere.clone()),
            "the token is for another audience than this server",
        ),
        (
            "aud",
            Some(json!([elsewhere])),
            "the token is for another audience than this server",
        ),
        (
            "aud",
            Some(json!(7)),
            "the token is for another audience than this server",
        ),
        (
            "aud",
            None,
            "the token is for another audience than this server",
        ),
        ("exp", Some(json!(in_seconds(-60))), "the token has expired"),
        ("exp", None, "the token does not say when it expires"),
        (
            "exp",
            Some(json!("soon")),
            "the token does not say when it expires",
        ),
        (
            "nbf",
            Some(json!(in_seconds(60))),
            "the token is not valid yet",
        ),
        ("nbf", Some(json!("never")), "the token is not valid yet"),
        (
            "sub",
            None,
            "the token lacks the claim that names its holder",
        ),
        (
            "sub",
            Some(json!(17)),
            "the token lacks the claim that names its holder",
        ),
    ] {
        let token = signer.token("k1", &issuer.claims_but(claim, value));
        assert_eq!(refused(ask(&oauth, &token).await), expected, "{claim}");
    }
    for (claim, value) in [
        ("aud", json!([RESOURCE, "https://other.example.com/mcp"])),
        ("aud", json!(format!("{RESOURCE}/"))),
        ("exp", json!(in_seconds(-10))),
        ("exp", json!(1e300)),
        ("nbf", json!(in_seconds(10))),
        ("nbf", json!(in_seconds(-10))),
    ] {
        let token = signer.token("k1", &issuer.claims_but(claim, Some(value)));
        known(ask(&oauth, &token).await);
    }
}

#[tokio::test]
async fn a_token_of_another_issuer_is_left_to_others_and_asks_for_no_keys() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    let oauth = issuer.oauth();
    for iss in [
        Some(json!("https://other.example.com")),
        Some(json!(format!("{}/", issuer.url))),
        None,
    ] {
        let token = signer.token("k1", &issuer.claims_but("iss", iss));
        assert!(ask(&oauth, &token).await.unwrap().is_none());
    }
    for text in [
        "an-api-key",
        "a.b",
        "a.b.c",
        "..",
        "e30.e30.",
        "e30.e30.e30.e30.e30",
    ] {
        assert!(ask(&oauth, text).await.unwrap().is_none(), "{text}");
    }
    assert!(ask_with(&oauth, &[]).await.unwrap().is_none());
    assert_eq!(issuer.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_token_counts_in_the_authorization_header_alone() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    let oauth = issuer.oauth();
    let token = signer.token("k1", &issuer.claims());
    for (name, value) in [
        ("x-api-key", token.clone()),
        ("authorization", format!("Basic {token}")),
        ("authorization", token.clone()),
        ("cookie", format!("access_token={token}")),
        ("x-access-token", token.clone()),
    ] {
        assert!(
            ask_with(&oauth, &[(name, &value)]).await.unwrap().is_none(),
            "{name}"
        );
    }
    let bearer = format!("bearer {token}");
    known(ask_with(&oauth, &[("authorization", &bearer)]).await);
    let twice = [
        ("authorization", bearer.as_str()),
        ("authorization", &bearer),
    ];
    refused(ask_with(&oauth, &twice).await);
}

#[tokio::test]
async fn unsigned_tokens_and_forged_ones_are_refused() {
    let signer = Signer::rs256();
    let issuer = Issuer::with(&signer).await;
    let oauth = issuer.oauth();
    let claims = issuer.claims();
    for none in [
        "none", "None", "NONE", "nOnE", "", "HS256", "HS512", "RS1", "ES256K",
    ] {
        let token = signed(&json!({"alg": none, "kid": "k1"}), &claims, |_| Vec::new());
        assert_eq!(
            refused(ask(&oauth, &token).await),
            "the token's algorithm is not accepted"
        );
    }
    // The published key as if it were a shared secret.
    let jwk = signer.jwk("k1");
    for secret in [jwk["n"].as_str().unwrap().to_owned(), jwk.to_string()] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let sign = |message: &[u8]| hmac::sign(&key, message).as_ref().to_vec();
        let token = signed(&json!({"alg": "HS256", "kid": "k1"}), &claims, sign);
        assert_eq!(
            refused(ask(&oauth, &token).await),
            "the token's algorithm is not accepted"
        );
        let token = signed(&json!({"alg": "RS256", "kid": "k1"}), &claims, sign);
        assert_eq!(
            refused(ask(&oauth, &token).await),
            "the token's signature is not its issuer's"
        );
    }
    // Signed by another, with its own key in the header.
    let forger = Signer::es256();
    let header = json!({
        "alg": "ES256", "kid": "k1", "jwk": forger.jwk("k1"), "jku": "http://127.0.0.1:1/keys",
    });
    let token = forger.token_with(&header, &claims);
    assert_eq!(
        refused(ask(&oauth, &token).await),
        "the token's algorithm is not that of its key"
    );
    // Changed after it was signed, and cut short.
    let token = signer.token("k1", &claims);
    let admin = encode(
        issuer
            .claims_but("scope", Some(json!("admin")))
            .to_string()
            .as_bytes(),
    );
    let parts: Vec<_> = token.split('.').collect();
    for forged in [
        format!("{}.{admin}.{}", parts[0], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], encode(&[0; 256])),
    ] {
        assert_eq!(
            refused(ask(&oauth, &forged).await),
            "the token's signature is not its issuer's"
        );
    }
    known(ask(&oauth, &token).await);
}

#[tokio::test]
async fn other_kinds_of_tokens_are_refused() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    let oauth = issuer.oauth();
    let claims = issuer.claims();
    for kind in ["logout+jwt", "dpop+jwt", "application/secevent+jwt", ""] {
        let token = signer.token_with(&json!({"alg": "ES256", "kid": "k1", "typ": kind}), &claims);
        assert_eq!(
            refused(ask(&oauth, &token).await),
            "this is not a plain access token"
        );
    }
    let header = json!({"alg": "ES256", "kid": "k1", "crit": ["b64"], "b64": true});
    let token = signer.token_with(&header, &claims);
    assert_eq!(
        refused(ask(&oauth, &token).await),
        "this is not a plain access token"
    );
    for kind in ["JWT", "jwt", "AT+JWT", "application/at+jwt"] {
        let token = signer.token_with(&json!({"alg": "ES256", "kid": "k1", "typ": kind}), &claims);
        known(ask(&oauth, &token).await);
    }
}

#[tokio::test]
async fn algorithms_can_be_narrowed() {
    let signer = Signer::rs256();
    let issuer = Issuer::with(&signer).await;
    let oauth = issuer
        .builder()
        .algorithms([Algorithm::Es256])
        .build()
        .unwrap();
    let outcome = ask(&oauth, &signer.token("k1", &issuer.claims())).await;
    assert_eq!(refused(outcome), "the token's algorithm is not accepted");
}

#[tokio::test]
async fn scopes_are_read_as_issuers_write_them() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    let oauth = issuer.oauth();
    for (scope, scp, expected) in [
        (Some(json!("a b")), None, "ab"),
        (Some(json!("  a   b ")), None, "ab"),
        (Some(json!(["a", "b"])), None, "ab"),
        (None, Some(json!("a b")), "ab"),
        (None, Some(json!(["a", "b"])), "ab"),
        // The standard's name counts where both are there.
        (Some(json!("a")), Some(json!("b")), "a"),
        (Some(json!("")), None, ""),
        (Some(json!({"a": true})), None, ""),
        (Some(json!("A B\u{a0}c")), None, ""),
        (None, None, ""),
    ] {
        let mut claims = issuer.claims_but("scope", scope);
        if let Some(scp) = scp {
            claims["scp"] = scp;
        }
        let caller = known(ask(&oauth, &signer.token("k1", &claims)).await);
        let held: String = ["a", "b", "c"]
            .into_iter()
            .filter(|one| caller.has_scope(one))
            .collect();
        assert_eq!(held, expected, "{claims}");
    }
}

#[tokio::test]
async fn names_are_plain_and_cannot_be_those_of_others() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    let oauth = issuer.builder().name_claim("email").build().unwrap();
    let name = |value: Value| signer.token("k1", &issuer.claims_but("email", Some(value)));
    for bad in [
        "",
        " ",
        " alice",
        "alice ",
        "a\nb",
        "a\0b",
        "a\u{202e}b",
        "a\u{200b}b",
        &"a".repeat(257),
    ] {
        let outcome = ask(&oauth, &name(json!(bad))).await;
        assert_eq!(
            refused(outcome),
            "the claim that names the token's holder is not a plain name"
        );
    }
    for good in [
        "alice@example.com",
        "Zoë",
        "auth0|1234",
        "other.example#alice",
        &"a".repeat(256),
    ] {
        let caller = known(ask(&oauth, &name(json!(good))).await);
        assert_eq!(caller.name(), format!("{}#{good}", issuer.url));
    }
}

#[tokio::test]
async fn an_audience_of_another_form_can_be_named() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    let token = signer.token("k1", &issuer.claims_but("aud", Some(json!("api://mcp"))));
    refused(ask(&issuer.oauth(), &token).await);
    let oauth = issuer.builder().audience("api://mcp").build().unwrap();
    known(ask(&oauth, &token).await);
}

/// Such as Amazon Cognito's access tokens.
#[tokio::test]
async fn another_claim_can_name_the_audience_where_there_is_none() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    let builder = issuer
        .builder()
        .audience_claim("client_id", ["app", "other-app"]);
    let oauth = builder
        .require_claim("token_use", ["access"])
        .build()
        .unwrap();
    let token = |changes: &[(&str, Value)]| {
        let mut claims = issuer.claims_but("aud", None);
        claims["client_id"] = json!("app");
        claims["token_use"] = json!("access");
        for (claim, value) in changes {
            claims[*claim] = value.clone();
        }
        signer.token("k1", &claims)
    };
    known(ask(&oauth, &token(&[])).await);
    known(ask(&oauth, &token(&[("client_id", json!(["x", "other-app"]))])).await);
    known(
        ask(
            &oauth,
            &token(&[("aud", json!(RESOURCE)), ("client_id", json!("x"))]),
        )
        .await,
    );
    const AUDIENCE: &str = "the token is for another audience than this server";
    const CLAIM: &str =
        "the token lacks a claim that this server requires, or has it with another value";
    for (change, value, reason) in [
        ("client_id", json!("third-app"), AUDIENCE),
        ("client_id", json!({"app": true}), AUDIENCE),
        ("client_id", Value::Null, AUDIENCE),
        // An audience that is there must be this server.
        ("aud", json!("https://other.example.com"), AUDIENCE),
        ("aud", json!([]), AUDIENCE),
        ("aud", Value::Null, AUDIENCE),
        ("token_use", json!("id"), CLAIM),
        ("token_use", Value::Null, CLAIM),
    ] {
        let outcome = ask(&oauth, &token(&[(change, value.clone())])).await;
        assert_eq!(refused(outcome), reason, "{change}: {value}");
    }
    let plain = issuer.oauth();
    assert_eq!(refused(ask(&plain, &token(&[])).await), AUDIENCE);
    let verified = issuer
        .builder()
        .require_claim("/user/email_verified", ["true"]);
    let verified = verified.build().unwrap();
    let token = |value: Value| signer.token("k1", &issuer.claims_but("user", Some(value)));
    known(ask(&verified, &token(json!({"email_verified": true}))).await);
    refused(ask(&verified, &token(json!({"email_verified": false}))).await);
    refused(ask(&verified, &token(json!(true))).await);
    let none: [&str; 0] = [];
    let error = issuer.builder().audience_claim("client_id", none).build();
    assert!(error.unwrap_err().to_string().contains("audience_claim"));
}

#[tokio::test]
async fn scopes_are_read_from_the_claims_that_were_named() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    let oauth = (issuer.builder())
        .scope_claim("permissions")
        .scope_claim("cognito:groups")
        .scope_claim("/realm_access/roles")
        .build()
        .unwrap();
    let mut claims = issuer.claims();
    claims["permissions"] = json!(["files:read", 7, "", "site admin"]);
    claims["cognito:groups"] = json!("editors staff");
    claims["realm_access"] = json!({"roles": ["auditor"]});
    claims["roles"] = json!(["owner"]);
    let token = signer.token("k1", &claims);
    let caller = known(ask(&oauth, &token).await);
    for held in ["read", "write", "files:read", "editors", "staff", "auditor"] {
        assert!(caller.has_scope(held), "{held}");
    }
    for other in ["owner", "admin", "site", "7", ""] {
        assert!(!caller.has_scope(other), "{other}");
    }
    assert!(!known(ask(&issuer.oauth(), &token).await).has_scope("files:read"));
}

#[tokio::test]
async fn broken_tokens_never_panic() {
    let signer = Signer::es256();
    let issuer = Issuer::with(&signer).await;
    let oauth = issuer.oauth();
    let good = signer.token("k1", &issuer.claims());
    known(ask(&oauth, &good).await);
    let mut seed = 7_usize;
    for round in 0..2_000 {
        let mut bytes = good.clone().into_bytes();
        for _ in 0..=round % 3 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = (seed >> 33) % bytes.len();
            bytes[at] = b"AZaz09-_.=~"[(seed >> 20) % 11];
        }
        if round % 5 == 0 {
            bytes.truncate((seed >> 33) % bytes.len() + 1);
        }
        let text = String::from_utf8(bytes).unwrap();
        if text != good {
            assert!(!matches!(ask(&oauth, &text).await, Ok(Some(_))), "{text}");
        }
    }
}
