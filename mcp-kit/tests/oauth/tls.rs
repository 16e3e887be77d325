//! An issuer behind TLS: one that the operating system trusts, and one that it
//! does not.

use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;

use mcp_kit::auth::OAuth;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::issuer::{RESOURCE, ask, known};
use crate::signer::{Signer, in_seconds};

/// Serves the signer's key to everyone, at `https://localhost:<port>`.
async fn serve(signer: &Signer) -> String {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls.pem")).unwrap();
    let key = PrivatePkcs8KeyDer::from(include_bytes!("tls.pk8").as_slice());
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], PrivateKeyDer::from(key))
            .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let keys = json!({"keys": [signer.jwk("k1")]}).to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let _ = stream.read(&mut [0; 1024]).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", keys.len());
            let _ = stream.write_all(format!("{head}{keys}").as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    url
}

fn oauth(url: &str) -> OAuth {
    OAuth::builder(url, RESOURCE)
        .jwks_url(format!("{url}/keys"))
        .build()
        .unwrap()
}

#[tokio::test]
async fn an_issuer_that_nobody_vouches_for_is_not_asked() {
    if std::env::var_os("SSL_CERT_FILE").is_some() {
        return;
    }
    let url = serve(&Signer::es256()).await;
    let error = oauth(&url).fetch_keys().await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("certificate"), "{source}");
}

/// Which certificates are trusted is read from the environment, which a test
/// cannot change for itself.
#[test]
fn an_issuer_that_is_vouched_for_is() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("oauth-tls-{}.pem", std::process::id()));
    std::fs::File::create(&path)
        .unwrap()
        .write_all(include_bytes!("tls.pem"))
        .unwrap();
    let outcome = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tls::fetches_over_tls", "--ignored"])
        .env("SSL_CERT_FILE", &path)
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    std::fs::remove_file(path).unwrap();
    let text = String::from_utf8_lossy(&outcome.stdout);
    assert!(
        outcome.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

#[ignore = "run by the test above, with its certificate trusted"]
#[tokio::test]
async fn fetches_over_tls() {
    let signer = Signer::es256();
    let url = serve(&signer).await;
    let claims = json!({"iss": url, "aud": RESOURCE, "sub": "alice", "exp": in_seconds(60)});
    let alice = known(ask(&oauth(&url), &signer.token("k1", &claims)).await);
    assert_eq!(
        alice.name(),
        format!("{}#alice", url.strip_prefix("https://").unwrap())
    );
}
