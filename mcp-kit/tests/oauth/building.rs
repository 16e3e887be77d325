//! The setup of OAuth, and what clients read of it.

use std::time::Duration;

use mcp_kit::auth::{Authenticator as _, OAuth};
use serde_json::{Value, json};

use crate::issuer::RESOURCE;

const ISSUER: &str = "https://auth.example.com";

#[test]
fn addresses_without_tls_are_for_this_machine_alone() {
    for issuer in [
        "http://auth.example.com",
        "auth.example.com",
        "https://auth.example.com?a=b",
        "https://auth.example.com#a",
        "https://user@auth.example.com",
        "",
    ] {
        let error = OAuth::builder(issuer, RESOURCE).build().unwrap_err();
        assert!(
            error.to_string().starts_with("the issuer must be"),
            "{issuer}"
        );
    }
    let error = OAuth::builder(ISSUER, "http://mcp.example.com/mcp")
        .build()
        .unwrap_err();
    assert!(
        error.to_string().starts_with("the resource must be"),
        "{error}"
    );
    let error = OAuth::builder(ISSUER, RESOURCE)
        .jwks_url("http://keys.example.com/")
        .build();
    assert!(
        error
            .unwrap_err()
            .to_string()
            .starts_with("the address of the key set must be")
    );
    for loopback in [
        "http://127.0.0.1:9000",
        "http://localhost/tenant",
        "http://[::1]:9000",
    ] {
        OAuth::builder(loopback, "http://127.0.0.1:8080/mcp")
            .build()
            .unwrap();
    }
}

#[test]
fn what_would_take_no_token_or_any_is_refused() {
    let error = OAuth::builder(ISSUER, RESOURCE)
        .algorithms([])
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("no algorithm is left"));
    let hour = Duration::from_secs(3600);
    let error = OAuth::builder(ISSUER, RESOURCE)
        .leeway(hour)
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("5 minutes"));
}

#[test]
fn clients_learn_where_to_get_a_token_and_for_what() {
    let oauth = OAuth::builder(ISSUER, RESOURCE)
        .jwks_url("https://keys.example.com/keys?policy=p1")
        .scopes_supported(["files:read", "files:write"])
        .initial_scopes(["files:read"])
        .build()
        .unwrap();
    assert_eq!(
        oauth.challenge().unwrap(),
        "Bearer resource_metadata=\
         \"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\", scope=\"files:read\""
    );
    let resource = oauth.protected_resource().unwrap();
    assert_eq!(resource.path(), "/.well-known/oauth-protected-resource/mcp");
    let document: Value = serde_json::from_str(&resource.to_json()).unwrap();
    assert_eq!(
        document,
        json!({
            "resource": RESOURCE,
            "authorization_servers": [ISSUER],
            "scopes_supported": ["files:read", "files:write"],
            "bearer_methods_supported": ["header"],
        })
    );
}
