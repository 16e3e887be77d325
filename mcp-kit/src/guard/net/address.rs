//! Decides which addresses are on the public internet, by IANA's registries.
//!
//! IPv4 is public except for what the registry of special-purpose addresses
//! lists. IPv6 is the reverse: only 2000::/3 has been assigned for public use,
//! so everything else is refused without a line of its own, including loopback,
//! mapped and compatible IPv4, unique local, site-local, link-local and
//! multicast addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Whether packets to `address` go to the public internet, and to no part of it that
/// serves the network or the platform of the sender.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => match behind_nat64(address) {
            Some(address) => is_public(address.into()),
            None => {
                GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|net| net.contains(&address))
            }
        },
    }
}

/// Returns the IPv4 address that a translator of RFC 6052 sends packets for
/// `address` to. On IPv6-only networks, every IPv4 host has such an address.
pub(super) fn behind_nat64(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., a, b, c, d] = address.octets();
    NAT64.contains(&address).then(|| Ipv4Addr::new(a, b, c, d))
}

const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0], 96);

/// The range that IANA has assigned for public use (the registry "IPv6 Global
/// Unicast Address Assignments").
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0], 3);

/// The registry "IPv4 Special-Purpose Address Space" (RFC 6890), what it lists as not
/// globally reachable; and what the registry of multicast addresses holds.
const SPECIAL_V4: &[Ipv4Net] = &[
    v4([0, 0, 0, 0], 8),        // this network, unspecified (RFC 791)
    v4([10, 0, 0, 0], 8),       // private (RFC 1918)
    v4([100, 64, 0, 0], 10),    // shared, CGNAT (RFC 6598); metadata: 100.100.100.200
    v4([127, 0, 0, 0], 8),      // loopback (RFC 1122)
    v4([168, 63, 129, 16], 32), // Azure's platform services: not IANA's, but never public
    v4([169, 254, 0, 0], 16),   // link-local (RFC 3927); metadata: 169.254.169.254
    v4([172, 16, 0, 0], 12),    // private (RFC 1918)
    v4([192, 0, 0, 0], 24),     // protocol assignments (RFC 6890); metadata: 192.0.0.192
    v4([192, 0, 2, 0], 24),     // documentation (RFC 5737)
    v4([192, 88, 99, 0], 24),   // relays of 6to4 (RFC 7526)
    v4([192, 168, 0, 0], 16),   // private (RFC 1918)
    v4([198, 18, 0, 0], 15),    // benchmarking (RFC 2544)
    v4([198, 51, 100, 0], 24),  // documentation (RFC 5737)
    v4([203, 0, 113, 0], 24),   // documentation (RFC 5737)
    v4([224, 0, 0, 0], 4),      // multicast (RFC 5771)
    v4([240, 0, 0, 0], 4),      // reserved (RFC 1112), limited broadcast (RFC 919)
];

/// The registry "IPv6 Special-Purpose Address Space" (RFC 6890), what it lists within
/// [`GLOBAL_V6`]. A few assignments within 2001::/23 are globally reachable; no web
/// server has one of them.
const SPECIAL_V6: &[Ipv6Net] = &[
    v6([0x2001, 0, 0], 23), // protocol assignments (RFC 2928), Teredo (RFC 4380)
    v6([0x2001, 0xdb8, 0], 32), // documentation (RFC 3849)
    v6([0x2002, 0, 0], 16), // 6to4 (RFC 3056): leads to the IPv4 address within it
    v6([0x3fff, 0, 0], 20), // documentation (RFC 9637)
];

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b, c]: [u16; 3], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn is_public_text(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    /// First and last address of each block, with the public neighbours of both. Written
    /// from the registries, not from the table.
    #[test]
    fn blocks_begin_and_end_where_iana_says() {
        for (before, first, last, after) in [
            ("", "0.0.0.0", "0.255.255.255", "1.0.0.0"),
            ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
            (
                "100.63.255.255",
                "100.64.0.0",
                "100.127.255.255",
                "100.128.0.0",
            ),
            (
                "126.255.255.255",
                "127.0.0.0",
                "127.255.255.255",
                "128.0.0.0",
            ),
            (
                "168.63.129.15",
                "168.63.129.16",
                "168.63.129.16",
                "168.63.129.17",
            ),
            (
                "169.253.255.255",
                "169.254.0.0",
                "169.254.255.255",
                "169.255.0.0",
            ),
            (
                "172.15.255.255",
                "172.16.0.0",
                "172.31.255.255",
                "172.32.0.0",
            ),
            ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
            ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
            (
                "192.88.98.255",
                "192.88.99.0",
                "192.88.99.255",
                "192.88.100.0",
            ),
            (
                "192.167.255.255",
                "192.168.0.0",
                "192.168.255.255",
                "192.169.0.0",
            ),
            (
                "198.17.255.255",
                "198.18.0.0",
                "198.19.255.255",
                "198.20.0.0",
            ),
            (
                "198.51.99.255",
                "198.51.100.0",
                "198.51.100.255",
                "198.51.101.0",
            ),
            (
                "203.0.112.255",
                "203.0.113.0",
                "203.0.113.255",
                "203.0.114.0",
            ),
            ("223.255.255.255", "224.0.0.0", "255.255.255.255", ""),
            ("", "::", "1fff:ffff::ffff", "2000::"),
            ("2000:ffff::1", "2001::", "2001:1ff:ffff::", "2001:200::"),
            (
                "2001:db7:ffff::1",
                "2001:db8::",
                "2001:db8:ffff::ffff",
                "2001:db9::",
            ),
            ("2001:ffff::1", "2002::", "2002:ffff::ffff", "2003::"),
            ("3ffe:ffff::1", "3fff::", "3fff:fff:ffff::", "3fff:1000::"),
            ("3fff:ffff::1", "4000::", "ffff:ffff::ffff", ""),
        ] {
            for inside in [first, last] {
                assert!(!is_public_text(inside), "{inside}");
            }
            for outside in [before, after] {
                assert!(outside.is_empty() || is_public_text(outside), "{outside}");
            }
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "192.31.196.1", // AS112: listed, and globally reachable
            "192.52.193.1", // AMT: likewise
            "192.175.48.1", // AS112
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2620:4f:8000::1", // AS112
            "2a00:1450:4001::1",
        ] {
            assert!(is_public_text(address), "{address}");
        }
    }

    /// Every address that std knows to be special is refused, and so is every way to
    /// write an IPv4 address as one of IPv6, but for a translator's.
    #[test]
    fn what_std_calls_special_is_never_public() {
        // A fixed sequence with long runs of equal bits, as real prefixes have.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let prefixes = [
            0_u16, 0x64, 0x2001, 0x2002, 0x3fff, 0xfc00, 0xfe80, 0xfec0, 0xff02,
        ];
        for _ in 0..200_000 {
            let v4 = Ipv4Addr::from_bits((next() >> 32) as u32);
            let special = v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_multicast()
                || v4.is_unspecified();
            assert!(!(special && is_public(v4.into())), "{v4}");

            let [a, b, c, d] = v4.octets().map(u16::from);
            let (high, low) = (a << 8 | b, c << 8 | d);
            for v6 in [
                v4.to_ipv6_mapped(),
                v4.to_ipv6_compatible(),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low),
                Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
            ] {
                assert!(!is_public(v6.into()), "{v6}");
            }
            let translated = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low);
            assert_eq!(
                is_public(translated.into()),
                is_public(v4.into()),
                "{translated}"
            );

            let mut v6 = Ipv6Addr::from_bits(u128::from(next()) << 64 | u128::from(next()));
            for prefix in [v6.segments()[0], prefixes[(next() % 9) as usize]] {
                let [_, rest @ ..] = v6.segments();
                let [b, c, d, e, f, g, h] = rest;
                v6 = Ipv6Addr::new(prefix, b, c, d, e, f, g, h);
                let special = v6.is_loopback()
                    || v6.is_unspecified()
                    || v6.is_multicast()
                    || v6.is_unique_local()
                    || v6.is_unicast_link_local()
                    || v6.to_ipv4().is_some();
                assert!(!(special && is_public(v6.into())), "{v6}");
            }
        }
    }
}
