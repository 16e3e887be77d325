//! The filter of the log.

#[cfg(feature = "otel")]
use tracing::{Metadata, Subscriber, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::filter::Targets;
#[cfg(feature = "otel")]
use tracing_subscriber::layer::{Context, Layer};

#[cfg(feature = "otel")]
use crate::observe::otel::is_sent;

/// Passes events that are logged, and spans that are sent.
#[cfg(feature = "otel")]
pub(super) struct LinesOrSpans(pub(super) Targets);

#[cfg(feature = "otel")]
impl LinesOrSpans {
    fn lets_through(&self, metadata: &Metadata<'_>) -> bool {
        is_sent(metadata) || self.0.would_enable(metadata.target(), metadata.level())
    }
}

#[cfg(feature = "otel")]
impl<S: Subscriber> Layer<S> for LinesOrSpans {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.lets_through(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.lets_through(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Layer::<S>::max_level_hint(&self.0).map(|level| level.max(LevelFilter::INFO))
    }
}

/// Returns the filter of `RUST_LOG`, or `default`, and what is wrong with
/// `RUST_LOG` if it is not usable.
pub(super) fn from_environment(default: &str) -> (Targets, Option<String>) {
    match std::env::var("RUST_LOG") {
        Ok(directives) => parse(&directives, default),
        Err(std::env::VarError::NotPresent) => (known_good(default), None),
        Err(std::env::VarError::NotUnicode(_)) => (
            known_good(default),
            Some(refusal("it is not text", default)),
        ),
    }
}

fn parse(directives: &str, default: &str) -> (Targets, Option<String>) {
    if directives.trim().is_empty() {
        return (known_good(default), None);
    }
    // `Targets` would read a span's name as a field that events must have, and
    // so pass nothing.
    if directives.contains(['[', '{']) {
        let reason = "directives for spans and fields are not supported";
        return (known_good(default), Some(refusal(reason, default)));
    }
    match directives.parse() {
        Ok(filter) => (filter, None),
        Err(error) => (
            known_good(default),
            Some(refusal(&error.to_string(), default)),
        ),
    }
}

fn refusal(reason: &str, default: &str) -> String {
    format!(
        "RUST_LOG cannot be used ({reason}); write a level (error, warn, info, debug, trace, off) or target=level, separated by commas; now it is \"{default}\""
    )
}

/// Parses a program's own default; an invalid one means `info`.
fn known_good(default: &str) -> Targets {
    default
        .parse()
        .unwrap_or_else(|_| Targets::new().with_default(tracing::Level::INFO))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn levels_and_targets_are_read() {
        let (filter, warning) = parse("warn,mcp_kit=debug", "info");
        assert_eq!(warning, None);
        assert!(filter.would_enable("mcp_kit::call", &Level::DEBUG));
        assert!(!filter.would_enable("hyper", &Level::INFO));
        let (filter, warning) = parse(" ", "info");
        assert_eq!(warning, None);
        assert!(filter.would_enable("any", &Level::INFO));
    }

    #[test]
    fn what_cannot_be_read_is_reported_and_changes_nothing() {
        for directives in ["mcp_kit=verbose", "[call{name=x}]=debug", "a=b=c"] {
            let (filter, warning) = parse(directives, "info");
            let warning = warning.unwrap_or_default();
            assert!(warning.contains("RUST_LOG"), "{directives}: {warning}");
            assert!(filter.would_enable("any", &Level::INFO), "{directives}");
            assert!(!filter.would_enable("any", &Level::DEBUG), "{directives}");
        }
    }
}
