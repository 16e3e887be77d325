//! Sends the notifications of extensions to the client.

use serde::Serialize;

use super::Client;
use crate::call::Error;

/// A larger notification is not sent.
const LARGEST: usize = 64 * 1024;

impl Client {
    /// Sends a notification of an extension to the client, on the stream of its
    /// request.
    ///
    /// An extension of the server must declare that it sends it
    /// ([`ProtocolExtension::sends`](crate::extension::ProtocolExtension::sends)). It is
    /// sent to clients that have declared that extension, and to no others. It is
    /// dropped if the client does not read, if the call has ended, or if it goes on as
    /// a task.
    ///
    /// # Errors
    ///
    /// Returns an internal error if no extension declares the notification, if
    /// `params` does not serialise to a JSON object, or if that has more than 64 KiB.
    ///
    /// # Examples
    ///
    /// ```
    /// use mcp_kit::extension::ProtocolExtension;
    /// use mcp_kit::prelude::*;
    /// use serde_json::json;
    ///
    /// async fn refresh(client: Client) -> Result<(), ToolError> {
    ///     client.notify("notifications/notes/changed", json!({"notes": 3}))
    /// }
    ///
    /// let notes = ProtocolExtension::new("com.example/notes")
    ///     .method("notes/refresh", refresh)
    ///     .sends("notifications/notes/changed");
    /// let server = Server::builder("notes", "1.0.0").extension(notes).build()?;
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    pub fn notify(&self, notification: &str, params: impl Serialize) -> Result<(), Error> {
        let Some(call) = self.call.upgrade() else {
            return Ok(());
        };
        let Some(extension) = call.home.sender_of(notification) else {
            return Err(Error::internal(format!(
                "no extension of the server sends \"{notification}\": declare it with `ProtocolExtension::sends`"
            )));
        };
        let params = serde_json::to_value(params)?;
        let (is_object, bytes) = (params.is_object(), params.to_string().len());
        if !is_object || bytes > LARGEST {
            return Err(Error::internal(format!(
                "the parameters of \"{notification}\" must be a JSON object of at most {LARGEST} bytes"
            )));
        }
        if let Some(outbound) = &call.outbound
            && !call.is_cancelled()
            && call.declares_extension(extension)
        {
            outbound.notify(&call, notification, &params);
        }
        Ok(())
    }
}
