//! Asks the client's user to open a URL (URL mode elicitation), and notifies the client
//! once the interaction there is complete.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use serde_json::json;
use serde_json::value::RawValue;

use super::elicit::{Action, Answer};
use super::{Asking, Client, Elicited, unreadable};
use crate::call::{Error, UrlFollower};
use crate::protocol::{ClientCapability, Era};
use crate::support::reference::Reference;

/// An interaction at a URL that a handler asks its client's user to open: its id, and
/// the way to notify the client that it is complete.
///
/// The handler creates it with [`new`](Self::new), puts its [id](Self::id) into the URL,
/// and asks with [`Client::elicit_url_for`]. The server keeps the value under that id, and
/// its web page calls [`complete`](Self::complete) at the end, during the call or after it.
///
/// It is cheap to clone, and holds nothing of the call.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::{Arc, Mutex};
///
/// use mcp_kit::extract::UrlElicitation;
/// use mcp_kit::prelude::*;
///
/// #[derive(Clone, Default)]
/// struct Accounts(Arc<Mutex<HashMap<String, UrlElicitation>>>);
///
/// impl Accounts {
///     /// The last page of the interaction, at `/connect/{id}/done`.
///     fn done(&self, id: &str) {
///         let elicitation = self.0.lock().unwrap().remove(id);
///         if let Some(elicitation) = elicitation {
///             elicitation.complete();
///         }
///     }
/// }
///
/// /// Connects the user's storage account.
/// #[tool]
/// async fn connect(client: Client, State(accounts): State<Accounts>) -> Result<String, ToolError> {
///     let elicitation = UrlElicitation::new(&client)?;
///     let id = elicitation.id().to_owned();
///     let url = format!("https://example.com/connect/{id}");
///     accounts.0.lock().unwrap().insert(id, elicitation.clone());
///     let message = "Connect your storage account.";
///     match client.elicit_url_for(&elicitation, message, &url).await? {
///         Elicited::Accepted(()) => Ok("Call again once the account is connected.".to_owned()),
///         Elicited::Declined | Elicited::Cancelled => Ok("No account is connected.".to_owned()),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct UrlElicitation(Arc<Inner>);

struct Inner {
    id: Arc<str>,
    /// `None` if the client's version has no such notification.
    client: Option<Weak<dyn UrlFollower>>,
    /// Whether the client has been asked, so that it knows the id.
    was_asked: AtomicBool,
    is_complete: AtomicBool,
}

impl UrlElicitation {
    /// Creates an interaction of this client's user, with an id of its own.
    ///
    /// In 2026-07-28 the handler runs again from its top in each round. Create them in
    /// the same order in each round: the first one of a call has the same id in all of
    /// them, and so has the second.
    ///
    /// # Errors
    ///
    /// Returns an internal error if the system has no randomness for the id.
    pub fn new(client: &Client) -> Result<Self, Error> {
        let call = client.call.upgrade();
        let ask = call.as_ref().and_then(|call| call.ask.as_ref());
        Ok(Self(Arc::new(Inner {
            id: client.rounds.next_url_id()?.into(),
            client: ask.and_then(|ask| ask.url_follower()),
            was_asked: AtomicBool::new(false),
            is_complete: AtomicBool::new(false),
        })))
    }

    /// Returns the id, for the URL: unguessable, and of letters, digits, `-` and `_`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Notifies the client that the interaction is complete, from any code of the server
    /// (`notifications/elicitation/complete`). The client can then call again.
    ///
    /// Only the client that was asked receives it: on its connection, or on its session's
    /// own stream (`GET`), which it may open later. The server keeps the last 64
    /// notifications for a client that does not read.
    ///
    /// It does nothing in 2026-07-28, which has no such notification (the client calls
    /// again when its user says so), if the client was not asked, if the client has left,
    /// or if it was called before.
    ///
    /// Specification: [completion notifications](https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation#completion-notifications-for-url-mode-elicitation).
    pub fn complete(&self) {
        let inner = &self.0;
        let was_asked = inner.was_asked.load(Ordering::Acquire);
        if !was_asked || inner.is_complete.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(client) = inner.client.as_ref().and_then(Weak::upgrade) {
            client.url_completed(&inner.id);
        }
    }
}

impl fmt::Debug for UrlElicitation {
    /// Omits the id, which may open what the URL protects.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlElicitation").finish_non_exhaustive()
    }
}

impl Client {
    /// Asks the client's user to open a URL, for what must not pass through the
    /// client and its model: passwords, payments, consent at another service.
    ///
    /// `Accepted` means that the user has agreed to open the URL, not that
    /// the interaction is complete: the server learns that from its own web pages, and
    /// [`elicit_url_for`](Self::elicit_url_for) lets it notify the client. The
    /// page must make sure that its visitor is the caller, and the URL must not
    /// contain a secret: another person may open it. In the modern era the handler
    /// may look again after the retry; in the legacy era it waits on the server's side.
    ///
    /// # Errors
    ///
    /// Returns an error if the client has not declared the capability
    /// `elicitation.url` (see [`can_elicit_url`](Self::can_elicit_url)), which
    /// exists since 2025-11-25, if it refuses the request, or if the question's
    /// time is up. A `url` that is not an absolute `https` or `http` URL is an
    /// internal error. A legacy client that cannot be asked while its call
    /// runs, since it has no session, receives the protocol error -32042 with
    /// the URL, and calls again later.
    ///
    /// Specification: [URL mode](https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#url-mode-elicitation-requests).
    pub fn elicit_url(&self, message: &str, url: &str) -> Asking<Elicited<()>> {
        let id = || Reference::new().to_string();
        self.ask_to_open(message, url, id)
    }

    /// Asks like [`elicit_url`](Self::elicit_url), for an interaction whose
    /// completion the server announces: see [`UrlElicitation`].
    ///
    /// # Errors
    ///
    /// Returns the errors of [`elicit_url`](Self::elicit_url).
    pub fn elicit_url_for(
        &self,
        elicitation: &UrlElicitation,
        message: &str,
        url: &str,
    ) -> Asking<Elicited<()>> {
        if self.can_elicit_url() {
            elicitation.0.was_asked.store(true, Ordering::Release);
        }
        self.ask_to_open(message, url, || elicitation.id().to_owned())
    }

    fn ask_to_open(
        &self,
        message: &str,
        url: &str,
        id: impl FnOnce() -> String,
    ) -> Asking<Elicited<()>> {
        if !is_web_url(url) {
            return Asking::refused(Error::internal(
                "the URL of `elicit_url` and `elicit_url_for` must be absolute and begin with https:// or http://",
            ));
        }
        let mut params = json!({ "mode": "url", "message": message, "url": url });
        if self.version.era() == Era::Legacy {
            params["elicitationId"] = id().into();
        }
        if self.is_out_of_reach && self.can_elicit_url() {
            return Asking::refused(Error::url_required(params));
        }
        let read = |answer: &RawValue| {
            let answer = Answer::of(answer).ok_or_else(|| unreadable("the URL"))?;
            Ok(match answer.action {
                Action::Accept => Elicited::Accepted(()),
                Action::Decline => Elicited::Declined,
                Action::Cancel => Elicited::Cancelled,
            })
        };
        self.asking("elicitation/create", ClientCapability::Url, &params, read)
    }
}

/// Whether a text is an absolute URL of the web, as far as its characters show.
fn is_web_url(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && !rest.chars().any(|c| c.is_whitespace() || c.is_control())
    })
}
