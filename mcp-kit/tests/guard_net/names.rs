//! What a client makes of a resolver's answers.

use std::io;
use std::net::IpAddr;

use mcp_kit::guard::{HttpClient, HttpErrorKind, Resolve};
use tokio::sync::mpsc;

use crate::site::{Names, Site, answer, builder, here, kind, ok, refusal, url};

use HttpErrorKind::{AddressRefused, ConnectTimeout, HostNotFound, Unreachable};

/// The attack on check-then-connect: the name is public when it is checked, and private
/// when it is connected to.
#[tokio::test]
async fn a_name_that_changes_between_check_and_connection_is_resolved_once() {
    let mut site = Site::with_body("public").await;
    // A neighbour with the same port, which must never be reached.
    let mut private = Site::at(
        (IpAddr::from([127, 0, 0, 2]), site.address.port()).into(),
        |_| ok("private"),
    )
    .await;
    let names = Names::default()
        .with("rebind.example", &["127.0.0.1"])
        .with("rebind.example", &["127.0.0.2"]);
    let client = builder(names.clone()).build().unwrap();
    let url = site.on("rebind.example", "/");
    let first = client.get(&url).send().await.unwrap();
    assert_eq!(first.text().await.unwrap(), "public");
    assert_eq!(names.asked(), ["rebind.example"]);
    // The next connection is checked again.
    assert_eq!(kind(&client, &url).await, AddressRefused);
    assert_eq!(names.asked().len(), 2);
    assert_eq!(
        site.next().await.header("host"),
        Some(&*format!("rebind.example:{}", site.address.port()))
    );
    assert!(private.is_quiet() && site.is_quiet());
}

#[tokio::test]
async fn one_forbidden_address_among_many_refuses_the_name() {
    let mut site = Site::with_body("here").await;
    for list in [
        &["127.0.0.1", "10.0.0.1"][..],
        &["10.0.0.1", "127.0.0.1"],
        &["127.0.0.1", "8.8.8.8", "fe80::1"],
        &["127.0.0.1", "::ffff:127.0.0.1"],
    ] {
        let client = builder(Names::default().with("mixed.example", list))
            .build()
            .unwrap();
        let refused = kind(&client, &site.on("mixed.example", "/")).await;
        assert_eq!(refused, AddressRefused, "{list:?}");
    }
    // Behind any number of good ones: none is cut off before it is looked at.
    let mut many = vec!["127.0.0.1"; 1_000];
    many.push("192.168.0.1");
    let client = builder(Names::default().with("many.example", &many))
        .build()
        .unwrap();
    assert_eq!(
        kind(&client, &site.on("many.example", "/")).await,
        AddressRefused
    );
    assert!(site.is_quiet());
}

#[tokio::test]
async fn addresses_that_do_not_answer_are_passed_over() {
    let site = Site::with_body("here").await;
    let names = Names::default().with("many.example", &["127.0.0.3", "127.0.0.4", "127.0.0.1"]);
    let client = HttpClient::builder()
        .resolver(names)
        .allow_private_networks(["127.0.0.0/8"])
        .build()
        .unwrap();
    let answer = client
        .get(&site.on("many.example", "/"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.text().await.unwrap(), "here");
}

#[tokio::test]
async fn names_without_an_address_are_not_found_and_closed_ports_not_reached() {
    let site = Site::with_body("here").await;
    let names = here(&["here.example"]).with("empty.example", &[]);
    let client = builder(names).build().unwrap();
    for name in ["empty.example", "unknown.example"] {
        assert_eq!(
            kind(&client, &site.on(name, "/")).await,
            HostNotFound,
            "{name}"
        );
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap().port();
    drop(listener);
    let closed = url(&format!("http://here.example:{closed}/"));
    assert_eq!(kind(&client, &closed).await, Unreachable);
}

/// Names whose lookup never ends; it reports when it is given up.
struct Hangs(mpsc::UnboundedSender<()>);

struct GivenUp(mpsc::UnboundedSender<()>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[mcp_kit::async_trait]
impl Resolve for Hangs {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let _until_then = GivenUp(self.0.clone());
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_lookup_that_hangs_is_given_up_within_the_connect_limit() {
    let (tell, mut given_up) = mpsc::unbounded_channel();
    let limit = std::time::Duration::from_millis(20);
    let client = HttpClient::builder()
        .resolver(Hangs(tell))
        .connect_timeout(limit)
        .build()
        .unwrap();
    let error = refusal(&client, &url("http://slow.example/")).await;
    assert_eq!(error.kind(), ConnectTimeout(limit));
    let text = error.to_string();
    assert!(
        text.contains("could not be connected to within 0.0 s"),
        "{text}"
    );
    given_up.recv().await.unwrap();
}

#[tokio::test]
async fn the_host_of_a_redirect_is_resolved_and_checked() {
    let names = here(&["a.example"]).with("private.example", &["10.0.0.1"]);
    let site =
        Site::start(|_| answer("302 Found", "location: http://private.example/\r\n", "")).await;
    let client = builder(names.clone()).build().unwrap();
    assert_eq!(
        kind(&client, &site.on("a.example", "/")).await,
        AddressRefused
    );
    assert_eq!(names.asked(), ["a.example", "private.example"]);
}
