//! The limits at the edge of HTTP, before a request is a call: by address
//! before anybody is authenticated, by principal after.

use std::net::IpAddr;

use super::{Budgets, Ledger, Rate, Refused};
use crate::context::{Host, Principal};

/// The rates at the edge; `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EdgeRates {
    /// Requests of one address.
    pub(crate) address: Option<Rate>,
    /// Requests of one principal.
    pub(crate) principal: Option<Rate>,
    /// Streams of the 2024-11-05 transport that one address opens.
    #[cfg(feature = "sse")]
    pub(crate) stream: Option<Rate>,
}

impl Default for EdgeRates {
    fn default() -> Self {
        Self {
            address: Some(Rate::per_minute(600)),
            principal: None,
            #[cfg(feature = "sse")]
            stream: Some(Rate::per_minute(60)),
        }
    }
}

/// What is left of the edge's rates for each address and principal.
pub(crate) struct EdgeLimits {
    address: Option<Budgets>,
    principal: Option<Budgets>,
    #[cfg(feature = "sse")]
    stream: Option<Budgets>,
}

impl EdgeLimits {
    /// Limits of these rates, counted in `ledger`.
    pub(crate) fn new(rates: &EdgeRates, ledger: &Ledger) -> Self {
        let of = |what, rate: Option<Rate>| rate.map(|rate| ledger.budgets(what, rate));
        Self {
            address: of("address", rates.address),
            principal: of("principal", rates.principal),
            #[cfg(feature = "sse")]
            stream: of("stream", rates.stream),
        }
    }

    /// Counts a request of the address.
    pub(crate) async fn address(&self, address: IpAddr) -> Result<(), Refused> {
        take_address(self.address.as_ref(), address).await
    }

    /// Counts a stream that the address opens.
    #[cfg(feature = "sse")]
    pub(crate) async fn stream(&self, address: IpAddr) -> Result<(), Refused> {
        take_address(self.stream.as_ref(), address).await
    }

    /// Counts a request of the principal.
    pub(crate) async fn principal(&self, principal: &Principal) -> Result<(), Refused> {
        match &self.principal {
            Some(budgets) => budgets.take([principal.limit_key(), b""]).await,
            None => Ok(()),
        }
    }
}

async fn take_address(budgets: Option<&Budgets>, address: IpAddr) -> Result<(), Refused> {
    match budgets {
        Some(budgets) => budgets.take([Host::of(address).key(), b""]).await,
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(rates: EdgeRates) -> EdgeLimits {
        EdgeLimits::new(&rates, &Ledger::new(100))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_are_counted_as_hosts_have_them() {
        let once = limits(EdgeRates {
            address: Some(Rate::per_minute(1)),
            ..EdgeRates::default()
        });
        for (first, same) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.2", "::ffff:192.0.2.2"),
            ("2001:db8::1", "2001:db8::ffff:2"),
        ] {
            assert!(once.address(ip(first)).await.is_ok(), "{first}");
            let refused = once.address(ip(same)).await.unwrap_err();
            assert_eq!(refused.retry_after_seconds(), 60, "{same}");
        }
        assert!(once.address(ip("2001:db8:0:1::1")).await.is_ok());
        // Streams have a budget of their own.
        #[cfg(feature = "sse")]
        assert!(once.stream(ip("192.0.2.1")).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn by_default_addresses_are_limited_and_principals_are_not() {
        let edge = limits(EdgeRates::default());
        let alice = Principal::new("alice", [""; 0]);
        let mut passed = 0;
        while edge.address(ip("192.0.2.1")).await.is_ok() {
            assert!(edge.principal(&alice).await.is_ok());
            passed += 1;
        }
        assert_eq!(passed, 600);
        #[cfg(feature = "sse")]
        {
            let mut streams = 0;
            while edge.stream(ip("192.0.2.1")).await.is_ok() {
                streams += 1;
            }
            assert_eq!(streams, 60);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn principals_are_counted_by_name() {
        let twice = limits(EdgeRates {
            principal: Some(Rate::per_second(2)),
            ..EdgeRates::default()
        });
        let alice = Principal::new("alice", ["admin"]);
        assert!(twice.principal(&alice).await.is_ok());
        let another_key = Principal::new("alice", [""; 0]);
        assert!(twice.principal(&another_key).await.is_ok());
        assert!(twice.principal(&alice).await.is_err());
        assert!(
            twice
                .principal(&Principal::new("bob", [""; 0]))
                .await
                .is_ok()
        );
    }
}
