//! A proxy that the operator chose: every request goes through it, and what can be seen
//! of a URL is checked before.

use mcp_kit::guard::{HttpClient, HttpClientError, HttpErrorKind};

use crate::site::{CERTIFICATE, Site, answer, here, kind, redirect, url};

use HttpErrorKind::{AddressRefused, HostRefused};

/// A client whose proxy is this site, at an address that is not public.
fn through(proxy: &Site) -> HttpClient {
    HttpClient::builder()
        .resolver(here(&["proxy.internal"]))
        .proxy(&format!(
            "http://user:pass@proxy.internal:{}",
            proxy.address.port()
        ))
        .deny_hosts(["denied.example"])
        .root_certificates(CERTIFICATE)
        .build()
        .unwrap()
}

#[tokio::test]
async fn requests_go_to_the_proxy_and_names_are_left_to_it() {
    let mut proxy = Site::with_body("by proxy").await;
    let client = through(&proxy);
    let answer = client
        .get(&url("http://example.com/page"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.text().await.unwrap(), "by proxy");
    let seen = proxy.next().await;
    assert_eq!(seen.path(), "http://example.com/page");
    assert!(seen.header("proxy-authorization").is_some());

    let refused = client.get(&url("https://example.com/")).send().await;
    refused.unwrap_err();
    let seen = proxy.next().await;
    assert_eq!((seen.method(), seen.path()), ("CONNECT", "example.com:443"));
}

#[tokio::test]
async fn addresses_and_denied_hosts_are_refused_before_the_proxy() {
    let mut proxy = Site::with_body("by proxy").await;
    let client = through(&proxy);
    for (forbidden, expected) in [
        ("http://169.254.169.254/", AddressRefused),
        ("https://[::1]/", AddressRefused),
        ("http://denied.example/", HostRefused),
    ] {
        assert_eq!(kind(&client, &url(forbidden)).await, expected);
    }
    assert!(proxy.is_quiet());
    let moved = Site::start(|_| redirect("302 Found", "http://10.0.0.1/")).await;
    assert_eq!(
        kind(&through(&moved), &url("http://example.com/")).await,
        AddressRefused
    );
}

#[tokio::test]
async fn the_proxys_credentials_go_to_the_proxy_alone() {
    let mut proxy = Site::start(|seen| match seen.path() {
        "http://a.example/" => redirect("302 Found", "http://b.example/"),
        _ => answer("200 OK", "", "there"),
    })
    .await;
    let client = through(&proxy);
    client.get(&url("http://a.example/")).send().await.unwrap();
    for path in ["http://a.example/", "http://b.example/"] {
        let seen = proxy.next().await;
        assert_eq!(seen.path(), path);
        assert!(seen.header("proxy-authorization").is_some());
        assert_eq!(seen.header("authorization"), None);
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_without_its_password() {
    for text in [
        "",
        "proxy:3128",
        "socks5://proxy:1080",
        "http://user:hunter2@",
        "ftp://proxy",
    ] {
        let error = HttpClient::builder().proxy(text).build().unwrap_err();
        assert_eq!(error, HttpClientError::Proxy, "{text}");
        assert!(!error.to_string().contains("hunter2"));
    }
}
