//! Limits the rates of HTTP requests before they become calls: by address for
//! unauthenticated requests, by principal for the others.
//!
//! Whether a caller is known shows only after authentication, and guessing keys
//! must be limited before it. So each request counts against its address when
//! it arrives, and is given back once its caller is authenticated: many users
//! behind one address are not one client.

use std::net::IpAddr;

use crate::caller::{Host, Principal};
use crate::limits::{Budgets, Key, Ledger, Rate, Refused};

/// The rates at the edge; `None` means no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EdgeRates {
    /// Unauthenticated requests of one address.
    pub(crate) address: Option<Rate>,
    /// Requests of one principal.
    pub(crate) principal: Option<Rate>,
    /// Streams of the 2024-11-05 transport that one caller opens.
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

/// The remaining budget of each address and principal.
pub(crate) struct EdgeLimits {
    address: Option<Budgets>,
    principal: Option<Budgets>,
    #[cfg(feature = "sse")]
    stream: Option<Budgets>,
}

impl EdgeLimits {
    /// Creates limits of these rates, counted in `ledger`.
    pub(crate) fn new(rates: &EdgeRates, ledger: &Ledger) -> Self {
        let of = |what, rate: Option<Rate>| rate.map(|rate| ledger.budgets(what, rate));
        Self {
            address: of("address", rates.address),
            principal: of("principal", rates.principal),
            #[cfg(feature = "sse")]
            stream: of("stream", rates.stream),
        }
    }

    /// Counts a request against its address until its caller is known.
    pub(crate) fn arrival(&self, address: IpAddr) -> Result<Arrival<'_>, Refused> {
        let arrival = Arrival {
            budgets: self.address.as_ref(),
            host: Host::of(address),
        };
        if let Some(budgets) = arrival.budgets {
            budgets.reserve(arrival.key())?;
        }
        Ok(arrival)
    }

    /// Counts a stream that the principal opens. An unauthenticated one counts
    /// against its host.
    #[cfg(feature = "sse")]
    pub(crate) async fn stream(&self, principal: &Principal) -> Result<(), Refused> {
        take(self.stream.as_ref(), principal).await
    }

    /// Counts a request of the principal.
    pub(crate) async fn principal(&self, principal: &Principal) -> Result<(), Refused> {
        take(self.principal.as_ref(), principal).await
    }
}

async fn take(budgets: Option<&Budgets>, principal: &Principal) -> Result<(), Refused> {
    match budgets {
        Some(budgets) => budgets.take([principal.limit_key(), b"", b""]).await,
        None => Ok(()),
    }
}

/// A request that counts against its address. It stays counted if its client
/// leaves before its caller is known.
#[must_use]
pub(crate) struct Arrival<'a> {
    budgets: Option<&'a Budgets>,
    host: Host,
}

impl Arrival<'_> {
    /// Gives the request back: an authenticated caller sent it.
    pub(crate) fn of_known(self) {
        if let Some(budgets) = self.budgets {
            budgets.give_back(self.key());
        }
    }

    /// Counts the request against its address, for all replicas.
    pub(crate) async fn of_unknown(self) -> Result<(), Refused> {
        match self.budgets {
            Some(budgets) => budgets.confirm(self.key()).await,
            None => Ok(()),
        }
    }

    fn key(&self) -> Key<'_> {
        [self.host.key(), b"", b""]
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

    #[cfg(feature = "sse")]
    fn anonymous(address: &str) -> Principal {
        Principal::new("anonymous", [""; 0]).at(ip(address))
    }

    impl EdgeLimits {
        async fn unknown(&self, address: &str) -> Result<(), Refused> {
            self.arrival(ip(address))?.of_unknown().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_of_known_callers_do_not_count_to_their_address() {
        let edge = limits(EdgeRates {
            address: Some(Rate::per_minute(3)),
            ..EdgeRates::default()
        });
        let known = || edge.arrival(ip("192.0.2.1")).map(Arrival::of_known);
        for _ in 0..1000 {
            assert_eq!(known(), Ok(()));
        }
        // Requests that have arrived and are not yet authenticated do count.
        let arrived = [(); 3].map(|()| edge.arrival(ip("192.0.2.1")).unwrap());
        assert!(known().is_err());
        arrived.into_iter().for_each(Arrival::of_known);
        for _ in 0..3 {
            assert_eq!(known(), Ok(()));
            assert_eq!(edge.unknown("192.0.2.1").await, Ok(()));
        }
        assert!(edge.unknown("192.0.2.1").await.is_err());
        // Guessing must not continue until a guess is right.
        assert!(known().is_err());
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
            assert!(once.unknown(first).await.is_ok(), "{first}");
            let refused = once.unknown(same).await.unwrap_err();
            assert_eq!(refused.retry_after_seconds(), 60, "{same}");
        }
        assert!(once.unknown("2001:db8:0:1::1").await.is_ok());
        // Streams have a budget of their own.
        #[cfg(feature = "sse")]
        assert!(once.stream(&anonymous("192.0.2.1")).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn by_default_addresses_are_limited_and_principals_are_not() {
        let edge = limits(EdgeRates::default());
        let alice = Principal::new("alice", [""; 0]);
        let mut passed = 0;
        while edge.unknown("192.0.2.1").await.is_ok() {
            assert!(edge.principal(&alice).await.is_ok());
            passed += 1;
        }
        assert_eq!(passed, 600);
        #[cfg(feature = "sse")]
        {
            let mut streams = 0;
            while edge.stream(&anonymous("192.0.2.1")).await.is_ok() {
                streams += 1;
            }
            assert_eq!(streams, 60);
            assert!(edge.stream(&anonymous("192.0.2.2")).await.is_ok());
            assert!(edge.stream(&alice).await.is_ok());
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
