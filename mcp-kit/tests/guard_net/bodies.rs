//! Bodies: limits, compression, and what breaks off.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use mcp_kit::ToolError;
use mcp_kit::guard::{HttpErrorKind, HttpResponse};
use serde::Deserialize;

use crate::site::{Answer, Site, answer, builder, client, here};

use HttpErrorKind::{BadAnswer, NotJson, NotText, TooLarge};

const NAMES: &[&str] = &["a.example"];
const LIMIT: usize = 64 << 10;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn fetch(site: &Site) -> HttpResponse {
    let client = builder(here(NAMES)).body_bytes(LIMIT).build().unwrap();
    client.get(&site.on("a.example", "/")).send().await.unwrap()
}

/// What becomes of a body with these headers.
async fn read(headers: &'static str, body: Vec<u8>) -> Result<usize, HttpErrorKind> {
    let site = Site::start(move |_| answer("200 OK", headers, &body)).await;
    let body = fetch(&site).await.bytes().await;
    body.map(|bytes| bytes.len()).map_err(|error| error.kind())
}

const GZIP: &str = "content-encoding: gzip\r\n";

#[tokio::test]
async fn a_body_is_read_up_to_the_limit() {
    assert_eq!(read("", vec![b'x'; LIMIT]).await, Ok(LIMIT));
    assert_eq!(read("", vec![b'x'; LIMIT + 1]).await, Err(TooLarge(LIMIT)));
    assert_eq!(read(GZIP, gzip(&vec![b'x'; LIMIT])).await, Ok(LIMIT));
    let over = gzip(&vec![b'x'; LIMIT + 1]);
    assert_eq!(read(GZIP, over).await, Err(TooLarge(LIMIT)));
    assert_eq!(read("", Vec::new()).await, Ok(0));
}

#[tokio::test]
async fn a_body_without_a_length_is_counted_as_it_arrives() {
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    ] {
        let then = match head.contains("chunked") {
            true => "3e8\r\n".to_owned() + &"x".repeat(1_000) + "\r\n",
            false => "x".repeat(1_000),
        };
        let mut site =
            Site::start(move |_| Answer::Endless(head.into(), then.clone().into())).await;
        let error = fetch(&site).await.bytes().await.unwrap_err();
        assert_eq!(error.kind(), TooLarge(LIMIT));
        // The server is not left writing.
        site.end_of_connection().await;
    }
}

#[tokio::test]
async fn trailers_without_an_end_are_refused() {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n";
    let mut site = Site::start(|_| Answer::Endless(head.to_vec(), b"x: y\r\n".to_vec())).await;
    let error = fetch(&site).await.bytes().await.unwrap_err();
    assert_eq!(error.kind(), BadAnswer);
    site.end_of_connection().await;
}

#[tokio::test]
async fn an_announced_length_above_the_limit_is_refused_before_anything_is_read() {
    let mut site = Site::start(|_| {
        Answer::Held(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n".to_vec())
    })
    .await;
    let error = fetch(&site).await.bytes().await.unwrap_err();
    assert_eq!(error.kind(), TooLarge(LIMIT));
    site.end_of_connection().await;
}

#[tokio::test]
async fn a_decompression_bomb_is_cut_off() {
    // 16 MiB in some 16 KiB.
    let bomb = gzip(&vec![0; 16 << 20]);
    assert!(bomb.len() < 32 << 10);
    let site = Site::start(move |_| answer("200 OK", GZIP, &bomb)).await;
    let mut answer = fetch(&site).await;
    let (mut longest, mut read) = (0, 0);
    let error = loop {
        match answer.chunk().await {
            Ok(chunk) => {
                let bytes = chunk.unwrap().len();
                longest = longest.max(bytes);
                read += bytes;
            }
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), TooLarge(LIMIT));
    assert!(longest <= 64 << 10 && read <= LIMIT, "{longest} {read}");
}

#[tokio::test]
async fn an_encoding_that_is_not_read_is_no_garbled_text() {
    for headers in [
        "content-encoding: br\r\n",
        "content-encoding: gzip, gzip\r\n",
        "content-encoding: zstd\r\n",
        "content-encoding: hunter2\r\n",
    ] {
        let refused = read(headers, gzip(&gzip(b"text"))).await;
        assert_eq!(refused, Err(BadAnswer), "{headers}");
    }
    assert_eq!(
        read("content-encoding: identity\r\n", b"text".to_vec()).await,
        Ok(4)
    );
    assert_eq!(
        read("content-encoding: GZIP\r\n", b"text".to_vec()).await,
        Err(BadAnswer)
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    let gzipped = gzip(&vec![b'x'; 10_000]);
    let cut = gzipped[..gzipped.len() - 6].to_vec();
    assert_eq!(read(GZIP, cut).await, Err(BadAnswer));
    let mut damaged = gzipped.clone();
    let last = damaged.len() - 8;
    damaged[last] ^= 1;
    assert_eq!(read(GZIP, damaged).await, Err(BadAnswer));
    for whole in [
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nha",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\nhalf\r\n",
    ] {
        let site = Site::start(|_| Answer::Whole(whole.into())).await;
        let error = fetch(&site).await.text().await.unwrap_err();
        assert_eq!(error.kind(), BadAnswer, "{whole}");
    }
}

#[tokio::test]
async fn text_is_utf_8_without_its_mark() {
    let text = async |headers: &'static str, body: &'static [u8]| {
        let site = Site::start(move |_| answer("200 OK", headers, body)).await;
        fetch(&site)
            .await
            .text()
            .await
            .map_err(|error| error.kind())
    };
    assert_eq!(
        text("", "\u{feff}naïve".as_bytes()).await,
        Ok("naïve".to_owned())
    );
    let latin = "content-type: text/plain; charset=iso-8859-1\r\n";
    assert_eq!(text(latin, b"plain").await, Ok("plain".to_owned()));
    assert_eq!(text(latin, b"na\xefve").await, Err(NotText));
}

#[derive(Debug, Deserialize)]
struct Page {
    title: String,
}

#[tokio::test]
async fn json_is_read_and_a_wrong_body_is_never_quoted() {
    let site = Site::with_body(r#"{"title": "t"}"#).await;
    let page: Page = fetch(&site).await.json().await.unwrap();
    assert_eq!(page.title, "t");
    for body in [
        "hunter2",
        r#"{"hunter2": 1}"#,
        r#"{"title": ["hunter2"]}"#,
        "",
    ] {
        let site = Site::with_body(body).await;
        let error = fetch(&site).await.json::<Page>().await.unwrap_err();
        assert_eq!(error.kind(), NotJson);
        let error = ToolError::from(error);
        assert!(error.has_message());
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn debug_output_has_no_body_and_no_values_of_headers() {
    let site = Site::start(|_| answer("200 OK", "set-cookie: hunter2\r\n", "hunter2")).await;
    let answer = fetch(&site).await;
    assert!(!format!("{answer:?}").contains("hunter2"));
    let request = client(here(NAMES))
        .post(&site.on("a.example", "/hunter2"))
        .header(mcp_kit::http::header::COOKIE, "hunter2".parse().unwrap())
        .body("hunter2");
    assert!(!format!("{request:?}").contains("hunter2"));
}
