//! What an operator reads of a server's metrics.
#![cfg(feature = "metrics")]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod calls;
#[cfg(feature = "http")]
mod edge;
#[cfg(feature = "http")]
mod listener;

use mcp_kit::observe::metrics::Metrics;

/// The value of the series that is written so, labels included.
#[track_caller]
pub fn value(metrics: &Metrics, series: &str) -> f64 {
    let text = metrics.encode();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in:\n{text}"))
        .parse()
        .unwrap()
}
