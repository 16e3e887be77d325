//! What operators can observe of a server beside its log: metrics and traces.
//!
//! - `metrics` (feature `metrics`): Prometheus metrics, served on a path of the
//!   HTTP service, on an address of its own, or read as text.
//! - `otel` (feature `otel`): a trace of each call over OTLP.
//!
//! The guide explains [metrics and traces](crate::guide::metrics).

mod log;
#[cfg(feature = "metrics")]
mod measure;
mod meter;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(feature = "otel")]
pub mod otel;
mod trace;

pub use log::Log;
pub(crate) use log::{log_late_panic, log_refusal, log_unseen};
#[cfg(feature = "metrics")]
pub use measure::Measure;
pub(crate) use meter::{Meter, ToolMeter};
#[cfg(feature = "http")]
pub(crate) use meter::{OpenSession, Refusal};
pub(crate) use trace::{CallStart, CallTrace, Origin};
