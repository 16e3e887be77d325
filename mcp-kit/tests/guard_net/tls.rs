//! TLS: the name in the URL is verified, whatever address it has.

use mcp_kit::ToolError;
use mcp_kit::guard::{HttpClient, HttpErrorKind};

use crate::site::{here, kind, url};
use crate::tls_site::{CERTIFICATE, run_trusting, serve};

use HttpErrorKind::{Internal, NotEncrypted, Unreachable};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn trusting() -> mcp_kit::guard::HttpClientBuilder {
    HttpClient::builder()
        .resolver(here(&["localhost", "other.example"]))
        .allow_private_networks(["127.0.0.1/32"])
        .root_certificates(CERTIFICATE)
}

#[tokio::test]
async fn the_name_of_the_url_is_verified() {
    let port = serve(OK.to_owned()).await;
    let client = trusting().https_only().build().unwrap();
    let answer = client
        .get(&url(&format!("https://localhost:{port}/")))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.text().await.unwrap(), "ok");
    // The same server, under a name that its certificate does not have.
    let other = url(&format!("https://other.example:{port}/"));
    assert_eq!(kind(&client, &other).await, Unreachable);
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let port = serve(OK.to_owned()).await;
    let client = HttpClient::builder()
        .resolver(here(&["localhost"]))
        .allow_private_networks(["127.0.0.1/32"])
        .build()
        .unwrap();
    let url = url(&format!("https://localhost:{port}/"));
    assert_eq!(kind(&client, &url).await, Unreachable);
}

#[tokio::test]
async fn a_redirect_to_http_is_refused_unless_it_is_allowed() {
    let plain = crate::site::Site::with_body("plain").await;
    let location = plain.on("other.example", "/");
    let head = format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
    let port = serve(head).await;
    let url = url(&format!("https://localhost:{port}/"));
    let client = trusting().build().unwrap();
    assert_eq!(kind(&client, &url).await, NotEncrypted);
    let client = trusting().allow_insecure_redirects().build().unwrap();
    let answer = client.get(&url).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "plain");
    let client = trusting()
        .https_only()
        .allow_insecure_redirects()
        .build()
        .unwrap();
    assert_eq!(kind(&client, &url).await, NotEncrypted);
}

#[test]
fn https_without_certificates_to_trust_is_an_internal_error_until_there_are_some() {
    run_trusting(b"", "tls::certificates_are_installed");
}

#[ignore = "run by the test above, in a process whose system trusts nothing"]
#[tokio::test]
async fn certificates_are_installed() {
    let roots = std::env::var_os("SSL_CERT_FILE").unwrap();
    let port = serve(OK.to_owned()).await;
    let encrypted = url(&format!("https://localhost:{port}/"));
    let plain = crate::site::Site::with_body("plain").await;
    let client = crate::site::client(here(&["localhost"]));

    let error = client.get(&encrypted).send().await.unwrap_err();
    assert_eq!(error.kind(), Internal);
    let source = error.source().unwrap().to_string();
    assert!(source.contains("ca-certificates"), "{source}");
    // The model cannot mend it with another URL.
    assert!(!ToolError::from(error).has_message());
    // Certificates of the builder's are enough, and http needs none.
    trusting()
        .build()
        .unwrap()
        .get(&encrypted)
        .send()
        .await
        .unwrap();
    let answer = client.get(&plain.on("localhost", "/")).send().await;
    assert_eq!(answer.unwrap().text().await.unwrap(), "plain");

    std::fs::write(roots, CERTIFICATE).unwrap();
    let answer = client.get(&encrypted).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "ok");
}
