//! The sender of a request: the [`Principal`] that an authenticator found, and
//! its identity in limits.

mod principal;

#[cfg(feature = "http")]
use std::net::IpAddr;

pub use principal::Principal;
#[cfg(feature = "http")]
pub(crate) use principal::{Credential, Extensions};

/// A host's address: one of IPv4, or a /64 of IPv6, which belongs to one host.
/// A host can use more IPv6 addresses than any table could hold, so the /64
/// counts.
#[cfg(feature = "http")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Host {
    /// The first byte is in no name: names are UTF-8.
    bytes: [u8; 9],
    length: u8,
}

#[cfg(feature = "http")]
impl Host {
    pub(crate) fn of(address: IpAddr) -> Self {
        let mut bytes = [0xFF; 9];
        let length = match address.to_canonical() {
            IpAddr::V4(address) => {
                bytes[1..5].copy_from_slice(&address.octets());
                5
            }
            IpAddr::V6(address) => {
                bytes[1..].copy_from_slice(&address.octets()[..8]);
                9
            }
        };
        Self { bytes, length }
    }

    /// Returns its key in limits; no name of a caller is equal to it.
    pub(crate) fn key(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}
