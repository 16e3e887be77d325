//! The handle of updates of resources, as a server and its handlers have it.

use std::any::Any;
use std::sync::Arc;

use crate::call::{Call, Error};
use crate::extract::FromCall;
use crate::registry::ResourceUpdates;
use crate::server::{Server, ServerBuilder, ServerInner};

impl Server {
    /// Returns the handle that announces updates of resources.
    #[must_use]
    pub fn updates(&self) -> ResourceUpdates {
        self.inner.updates.clone()
    }
}

impl ServerBuilder {
    /// Announces updates of resources with a handle that was made before, for
    /// example by a task that has already begun. Without it the server makes
    /// one: [`Server::updates`].
    ///
    /// ```
    /// use mcp_kit::Server;
    /// use mcp_kit::server::ResourceUpdates;
    ///
    /// let updates = ResourceUpdates::new();
    /// let watcher = updates.clone(); // moves into the code that sees changes
    /// let server = Server::builder("shop", "1.0.0").resource_updates(updates).build()?;
    /// watcher.notify("shop://visitors");
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    pub fn resource_updates(mut self, updates: ResourceUpdates) -> Self {
        self.updates = updates;
        self
    }
}

/// Extracts the handle of the server that runs the handler.
impl FromCall for ResourceUpdates {
    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        let home: Arc<dyn Any + Send + Sync> = Arc::clone(&call.context().home) as _;
        match home.downcast::<ServerInner>() {
            Ok(inner) => Ok(inner.updates.clone()),
            Err(_) => Err(Error::internal("the call was made without a server")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Principal;
    use crate::registry::{MOST_BYTES, PER_WATCH};
    use crate::resource::{ResourceDefinition, from_fn};
    use crate::server::Feed;

    /// Short URIs count for what they hold, and not only for their few bytes.
    #[test]
    fn many_short_uris_reach_the_limit_of_the_server() {
        let index = ResourceDefinition::new("docs://index", "index");
        let server = Server::builder("test", "1")
            .add(from_fn(index, async |_: Call| "an index"))
            .limits(|limits| limits.uris_per_subscription = usize::MAX)
            .build()
            .unwrap();
        let inner = server.inner();
        let mut watched = 0;
        let mut feeds = Vec::new();
        let error = 'full: loop {
            let feed = Feed::new(inner, Principal::new("me", [""; 0]));
            feeds.push(Arc::clone(&feed));
            for number in 0..10_000 {
                let uri = format!("{}:{number:x}", if number % 2 == 0 { "u" } else { "U" });
                if let Err(error) = feed.watch(&uri) {
                    break 'full error;
                }
                watched += 1;
            }
        };
        assert!(error.message.contains("busy"), "{error:?}");
        assert!(
            watched > 100_000 && watched <= MOST_BYTES / PER_WATCH,
            "{watched}"
        );
        // Watched twice, a URI counts once; each is released once.
        feeds[0].watch("u:0").unwrap();
        feeds[0].unwatch("u:0");
        feeds[0].unwatch("u:0");
        assert!(feeds[0].watch("u:0").is_ok());
        drop(feeds);
        assert_eq!(server.updates().held(), 0);
    }
}
