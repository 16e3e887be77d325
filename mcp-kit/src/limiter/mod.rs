//! How often something may be done: rates, and bounded tables of who has how
//! much left of one. Whoever is refused is told how long to wait.

mod budgets;
#[cfg(feature = "http")]
mod edge;
mod ledger;
mod rate;
mod table;

pub use rate::{InvalidRate, Rate};

pub(crate) use budgets::{Budgets, Refused};
#[cfg(feature = "http")]
pub(crate) use edge::{EdgeLimits, EdgeRates};
pub(crate) use ledger::Ledger;
