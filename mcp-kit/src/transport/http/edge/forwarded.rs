//! Finds the client's address, also behind proxies.
//!
//! The socket's address is the client's unless it belongs to a proxy that the
//! operator has named. Then the last entry of `X-Forwarded-For` is the address
//! that this proxy saw, the one before it is the address that the proxy before
//! saw, and so on: the entries are read from the right, and the first that is
//! not a trusted proxy's address is the client's. The client sent everything to
//! the left of it, and may write anything there.
//!
//! `Forwarded` (RFC 7239) is not read: few proxies write it, the others pass it
//! on as the client sent it, and a request does not show which of the two
//! happened.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// The proxies whose `X-Forwarded-For` is trusted; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Trusts an address, a network such as `10.0.0.0/8`, or one of the words
    /// `loopback` (127.0.0.0/8, ::1) and `private` (RFC 1918 and fc00::/7).
    pub(crate) fn trust(&mut self, text: &str) -> Result<(), InvalidProxy> {
        let text = text.trim();
        match text {
            "loopback" => self.0.extend(LOOPBACK),
            "private" => self.0.extend(PRIVATE),
            _ => self
                .0
                .push(network(text).ok_or_else(|| InvalidProxy(text.to_owned()))?),
        }
        Ok(())
    }

    /// Returns the client's address. `peer` is the socket's.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trusts(client) {
            return client;
        }
        // Several lines are one list, in their order (RFC 9110, section 5.3).
        let entries = headers
            .get_all("x-forwarded-for")
            .iter()
            .rev()
            .flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for entry in entries {
            // The sender of an invalid entry is the last known address.
            let Some(address) = forwarded_address(entry) else {
                break;
            };
            client = address;
            if !self.trusts(client) {
                break;
            }
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

const LOOPBACK: [IpNet; 2] = [
    IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
    IpNet::new_assert(IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
];

const PRIVATE: [IpNet; 4] = [
    IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), 8),
    IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), 12),
    IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), 16),
    IpNet::new_assert(IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), 7),
];

/// Parses an address, or a network whose address has no bits set outside its
/// prefix: `10.0.0.1/8` is more likely a mistake than 16 million proxies.
fn network(text: &str) -> Option<IpNet> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical().into());
    }
    let network: IpNet = text.parse().ok()?;
    (network.addr() == network.network()).then_some(network)
}

/// Parses an entry of `X-Forwarded-For`: an address, or one with a port, as
/// some proxies write it.
fn forwarded_address(entry: &[u8]) -> Option<IpAddr> {
    let entry = std::str::from_utf8(entry).ok()?.trim_matches([' ', '\t']);
    let address = match entry.parse::<IpAddr>() {
        Ok(address) => address,
        Err(_) => match entry
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(inner) => IpAddr::V6(inner.parse().ok()?),
            None => entry.parse::<SocketAddr>().ok()?.ip(),
        },
    };
    Some(address.to_canonical())
}

/// A text that is not a valid proxy address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidProxy(String);

impl fmt::Display for InvalidProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} names no trusted proxy: give an address, a network that begins at its own address such as 10.0.0.0/8, `loopback` or `private`",
            self.0
        )
    }
}

impl std::error::Error for InvalidProxy {}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn proxies(texts: &[&str]) -> TrustedProxies {
        let mut proxies = TrustedProxies::default();
        for text in texts {
            proxies.trust(text).unwrap();
        }
        proxies
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn forwarded(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_str(line).unwrap());
        }
        headers
    }

    #[test]
    fn only_named_proxies_are_believed() {
        let headers = forwarded(&["198.51.100.7"]);
        for peer in ["127.0.0.1", "10.0.0.1", "::1", "203.0.113.5"] {
            assert_eq!(
                TrustedProxies::default().client(ip(peer), &headers),
                ip(peer)
            );
        }
    }

    #[test]
    fn the_walk_from_the_right_ends_at_the_first_that_is_no_proxy() {
        let proxies = proxies(&["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.1"]);
        for (peer, lines, client) in [
            ("10.0.0.1", &["198.51.100.7"][..], "198.51.100.7"),
            (
                "10.0.0.1",
                &["spoofed, 1.1.1.1, 198.51.100.7"],
                "198.51.100.7",
            ),
            (
                "10.0.0.1",
                &["1.1.1.1", "198.51.100.7, 10.2.3.4", "2001:db8:1::2"],
                "198.51.100.7",
            ),
            // A socket of both families shows IPv4 peers in IPv6's form.
            ("::ffff:10.0.0.1", &["::ffff:198.51.100.7"], "198.51.100.7"),
            ("192.0.2.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("192.0.2.1", &["[2001:db8::7]:443"], "2001:db8::7"),
            ("192.0.2.1", &["[2001:db8::7]"], "2001:db8::7"),
            // An invalid entry ends the walk at its sender.
            ("10.0.0.1", &["198.51.100.7, unknown, 10.0.0.9"], "10.0.0.9"),
            ("10.0.0.1", &["198.51.100.7,,"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7:http"], "10.0.0.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            // The first of a chain of proxies made the request itself.
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            // Not among the proxies: its header cannot be trusted.
            ("192.0.2.2", &["198.51.100.7"], "192.0.2.2"),
        ] {
            assert_eq!(
                proxies.client(ip(peer), &forwarded(lines)),
                ip(client),
                "{peer} {lines:?}"
            );
        }
    }

    #[test]
    fn words_stand_for_networks() {
        for (word, inside, outside) in [
            (
                "loopback",
                &["127.0.0.1", "127.9.9.9", "::1"][..],
                "10.0.0.1",
            ),
            (
                "private",
                &["10.1.2.3", "172.31.0.1", "192.168.0.1", "fd00::1"],
                "172.32.0.1",
            ),
        ] {
            let proxies = proxies(&[word]);
            for proxy in inside {
                assert!(proxies.trusts(ip(proxy)), "{word} {proxy}");
            }
            assert!(!proxies.trusts(ip(outside)), "{word} {outside}");
        }
    }

    #[test]
    fn what_names_no_network_is_refused_with_what_would() {
        for text in [
            "",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "proxy.internal",
            "*",
            "10.0.0.0/8,::1",
        ] {
            let error = TrustedProxies::default()
                .trust(text)
                .unwrap_err()
                .to_string();
            assert!(error.contains("10.0.0.0/8"), "{error}");
        }
    }

    /// The same sequence in every run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 33) % bound
        }

        fn address(&mut self, first: u8) -> IpAddr {
            let [a, b, c] = [self.below(256), self.below(256), self.below(256)];
            ip(&format!("{first}.{a}.{b}.{c}"))
        }

        /// An address as one proxy or another writes it.
        fn written(&mut self, address: IpAddr) -> String {
            match self.below(4) {
                0 => address.to_string(),
                1 => format!("{address}:{}", self.below(65_536)),
                2 => format!("::ffff:{address}"),
                _ => format!("[::ffff:{address}]:{}", self.below(65_536)),
            }
        }

        /// Returns a header that a client sends to fake its address.
        fn spoof(&mut self) -> Vec<u8> {
            (0..self.below(12))
                .map(|_| b"0123456789.,:[] \tfx\xff-"[self.below(21) as usize])
                .collect()
        }
    }

    #[test]
    fn whatever_a_client_sends_it_is_seen_where_it_is() {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let proxies = proxies(&["10.0.0.0/8"]);
        for _ in 0..20_000 {
            let client = random.address(198);
            let mut headers = HeaderMap::new();
            for _ in 0..random.below(3) {
                let spoof = HeaderValue::from_bytes(&random.spoof()).unwrap();
                headers.append("x-forwarded-for", spoof);
            }
            // Straight to the server.
            assert_eq!(proxies.client(client, &headers), client);
            // Through proxies, each of which adds the address that it sees: on
            // the last line, or on one of its own.
            let mut seen = client;
            for _ in 0..=random.below(3) {
                let entry = random.written(seen).into_bytes();
                let mut lines: Vec<HeaderValue> =
                    headers.get_all("x-forwarded-for").iter().cloned().collect();
                let line = match lines.pop() {
                    Some(last) if random.below(2) == 0 => [last.as_bytes(), b", ", &entry].concat(),
                    Some(last) => {
                        lines.push(last);
                        entry
                    }
                    None => entry,
                };
                lines.push(HeaderValue::from_bytes(&line).unwrap());
                headers.clear();
                for line in lines {
                    headers.append("x-forwarded-for", line);
                }
                seen = random.address(10);
            }
            assert_eq!(proxies.client(seen, &headers), client, "{headers:?}");
        }
    }
}
