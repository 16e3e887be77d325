//! From the environment's settings to a provider that sends spans.

use std::env;
use std::path::Path;
use std::time::Duration;

use opentelemetry::Key;
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::observe::otel::TraceError;
use crate::observe::otel::client::Client;

/// The SDK's default timeout, if the environment sets none.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn is_configured() -> bool {
    let is = |name: &str, value: &str| {
        env::var(name).is_ok_and(|set| set.trim().eq_ignore_ascii_case(value))
    };
    setting("ENDPOINT").is_some()
        && !is("OTEL_SDK_DISABLED", "true")
        && !is("OTEL_TRACES_EXPORTER", "none")
}

pub(super) fn provider() -> Result<SdkTracerProvider, TraceError> {
    if let Some((name, protocol)) = setting("PROTOCOL")
        && protocol != "http/protobuf"
    {
        return Err(TraceError(format!(
            "{name} is \"{protocol}\"; this server speaks http/protobuf alone (most collectors listen for it on port 4318)"
        )));
    }
    if let Some((name, compression)) = setting("COMPRESSION") {
        return Err(TraceError(format!(
            "{name} is \"{compression}\"; this server sends without compression: unset it"
        )));
    }
    let client = Client::new(timeout()?, certificate().as_deref().map(Path::new))?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .build()
        .map_err(|error| TraceError(error.to_string()))?;
    Ok(SdkTracerProvider::builder()
        .with_resource(resource())
        .with_batch_exporter(exporter)
        .build())
}

/// Returns a setting of the exporter with its variable's name: the one for
/// traces, or otherwise the general one.
fn setting(name: &str) -> Option<(String, String)> {
    ["OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"]
        .into_iter()
        .map(|prefix| format!("{prefix}{name}"))
        .find_map(|variable| {
            let value = env::var(&variable).ok()?;
            // The standard treats an empty variable as not set.
            (!value.trim().is_empty()).then(|| (variable, value.trim().to_owned()))
        })
}

fn timeout() -> Result<Duration, TraceError> {
    let Some((name, text)) = setting("TIMEOUT") else {
        return Ok(TIMEOUT);
    };
    let millis = text.parse().map_err(|_| {
        TraceError(format!(
            "{name} is \"{text}\"; write a whole number of milliseconds, such as 10000"
        ))
    })?;
    Ok(Duration::from_millis(millis))
}

fn certificate() -> Option<String> {
    setting("CERTIFICATE").map(|(_, path)| path)
}

/// Returns the environment's and the SDK's description of this process, and the
/// program's name if the service has none.
fn resource() -> Resource {
    let found = Resource::builder().build();
    let name = found.get(&Key::from_static_str("service.name"));
    let is_named = name.is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    if is_named {
        return found;
    }
    let program = env::current_exe().ok();
    let program = program
        .as_deref()
        .and_then(Path::file_stem)
        .map_or("mcp-server".into(), |name| name.to_string_lossy());
    Resource::builder()
        .with_service_name(program.into_owned())
        .build()
}
