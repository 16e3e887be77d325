//! A collector on loopback: takes OTLP over HTTP and keeps what it was sent.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;

#[derive(Clone, Default)]
pub struct Collector {
    pub endpoint: String,
    received: Arc<Mutex<Vec<Received>>>,
}

/// One request.
pub struct Received {
    pub path: String,
    pub headers: http::HeaderMap,
    pub body: Bytes,
}

impl Collector {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let collector = Self {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            ..Self::default()
        };
        let of_task = collector.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let collector = of_task.clone();
                let service = service_fn(move |request| {
                    let collector = collector.clone();
                    async move { Ok::<_, Infallible>(collector.take(request).await) }
                });
                let serving = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(serving);
            }
        });
        collector
    }

    async fn take(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let received = Received {
            path: parts.uri.path().to_owned(),
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        };
        self.received.lock().unwrap().push(received);
        Response::new(Full::new(Bytes::new()))
    }

    pub fn received(&self) -> Vec<Received> {
        std::mem::take(&mut self.received.lock().unwrap())
    }

    /// Every span so far, in the order of their ends. Nothing in what was sent
    /// is a secret.
    pub fn spans(&self) -> Vec<Sent> {
        let mut spans = Vec::new();
        for received in self.received() {
            assert_eq!(received.path, "/v1/traces");
            assert_eq!(received.headers["content-type"], "application/x-protobuf");
            assert!(
                !received.body.windows(7).any(|bytes| bytes == b"hunter2"),
                "a secret was sent"
            );
            let request = ExportTraceServiceRequest::decode(received.body).unwrap();
            for resource in request.resource_spans {
                let service = resource.resource.unwrap().attributes;
                let service = text(&service, "service.name").unwrap();
                for span in resource
                    .scope_spans
                    .into_iter()
                    .flat_map(|scope| scope.spans)
                {
                    spans.push(Sent {
                        service: service.clone(),
                        span,
                    });
                }
            }
        }
        spans
    }
}

/// A span as the collector has it.
#[derive(Debug)]
pub struct Sent {
    pub service: String,
    pub span: Span,
}

impl Sent {
    pub fn get(&self, attribute: &str) -> Option<String> {
        text(&self.span.attributes, attribute)
    }

    pub fn trace(&self) -> String {
        hex(&self.span.trace_id)
    }

    pub fn parent(&self) -> String {
        hex(&self.span.parent_span_id)
    }

    pub fn id(&self) -> String {
        hex(&self.span.span_id)
    }

    /// 0 unset, 1 ok, 2 error.
    pub fn status(&self) -> i32 {
        self.span.status.as_ref().map_or(0, |status| status.code)
    }
}

/// The one span of this name.
#[track_caller]
pub fn named<'a>(spans: &'a [Sent], name: &str) -> &'a Sent {
    let mut found = spans.iter().filter(|sent| sent.span.name == name);
    match (found.next(), found.next()) {
        (Some(span), None) => span,
        _ => panic!("not one {name} among {spans:#?}"),
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(attributes: &[KeyValue], name: &str) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.key == name)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{name}: {other:?}"),
    }
}
