//! Serves one client over a pair of byte streams: newline-delimited JSON in and
//! out. stdio and the in-process client use it.

mod batch;
mod calls;
mod connection;
mod greeting;
mod lines;
mod messages;
mod outgoing;
mod reports;
mod runner;

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::caller::Principal;
use crate::server::Server;

#[cfg(feature = "http")]
pub(crate) use batch::TOO_LARGE;
#[cfg(feature = "http")]
pub(crate) use batch::{Batch, Kept};
pub(crate) use connection::serve;
#[cfg(feature = "stdio")]
pub(crate) use connection::{Input, Output};
pub(crate) use greeting::Greeting;

impl Server {
    /// Serves one client, identified as `principal`, over a pair of byte
    /// streams: newline-delimited JSON in and out, as over stdio. Ends when the
    /// input does or when the server drains.
    ///
    /// This is for streams that mcp-kit has no transport for, such as a Unix
    /// socket. Run it in a task; dropping it cancels the client's calls.
    ///
    /// # Errors
    ///
    /// Returns the input's error if it cannot be read, or the output's if it
    /// cannot be written. A client that has gone is not an error.
    pub async fn serve_streams(
        &self,
        principal: Principal,
        input: impl AsyncRead + Send + Unpin + 'static,
        output: impl AsyncWrite + Send + Unpin + 'static,
    ) -> io::Result<()> {
        let greeting = Greeting::new(self.inner(), principal);
        let (input, output) = (Box::new(input), Box::new(output));
        serve(Arc::clone(self.inner()), greeting, input, output).await
    }
}
