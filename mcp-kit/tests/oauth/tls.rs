//! An issuer behind TLS: one that the operating system trusts, and one that it
//! does not.

use mcp_kit::auth::OAuth;
use serde_json::json;

use crate::issuer::{RESOURCE, ask, known};
use crate::signer::{Signer, in_seconds};
use crate::tls_site::{CERTIFICATE, run_trusting, serve};

/// Serves the signer's key, at `https://localhost:<port>`.
async fn serve_key(signer: &Signer) -> String {
    let keys = json!({"keys": [signer.jwk("k1")]}).to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", keys.len());
    format!("https://localhost:{}", serve(head + &keys).await)
}

fn oauth(url: &str) -> OAuth {
    OAuth::builder(url, RESOURCE)
        .jwks_url(format!("{url}/keys"))
        .build()
        .unwrap()
}

#[tokio::test]
async fn untrusted_issuer_is_not_asked() {
    if std::env::var_os("SSL_CERT_FILE").is_some() {
        return;
    }
    let url = serve_key(&Signer::es256()).await;
    let error = oauth(&url).fetch_keys().await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("certificate"), "{source}");
}

#[test]
fn trusted_issuer_is_asked() {
    run_trusting(CERTIFICATE, "tls::fetches_over_tls");
}

#[ignore = "run by the test above, with its certificate trusted"]
#[tokio::test]
async fn fetches_over_tls() {
    let signer = Signer::es256();
    let url = serve_key(&signer).await;
    let claims = json!({"iss": url, "aud": RESOURCE, "sub": "alice", "exp": in_seconds(60)});
    let alice = known(ask(&oauth(&url), &signer.token("k1", &claims)).await);
    assert_eq!(
        alice.name(),
        format!("{}#alice", url.strip_prefix("https://").unwrap())
    );
}
