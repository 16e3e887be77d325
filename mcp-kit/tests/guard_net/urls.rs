//! Which URLs a `SafeUrl` is made of.

use mcp_kit::guard::{SafeUrl, SafeUrlError};

use SafeUrlError::{Characters, Host, Notation, Port, Scheme, TooLong, UserInfo};

#[test]
fn urls_that_programs_read_in_different_ways_are_refused() {
    for (text, expected) in [
        ("", Scheme),
        ("example.com", Scheme),
        ("//example.com/", Scheme),
        ("http:example.com", Scheme),
        ("http:/example.com", Scheme),
        ("file:///etc/passwd", Scheme),
        ("ftp://example.com/", Scheme),
        ("gopher://example.com/", Scheme),
        ("javascript:alert(1)", Scheme),
        ("data:text/plain,hello", Scheme),
        ("view-source:http://example.com", Scheme),
        ("blob:https://example.com/1", Scheme),
        ("ws://example.com/", Scheme),
        ("http://user@example.com/", UserInfo),
        ("http://user:pass@example.com/", UserInfo),
        ("http://:@example.com/", UserInfo),
        ("http://example.com@127.0.0.1/", UserInfo),
        ("http://example.com\\@127.0.0.1/", Characters),
        ("http:\\\\example.com/", Characters),
        ("http://example.com/a b", Characters),
        (" http://example.com/", Characters),
        ("http://example.com/\n", Characters),
        ("http://exa\tmple.com/", Characters),
        ("http://example.com/\0", Characters),
        ("http://example.com/\u{85}", Characters),
        ("http://example.com/\u{2028}", Characters),
        ("http://", Host),
        ("http:///example.com/", Host),
        ("http://?q", Host),
        ("http://:80/", Host),
        ("http://exa%6dple.com/", Host),
        ("http://%31%32%37.0.0.1/", Host),
        ("http://[fe80::1%25eth0]/", Host),
        ("http://[fe80::1%eth0]/", Host),
        ("http://[::1/", Host),
        ("http://[:::1]/", Host),
        ("http://[v1.fe80]/", Host),
        ("http://a..b/", Host),
        ("http://.example.com/", Host),
        ("http://example.com../", Host),
        ("http://a,b/", Host),
        ("http://$host/", Host),
        ("http://1.2.3/x.4.5.6.7:1", Notation),
        ("http://1.2.3.4.5/", Host),
        ("http://256.0.0.1/", Host),
        ("http://example.com:0/", Port),
        ("http://example.com:65536/", Host),
        ("http://example.com:x/", Host),
    ] {
        assert_eq!(SafeUrl::parse(text).unwrap_err(), expected, "{text:?}");
    }
}

#[test]
fn ipv4_addresses_have_one_notation() {
    for host in [
        "0177.0.0.1",   // octal
        "0x7f.0.0.1",   // hexadecimal
        "0X7F.0.0.1",   //
        "2130706433",   // decimal
        "017700000001", // octal, one number
        "0x7f000001",   // hexadecimal, one number
        "127.1",        // short
        "127.0.1",      //
        "127.0.0.01",   // leading zero
        "127.0.0.1.",   // trailing dot
        "0",            //
        "１２７.0.0.1", // full-width digits
        "127。0。0。1", // ideographic full stops
        "①②⑦.⓪.⓪.①",    // enclosed digits
        "0x08.8.8.8",   // public, but as odd
    ] {
        let text = format!("http://{host}/");
        assert_eq!(SafeUrl::parse(&text), Err(Notation), "{text}");
    }
    assert!(SafeUrl::parse("http://8.8.8.8:8080/").is_ok());
}

#[test]
fn other_urls_are_taken_in_their_normal_form() {
    for (text, normal) in [
        ("http://example.com", "http://example.com/"),
        (
            "HTTPS://EXAMPLE.com:443/A/../b?q=1#top",
            "https://example.com/b?q=1",
        ),
        ("https://example.com./", "https://example.com./"),
        (
            "https://bücher.example/ä",
            "https://xn--bcher-kva.example/%C3%A4",
        ),
        (
            "http://my_host.example:8080/?a@b",
            "http://my_host.example:8080/?a@b",
        ),
        (
            "http://example.com/user@host",
            "http://example.com/user@host",
        ),
        (
            "http://example.com?x=http://y@z",
            "http://example.com/?x=http://y@z",
        ),
        ("http://[2001:DB8:0::1]/", "http://[2001:db8::1]/"),
        // The part after the number sign is not a host.
        ("http://example.com#@127.0.0.1/", "http://example.com/"),
        // The client refuses it, unless it has an exception for it.
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
        ("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
    ] {
        let url = SafeUrl::parse(text).unwrap();
        assert_eq!(url.as_str(), normal);
        // The normal form is a `SafeUrl` again.
        assert_eq!(SafeUrl::parse(normal), Ok(url));
    }
}

#[test]
fn a_url_has_a_limit_as_it_is_written_and_as_it_is_sent() {
    let with = |letter: &str, count: usize| {
        SafeUrl::parse(&format!("http://example.com/{}", letter.repeat(count)))
    };
    let room = SafeUrl::MAX_BYTES - "http://example.com/".len();
    assert!(with("a", room).is_ok());
    assert_eq!(with("a", room + 1), Err(TooLong));
    // Two bytes that are sent as six.
    assert_eq!(with("é", room / 2), Err(TooLong));
    let label = format!("http://{}.com/", "a".repeat(64));
    assert_eq!(SafeUrl::parse(&label), Err(Host));
}

#[test]
fn debug_output_has_no_path_and_no_query() {
    let url = SafeUrl::parse("https://example.com/hunter2?key=hunter2").unwrap();
    let debug = format!("{url:?}");
    assert!(
        debug.contains("https://example.com") && !debug.contains("hunter2"),
        "{debug}"
    );
}

/// The client hands its URL to hyper, which parses the text again. If the two found
/// different hosts, one would be checked and the other connected to.
#[test]
fn every_accepted_url_has_the_same_host_for_hyper_and_when_read_again() {
    let pieces = [
        "http://",
        "https://",
        "HTTP://",
        "http:",
        "/",
        "//",
        "\\",
        "?",
        "#",
        "@",
        ":",
        "%",
        "%2f",
        "%00",
        "%40",
        "[",
        "]",
        "::1",
        "::ffff:",
        "127.0.0.1",
        "10.1",
        "0x7f",
        "0177",
        "2130706433",
        "example.com",
        "a",
        "-",
        "_",
        ".",
        "..",
        "。",
        "．",
        "①",
        "ä",
        "ß",
        "xn--",
        "\u{ad}",
        "\u{200d}",
        "\u{feff}",
        "\t",
        "\n",
        " ",
        "&",
        "=",
        ";",
        ",",
        "!",
        "*",
        "|",
        "^",
        "`",
        "{",
        ":80",
        ":443",
        ":0",
        ":99999",
        "user",
        "localhost",
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % limit
    };
    let mut accepted = 0;
    for _ in 0..200_000 {
        let mut text = pieces[next(4)].to_owned();
        for _ in 0..=next(5) {
            text += pieces[next(pieces.len())];
        }
        let Ok(url) = SafeUrl::parse(&text) else {
            continue;
        };
        accepted += 1;
        let again = SafeUrl::parse(url.as_str());
        assert_eq!(again.as_ref(), Ok(&url), "{text:?}");
        let uri: mcp_kit::http::Uri = url.as_str().parse().unwrap();
        assert_eq!(uri.host(), url.as_url().host_str(), "{text:?}");
        let authority = uri.authority().unwrap().as_str();
        assert!(!authority.contains('@'), "{text:?}");
        assert_eq!(uri.port_u16(), url.as_url().port(), "{text:?}");
    }
    assert!(accepted > 1_000, "{accepted}");
}
