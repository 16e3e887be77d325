//! Redirects: where they lead, and what goes with them.

use mcp_kit::guard::{HttpClient, HttpErrorKind, SafeUrlError};
use mcp_kit::http::Method;
use mcp_kit::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue};

use crate::site::{Seen, Site, builder, client, here, kind, ok, redirect, refusal};

use HttpErrorKind::{
    AddressRefused, BadAnswer, HostRefused, TooManyRedirects, UnsafeRedirect, Url,
};

const NAMES: &[&str] = &["a.example", "b.example"];

/// A server that redirects `/` to `location`, and answers elsewhere.
async fn to(status: &'static str, location: impl Into<String>) -> Site {
    let location = location.into();
    Site::start(move |seen| match seen.path() {
        "/" => redirect(status, &location),
        _ => ok("arrived"),
    })
    .await
}

#[tokio::test]
async fn a_redirect_is_checked_as_the_first_url_was() {
    let client = HttpClient::builder()
        .resolver(here(NAMES))
        .allow_private_networks(["127.0.0.1/32"])
        .deny_hosts(["denied.example"])
        .build()
        .unwrap();
    for (location, expected) in [
        ("http://169.254.169.254/latest/meta-data/", AddressRefused),
        ("http://[::1]/", AddressRefused),
        ("http://127.0.0.2/", AddressRefused),
        ("http://0x7f.2/", AddressRefused),
        ("http://2130706434/", AddressRefused),
        ("http://[::ffff:10.0.0.1]/", AddressRefused),
        ("http://[64:ff9b::7f00:1]/", AddressRefused),
        ("//169.254.169.254/", AddressRefused),
        ("\\\\169.254.169.254\\", AddressRefused),
        ("http://denied.example/", HostRefused),
        ("file:///etc/passwd", Url(SafeUrlError::Scheme)),
        ("ftp://a.example/", Url(SafeUrlError::Scheme)),
        ("javascript:alert(1)", Url(SafeUrlError::Scheme)),
        ("data:text/plain,x", Url(SafeUrlError::Scheme)),
        ("http://user:pass@a.example/", Url(SafeUrlError::UserInfo)),
        ("http://a.example:0/", Url(SafeUrlError::Port)),
        ("http://", BadAnswer),
        ("http://a.example:99999/", BadAnswer),
    ] {
        let site = to("302 Found", location).await;
        let error = refusal(&client, &site.on("a.example", "/")).await;
        assert_eq!(error.kind(), expected, "{location}");
    }
}

#[tokio::test]
async fn a_refused_redirect_says_that_it_was_the_redirect() {
    let site = to("302 Found", "http://10.0.0.1/").await;
    let error = refusal(&client(here(NAMES)), &site.on("a.example", "/")).await;
    let text = error.to_string();
    assert!(
        text.starts_with("The URL that the server redirects to has a host"),
        "{text}"
    );
    assert!(!text.contains("10.0.0.1"), "{text}");
}

#[tokio::test]
async fn redirects_are_followed_relative_to_their_url() {
    for (location, path) in [
        ("/next?a=b#c", "/next?a=b"),
        ("next", "/next"),
        ("./x/../next", "/next"),
        ("?q", "/?q"),
    ] {
        for status in [
            "301 Moved",
            "302 Found",
            "303 See Other",
            "307 Temporary",
            "308 Permanent",
        ] {
            let mut site = to(status, location).await;
            let answer = client(here(NAMES))
                .get(&site.on("a.example", "/"))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.url().as_str(), site.on("a.example", path).as_str());
            assert_eq!(answer.text().await.unwrap(), "arrived");
            site.next().await;
            let second = site.next().await;
            assert_eq!(second.path(), path);
            assert_eq!(second.header("referer"), None);
        }
    }
}

#[tokio::test]
async fn loops_end_at_the_limit() {
    for most in [0, 1, 5] {
        let mut site = Site::start(|_| redirect("302 Found", "/again")).await;
        let client = builder(here(NAMES)).redirects(most).build().unwrap();
        assert_eq!(
            kind(&client, &site.on("a.example", "/")).await,
            TooManyRedirects(most)
        );
        for _ in 0..=most {
            site.next().await;
        }
        assert!(site.is_quiet());
    }
}

#[tokio::test]
async fn a_redirect_without_a_location_and_other_statuses_are_answers() {
    for status in [
        "302 Found",
        "300 Choices",
        "304 Not Modified",
        "305 Use Proxy",
    ] {
        let site = Site::start(move |_| crate::site::answer(status, "", "")).await;
        let answer = client(here(NAMES))
            .get(&site.on("a.example", "/"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_str(), &status[..3]);
    }
}

/// A request with everything that may be a credential.
async fn sent_to(site: &mut Site, other: &mut Site, host: &str) -> Seen {
    let name = |text: &'static str| HeaderName::from_static(text);
    let value = |text: &'static str| HeaderValue::from_static(text);
    let mut marked = value("fr");
    marked.set_sensitive(true);
    client(here(NAMES))
        .get(&site.on(host, "/"))
        .header(AUTHORIZATION, value("Bearer hunter2"))
        .header(COOKIE, value("session=hunter2"))
        .header(name("x-api-key"), value("hunter2"))
        .header(ACCEPT, value("text/plain"))
        .header(name("accept-language"), marked)
        .send()
        .await
        .unwrap();
    let first = site.next().await;
    assert_eq!(first.header("authorization"), Some("Bearer hunter2"));
    assert_eq!(first.header("x-api-key"), Some("hunter2"));
    other.next().await
}

#[tokio::test]
async fn another_origin_gets_no_header_that_may_be_a_credential() {
    let mut other = Site::with_body("other").await;
    // Another host, and another port of the same host.
    for host in ["b.example", "a.example"] {
        let location = other.on(host, "/there").to_string();
        let mut site = to("302 Found", location).await;
        let seen = sent_to(&mut site, &mut other, "a.example").await;
        assert!(!seen.head.contains("hunter2"), "{}", seen.head);
        assert_eq!(seen.header("accept-language"), None);
        assert_eq!(seen.header("accept"), Some("text/plain"));
        assert_eq!(seen.header("referer"), None);
        assert!(seen.header("user-agent").unwrap().starts_with("mcp-kit/"));
        assert_eq!(
            seen.header("host"),
            Some(&*format!("{host}:{}", other.address.port()))
        );
    }
}

#[tokio::test]
async fn credentials_do_not_come_back_when_a_redirect_leads_home() {
    let (tell, home) = std::sync::mpsc::channel::<String>();
    let home = std::sync::Mutex::new(home);
    let other = Site::start(move |_| {
        let location = home.lock().unwrap().recv().unwrap();
        redirect("302 Found", &location)
    })
    .await;
    let mut site = to("302 Found", other.on("b.example", "/").to_string()).await;
    tell.send(site.on("a.example", "/home").to_string())
        .unwrap();
    client(here(NAMES))
        .get(&site.on("a.example", "/"))
        .header(AUTHORIZATION, HeaderValue::from_static("hunter2"))
        .send()
        .await
        .unwrap();
    assert_eq!(site.next().await.header("authorization"), Some("hunter2"));
    let back = site.next().await;
    assert_eq!((back.path(), back.header("authorization")), ("/home", None));
}

#[tokio::test]
async fn the_same_origin_keeps_the_headers_and_cookies_are_not_stored() {
    let mut site = Site::start(|seen| match seen.path() {
        "/" => crate::site::answer("302 Found", "location: /in\r\nset-cookie: a=b\r\n", ""),
        _ => ok("in"),
    })
    .await;
    client(here(NAMES))
        .get(&site.on("a.example", "/"))
        .header(AUTHORIZATION, HeaderValue::from_static("hunter2"))
        .send()
        .await
        .unwrap();
    site.next().await;
    let second = site.next().await;
    assert_eq!(second.header("authorization"), Some("hunter2"));
    assert_eq!(second.header("cookie"), None);
}

#[tokio::test]
async fn methods_and_bodies_follow_rfc_9110() {
    for (method, status, expected, has_body) in [
        (Method::POST, "301 Moved", "GET", false),
        (Method::POST, "302 Found", "GET", false),
        (Method::POST, "303 See Other", "GET", false),
        (Method::POST, "307 Temporary", "POST", true),
        (Method::POST, "308 Permanent", "POST", true),
        (Method::PUT, "301 Moved", "PUT", true),
        (Method::PUT, "302 Found", "PUT", true),
        (Method::PUT, "303 See Other", "GET", false),
        (Method::HEAD, "303 See Other", "HEAD", false),
        (Method::DELETE, "303 See Other", "GET", false),
    ] {
        let mut site = to(status, "/next").await;
        let mut request = client(here(NAMES)).request(method.clone(), &site.on("a.example", "/"));
        if matches!(method, Method::POST | Method::PUT) {
            request = request.json(&[1]);
        }
        request.send().await.unwrap();
        site.next().await;
        let second = site.next().await;
        assert_eq!(second.method(), expected, "{method} {status}");
        assert_eq!(
            second.body,
            if has_body { &b"[1]"[..] } else { b"" },
            "{method} {status}"
        );
        let content_type = has_body.then_some("application/json");
        assert_eq!(
            second.header("content-type"),
            content_type,
            "{method} {status}"
        );
    }
}

#[tokio::test]
async fn a_body_is_not_sent_to_another_origin() {
    let mut other = Site::with_body("other").await;
    let location = other.on("b.example", "/").to_string();
    let site = to("307 Temporary", &*location).await;
    let request = client(here(NAMES))
        .post(&site.on("a.example", "/"))
        .body("hunter2");
    assert_eq!(request.send().await.unwrap_err().kind(), UnsafeRedirect);
    assert!(other.is_quiet());
    // As a GET there is nothing left to send.
    let site = to("303 See Other", location).await;
    let request = client(here(NAMES))
        .post(&site.on("a.example", "/"))
        .header(CONTENT_TYPE, HeaderValue::from_static("text/plain"))
        .body("hunter2");
    request.send().await.unwrap();
    let seen = other.next().await;
    assert_eq!((seen.method(), &*seen.body), ("GET", &b""[..]));
    assert_eq!(seen.header("content-type"), None);
}

#[tokio::test]
async fn another_origin_is_asked_for_nothing_but_safe_methods() {
    let mut other = Site::with_body("other").await;
    // The same host with another port is another origin.
    for host in ["b.example", "a.example"] {
        let location = other.on(host, "/").to_string();
        for (method, status, arrives_as) in [
            (Method::POST, "307 Temporary", None),
            (Method::POST, "308 Permanent", None),
            (Method::PUT, "301 Moved", None),
            (Method::PUT, "307 Temporary", None),
            (Method::DELETE, "302 Found", None),
            (Method::DELETE, "308 Permanent", None),
            (Method::PATCH, "307 Temporary", None),
            (Method::from_bytes(b"PURGE").unwrap(), "307 Temporary", None),
            (Method::GET, "307 Temporary", Some("GET")),
            (Method::HEAD, "308 Permanent", Some("HEAD")),
            (Method::OPTIONS, "307 Temporary", Some("OPTIONS")),
            (Method::POST, "302 Found", Some("GET")),
            (Method::DELETE, "303 See Other", Some("GET")),
        ] {
            let site = to(status, &*location).await;
            let request = client(here(NAMES)).request(method.clone(), &site.on("a.example", "/"));
            let outcome = request.send().await;
            match arrives_as {
                Some(expected) => {
                    outcome.unwrap();
                    assert_eq!(other.next().await.method(), expected);
                }
                None => {
                    let error = outcome.unwrap_err();
                    assert_eq!(error.kind(), UnsafeRedirect, "{method} {status}");
                    assert!(other.is_quiet());
                }
            }
        }
    }
}
