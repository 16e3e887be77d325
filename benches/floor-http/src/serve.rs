//! One task per connection, one message per request.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::thread;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// The longest body that is read, in bytes.
const LONGEST_BODY: u64 = 4 * 1024 * 1024;
/// Room for the answer to a small call.
const ANSWER: usize = 256;

/// Serves until the process ends. The first line on stdout says the address, so
/// that port 0 can be asked for.
pub(crate) fn serve(address: &str) -> io::Result<Infallible> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers.max(2))
        .enable_all()
        .build()?
        .block_on(listen(address))
}

async fn listen(address: &str) -> io::Result<Infallible> {
    let listener = TcpListener::bind(address).await?;
    writeln!(io::stdout(), "listening {}", listener.local_addr()?)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            // A connection that breaks does not affect the others.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(respond))
                .await;
        });
    }
}

async fn respond(request: Request<Incoming>) -> hyper::Result<Response<Full<Bytes>>> {
    if request.uri().path() != "/mcp" {
        return Ok(empty(StatusCode::NOT_FOUND));
    }
    if request.method() != Method::POST {
        return Ok(empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    let body = request.into_body();
    // Without a length the bound would have to be kept while reading.
    if body
        .size_hint()
        .upper()
        .is_none_or(|size| size > LONGEST_BODY)
    {
        return Ok(empty(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let message = body.collect().await?.to_bytes();
    let mut answer = Vec::with_capacity(ANSWER);
    floor::answer(&message, &mut answer);
    if answer.is_empty() {
        return Ok(empty(StatusCode::ACCEPTED));
    }
    let mut response = Response::new(Full::new(Bytes::from(answer)));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
