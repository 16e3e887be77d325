//! The operator's view of a server: the log, metrics and traces, each an
//! observer of the calls.
//!
//! - `metrics` (feature `metrics`): Prometheus metrics, served on a path of the
//!   HTTP service, on an address of its own, or read as text.
//! - `otel` (feature `otel`): a trace of each call over OTLP.
//!
//! The guide explains [metrics and traces](crate::guide::metrics).

mod log;
mod meter;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(feature = "otel")]
pub mod otel;
mod trace;

pub(crate) use log::Log;
pub(crate) use meter::Meter;
#[cfg(feature = "http")]
pub(crate) use meter::{OpenSession, Refusal};
pub(crate) use trace::{CallStart, begin};
