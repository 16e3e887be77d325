//! Limits on how often something may be done and how much may be held: rates,
//! tables of the remaining budgets, byte budgets, and what replicas share of
//! them.

mod budgets;
#[cfg(feature = "http")]
mod byte_budget;
mod caller_budget;
#[cfg(feature = "http")]
mod edge;
#[cfg(feature = "http")]
mod ownership;
mod rate;
#[cfg(feature = "redis")]
mod replicas;
mod server;
mod table;

pub use rate::{InvalidRate, Rate};
#[cfg(feature = "redis")]
pub use replicas::{InvalidRedisUrl, RedisLimits, StoreUnavailable};
pub use server::Limits;

pub(crate) use budgets::{Budgets, Key, Ledger, Refused};
#[cfg(feature = "http")]
pub(crate) use byte_budget::{ByteBudget, Claim};
pub(crate) use caller_budget::{CallerBudget, CallerClaim};
#[cfg(feature = "http")]
pub(crate) use edge::{EdgeLimits, EdgeRates};
#[cfg(feature = "redis")]
pub(crate) use ownership::OwnerUnknown;
#[cfg(feature = "http")]
pub(crate) use ownership::{SessionRecord, SharedSessions};
#[cfg(feature = "redis")]
pub(crate) use replicas::RedisSessions;
#[cfg(all(test, feature = "redis"))]
pub(crate) use replicas::test_store;
