//! The numbers as metric families, read when the text is encoded.

use std::fmt;
use std::sync::Arc;
#[cfg(feature = "http")]
use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use crate::observe::metrics::Numbers;
#[cfg(feature = "http")]
use crate::observe::metrics::Refusal;

/// The collector of mcp-kit's own metrics, which the registry calls.
#[derive(Debug)]
pub(super) struct Collected(pub(super) Arc<Numbers>);

impl Collector for Collected {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.calls(&mut encoder)?;
        #[cfg(feature = "http")]
        self.edge(&mut encoder)?;
        Ok(())
    }
}

impl Collected {
    fn calls(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let primitives = self.0.shown();
        let mut calls = encoder.encode_descriptor(
            "mcp_calls",
            "Calls that ended, by how.",
            None,
            MetricType::Counter,
        )?;
        for (kind, name, series) in &primitives {
            for (outcome, count) in series.outcomes() {
                calls
                    .encode_family(&[
                        ("kind", kind.as_str()),
                        ("name", name.as_str()),
                        ("outcome", outcome),
                    ])?
                    .encode_counter::<NoLabelSet, u64, u64>(&count, None)?;
            }
        }
        let mut durations = encoder.encode_descriptor(
            "mcp_call_duration",
            "Time from reading a call to its end.",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for (kind, name, series) in &primitives {
            let (sum, count, buckets) = series.durations();
            durations
                .encode_family(&[("kind", kind.as_str()), ("name", name.as_str())])?
                .encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        let mut running = encoder.encode_descriptor(
            "mcp_calls_in_flight",
            "Calls that run now.",
            None,
            MetricType::Gauge,
        )?;
        for (kind, name, series) in &primitives {
            running
                .encode_family(&[("kind", kind.as_str()), ("name", name.as_str())])?
                .encode_gauge(&series.running())?;
        }
        let mut normalised = encoder.encode_descriptor(
            "mcp_calls_normalised",
            "Calls whose arguments were normalised.",
            None,
            MetricType::Counter,
        )?;
        for (kind, name, series) in &primitives {
            normalised
                .encode_family(&[("kind", kind.as_str()), ("name", name.as_str())])?
                .encode_counter::<NoLabelSet, u64, u64>(&series.normalised(), None)?;
        }
        Ok(())
    }

    #[cfg(feature = "http")]
    fn edge(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut refused = encoder.encode_descriptor(
            "mcp_http_requests_refused",
            "Requests that were refused before they were a call.",
            None,
            MetricType::Counter,
        )?;
        for (reason, count) in Refusal::ALL.into_iter().zip(&self.0.refused) {
            refused
                .encode_family(&[("reason", reason.as_str())])?
                .encode_counter::<NoLabelSet, u64, u64>(&count.load(Ordering::Relaxed), None)?;
        }
        encoder
            .encode_descriptor(
                "mcp_sessions_open",
                "Open sessions.",
                None,
                MetricType::Gauge,
            )?
            .encode_gauge(&self.0.sessions.load(Ordering::Relaxed))
    }
}
