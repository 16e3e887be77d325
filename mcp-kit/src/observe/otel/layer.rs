//! The layer that passes spans at level `INFO` and above to the exporter.
//!
//! Events would bring the log's texts along, and an error's would colour the
//! span. A per-layer filter does not keep them out: what `tracing::enabled!`
//! asks such a filter stays with the thread, and the next span is lost.

use opentelemetry_sdk::trace::SdkTracer;
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Whether a span is sent.
pub(crate) fn is_sent(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= Level::INFO
}

pub(super) struct Spans<S>(OpenTelemetryLayer<S, SdkTracer>);

impl<S> Spans<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    pub(super) fn new(tracer: SdkTracer) -> Self {
        Self(
            tracing_opentelemetry::layer()
                .with_tracer(tracer)
                .with_location(false)
                .with_threads(false)
                .with_tracked_inactivity(false)
                .with_target(false),
        )
    }
}

impl<S> Layer<S> for Spans<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    OpenTelemetryLayer<S, SdkTracer>: Layer<S>,
{
    fn on_layer(&mut self, subscriber: &mut S) {
        self.0.on_layer(subscriber);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if is_sent(attributes.metadata()) {
            self.0.on_new_span(attributes, id, context);
        }
    }

    // A span that is not sent has no data of the exporter's: these pass it over.

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.0.on_record(id, values, context);
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        self.0.on_follows_from(id, follows, context);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.0.on_enter(id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.0.on_exit(id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.0.on_close(id, context);
    }
}
