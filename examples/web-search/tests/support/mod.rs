//! A stand-in for Brave on this machine: answers every request with the same
//! bytes and keeps what it was asked.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

/// A running stand-in.
pub struct StandIn {
    /// For `BraveOptions::base_url`.
    pub base_url: String,
    /// The head of each request, as it arrived.
    pub requests: mpsc::UnboundedReceiver<String>,
}

/// Sends `answer` to each connection and leaves it open, so that an answer
/// which is not whole is a slow one.
pub async fn stand_in(answer: impl Into<Vec<u8>>) -> StandIn {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (seen, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            let _ = seen.send(String::from_utf8_lossy(&head).into_owned());
            // The client may hang up early, when an answer is too large.
            let _ = stream.write_all(&answer).await;
            open.push(stream);
        }
    });
    StandIn {
        base_url: format!("http://{address}"),
        requests,
    }
}

/// An HTTP answer; `headers` are whole lines, each with its line end.
pub fn http(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
