//! Addresses and hosts that a client does not connect to.

use mcp_kit::guard::{HttpClient, HttpClientError, HttpErrorKind};

use crate::site::{CERTIFICATE, Names, Site, builder, client, here, kind, refusal, url};

use HttpErrorKind::{AddressRefused, HostRefused, NotEncrypted};

/// Not public, as literals: loopback, private, metadata, embedded and the rest.
pub const FORBIDDEN: &[&str] = &[
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200", // Alibaba's metadata
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",   // Azure's platform services
    "169.254.169.254", // metadata
    "169.254.170.2",   // ECS' credentials
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192", // Oracle's metadata
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",           // compatible: 127.0.0.1
    "::808:808",          // compatible: 8.8.8.8
    "::ffff:127.0.0.1",   // mapped
    "::ffff:8.8.8.8",     // mapped, public
    "::ffff:0:127.0.0.1", // translated (RFC 2765)
    "64:ff9b::7f00:1",    // NAT64: 127.0.0.1
    "64:ff9b::a9fe:a9fe", // NAT64: 169.254.169.254
    "64:ff9b:1::808:808", // NAT64 for local use
    "64:ff9b:1:ffff::1",
    "100::1",              // discard-only
    "2001::1",             // Teredo
    "2001:0:4136:e378::1", // Teredo, a server of its own
    "2001:2::1",           // benchmarking
    "2001:10::1",          // ORCHID
    "2001:20::1",          // ORCHIDv2
    "2001:db8::1",         // documentation
    "2002:7f00:1::1",      // 6to4: 127.0.0.1
    "2002:808:808::1",     // 6to4: 8.8.8.8
    "3fff::1",             // documentation
    "4000::1",             // not given out
    "5f00::1",             // segment routing
    "fc00::1",
    "fd00:ec2::254", // AWS' metadata
    "fd20:ce::254",  // Google's metadata
    "fe80::1",
    "fec0::1", // site-local
    "ff02::1",
];

fn literal(address: &str) -> String {
    match address.contains(':') {
        true => format!("http://[{address}]/latest/meta-data/"),
        false => format!("http://{address}/latest/meta-data/"),
    }
}

#[tokio::test]
async fn addresses_that_are_not_public_are_refused_in_a_url() {
    let client = HttpClient::builder().build().unwrap();
    for address in FORBIDDEN {
        let refused = kind(&client, &url(&literal(address))).await;
        assert_eq!(refused, AddressRefused, "{address}");
    }
}

#[tokio::test]
async fn names_of_addresses_that_are_not_public_are_refused() {
    for address in FORBIDDEN {
        let names = Names::default().with("host.example", &[address]);
        let client = HttpClient::builder()
            .resolver(names.clone())
            .root_certificates(CERTIFICATE)
            .build()
            .unwrap();
        for scheme in ["http", "https"] {
            let error = refusal(&client, &url(&format!("{scheme}://host.example/"))).await;
            assert_eq!(error.kind(), AddressRefused, "{address}");
            let text = format!("{error} {error:?}");
            assert!(address.len() < 4 || !text.contains(address), "{text}");
        }
    }
}

#[tokio::test]
async fn the_system_resolves_localhost_to_an_address_that_is_refused() {
    let client = HttpClient::builder().build().unwrap();
    for name in ["localhost", "LOCALHOST", "ｌocalhost"] {
        let refused = kind(&client, &url(&format!("http://{name}:9/"))).await;
        assert_eq!(refused, AddressRefused, "{name}");
    }
}

#[tokio::test]
async fn an_exempt_address_is_exempt_with_its_port_and_as_a_literal_alone() {
    let site = Site::with_body("here").await;
    let port = site.address.port();
    let client = HttpClient::builder()
        .resolver(here(&["named.example"]))
        .allow_hosts(["other.example"])
        .allow_private_address(site.address)
        .build()
        .unwrap();
    let answer = client.get(&site.on("127.0.0.1", "/")).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "here");
    for (host, expected) in [
        ("named.example", HostRefused),
        ("127.0.0.2", HostRefused),
        ("[::1]", HostRefused),
        ("[::ffff:127.0.0.1]", HostRefused),
    ] {
        assert_eq!(kind(&client, &site.on(host, "/")).await, expected, "{host}");
    }
    let other_port = url(&format!("http://127.0.0.1:{}/", port ^ 1));
    assert_eq!(kind(&client, &other_port).await, HostRefused);

    let open = HttpClient::builder()
        .resolver(here(&["named.example"]))
        .allow_private_address(site.address)
        .build()
        .unwrap();
    for host in [
        "named.example",
        "127.0.0.2",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
    ] {
        assert_eq!(
            kind(&open, &site.on(host, "/")).await,
            AddressRefused,
            "{host}"
        );
    }
    assert_eq!(kind(&open, &other_port).await, AddressRefused);
}

#[tokio::test]
async fn an_allow_list_names_hosts_and_says_what_is_below_them() {
    let site = Site::with_body("here").await;
    let hosts = [
        "example.com",
        "api.example.com",
        "a.b.example.com",
        "badexample.com",
    ];
    let client = builder(here(&hosts))
        .allow_hosts(["*.EXAMPLE.com"])
        .build()
        .unwrap();
    for (host, is_allowed) in [
        ("api.example.com", true),
        ("API.Example.com", true),
        ("a.b.example.com", true),
        ("example.com", false),
        ("badexample.com", false),
        ("example.com.evil.example", false),
        ("127.0.0.1", false),
    ] {
        let answer = client.get(&site.on(host, "/")).send().await;
        match is_allowed {
            true => assert_eq!(answer.unwrap().text().await.unwrap(), "here", "{host}"),
            false => assert_eq!(answer.unwrap_err().kind(), HostRefused, "{host}"),
        }
    }
}

#[tokio::test]
async fn an_address_of_ipv6_is_a_host_of_a_list_with_brackets_and_without() {
    // Refused before a connection, so that no packet leaves: the deny list of networks is
    // looked at after the lists of hosts.
    for written in ["2606:4700::1111", "[2606:4700::1111]", "2606:4700:0::1111"] {
        let client = HttpClient::builder()
            .allow_hosts([written])
            .deny_networks(["2606:4700::/32"])
            .build()
            .unwrap();
        let listed = kind(&client, &url("http://[2606:4700::1111]/")).await;
        assert_eq!(listed, AddressRefused, "{written}");
        let other = kind(&client, &url("http://[2606:4700::1112]/")).await;
        assert_eq!(other, HostRefused, "{written}");

        let client = HttpClient::builder().deny_hosts([written]).build().unwrap();
        let denied = kind(&client, &url("http://[2606:4700:0:0::1111]/")).await;
        assert_eq!(denied, HostRefused, "{written}");
    }
}

/// What the documentation of `HttpClient` advises for public addresses of one's own.
#[tokio::test]
async fn public_addresses_of_ones_own_network_are_refused_by_a_list() {
    let names = Names::default()
        .with("intranet.example", &["2001:4860:1::5"])
        .with("nat64.example", &["2001:4860:64::a00:1"]);
    let client = HttpClient::builder()
        .resolver(names)
        .deny_networks(["2001:4860:1::/48", "2001:4860:64::/96"])
        .build()
        .unwrap();
    for host in [
        "intranet.example",
        "nat64.example",
        "[2001:4860:1::5]",
        "[2001:4860:64::a00:1]",
    ] {
        let refused = kind(&client, &url(&format!("http://{host}/"))).await;
        assert_eq!(refused, AddressRefused, "{host}");
    }
}

#[tokio::test]
async fn a_deny_list_has_the_last_word() {
    let site = Site::with_body("here").await;
    let names = here(&["a.example", "b.example", "a.example."]);
    let client = builder(names.clone())
        .allow_hosts(["*.example", "127.0.0.1"])
        .deny_hosts(["a.example", "127.0.0.1"])
        .build()
        .unwrap();
    for host in ["a.example", "a.example.", "127.0.0.1"] {
        assert_eq!(
            kind(&client, &site.on(host, "/")).await,
            HostRefused,
            "{host}"
        );
    }
    client.get(&site.on("b.example", "/")).send().await.unwrap();

    let client = builder(names.with("nat64.example", &["64:ff9b::1.2.3.4"]))
        .allow_private_address(site.address)
        .deny_networks(["127.0.0.0/8", "1.2.0.0/16"])
        .build()
        .unwrap();
    for host in [
        "a.example",
        "127.0.0.1",
        "1.2.3.4",
        "[64:ff9b::1.2.3.4]",
        "nat64.example",
    ] {
        assert_eq!(
            kind(&client, &site.on(host, "/")).await,
            AddressRefused,
            "{host}"
        );
    }
}

#[tokio::test]
async fn a_client_for_https_alone_refuses_http() {
    let client = builder(here(&["a.example"])).https_only().build().unwrap();
    assert_eq!(kind(&client, &url("http://a.example/")).await, NotEncrypted);
}

#[test]
fn lists_that_cannot_be_read_are_refused_with_the_option_to_mend() {
    for host in [
        "",
        "*",
        "*.",
        "http://a.example",
        "a.example:80",
        "a b",
        "*.10.0.0.1",
        "a.*",
        "*.2606:4700::1111",
        "2606:4700::1111:80:0:0:0:0:1",
        "[::1",
    ] {
        let error = HttpClient::builder()
            .allow_hosts([host])
            .build()
            .unwrap_err();
        assert_eq!(error, HttpClientError::Host(host.to_owned()));
        assert!(error.to_string().contains("allow_hosts"), "{error}");
    }
    for network in ["", "10.0.0.1", "10.0.0.0/33", "localhost/8"] {
        let error = HttpClient::builder()
            .deny_networks([network])
            .build()
            .unwrap_err();
        assert_eq!(error, HttpClientError::Network(network.to_owned()));
    }
    HttpClient::builder()
        .user_agent("a\nb")
        .build()
        .unwrap_err();
    HttpClient::builder()
        .root_certificates(b"none")
        .build()
        .unwrap_err();
}

#[tokio::test]
async fn a_refusal_is_a_readable_tool_error_without_addresses() {
    use mcp_kit::ToolError;
    let names = Names::default().with("internal.example", &["10.1.2.3"]);
    let client = client(names);
    let refused = refusal(&client, &url("http://internal.example/secret?q=hunter2")).await;
    let error = ToolError::from(refused);
    assert_eq!(
        error.message(),
        Some(
            "The URL has a host that is not on the public internet, and such hosts may not be reached. Use the URL of a public host."
        )
    );
    let debug = format!("{error:?}");
    assert!(
        !debug.contains("hunter2") && !debug.contains("10.1.2.3"),
        "{debug}"
    );

    let refused = refusal(&client, &url("http://unknown.example/")).await;
    let error = ToolError::from(refused);
    let message = error.message().unwrap().to_owned();
    assert!(
        message.contains("was not found") && !message.contains("10.0.0.53"),
        "{message}"
    );
    // The operator sees what the resolver said.
    let mut source = error
        .source()
        .map(|source| source as &dyn std::error::Error);
    let mut log = String::new();
    while let Some(error) = source {
        log += &error.to_string();
        source = error.source();
    }
    assert!(log.contains("NXDOMAIN"), "{log}");
}
