//! Asks the client's user to open a URL, and notifies the client once what happens there
//! has ended.

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
/// the way to notify the client that it has ended.
///
/// The handler creates it with [`Client::url_elicitation`], puts its [id](Self::id) into
/// the URL, and asks with [`Client::elicit_url_for`]. The server keeps the value under
/// that id, and its web page calls [`complete`](Self::complete) at the end, during the
/// call or after it.
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
/// struct Visits(Arc<Mutex<HashMap<String, UrlElicitation>>>);
///
/// impl Visits {
///     /// The last page of the visit, at `/connect/{id}/done`.
///     fn done(&self, id: &str) {
///         let visit = self.0.lock().unwrap().remove(id);
///         if let Some(visit) = visit {
///             visit.complete();
///         }
///     }
/// }
///
/// /// Connects the user's storage account.
/// #[tool]
/// async fn connect(client: Client, State(visits): State<Visits>) -> Result<String, ToolError> {
///     let visit = client.url_elicitation()?;
///     let url = format!("https://example.com/connect/{}", visit.id());
///     visits.0.lock().unwrap().insert(visit.id().to_owned(), visit.clone());
///     let message = "Connect your storage account.";
///     match client.elicit_url_for(&visit, message, &url).await? {
///         Elicited::Accepted(()) => Ok("Call again once the account is connected.".to_owned()),
///         Elicited::Declined | Elicited::Cancelled => Ok("No account is connected.".to_owned()),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct UrlElicitation(Arc<Visit>);

struct Visit {
    id: Arc<str>,
    /// `None` if the client's version has no such notification.
    client: Option<Weak<dyn UrlFollower>>,
    /// Whether the client has been asked, so that it knows the id.
    was_asked: AtomicBool,
    has_ended: AtomicBool,
}

impl UrlElicitation {
    /// Returns the id, for the URL: unguessable, and of letters, digits, `-` and `_`.
    ///
    /// In the modern era (2026-07-28) the handler runs again from its top in each round.
    /// The first interaction that it creates has the same id in each of them, and so has
    /// the second.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Notifies the client that the interaction has ended, from any code of the server
    /// (`notifications/elicitation/complete`). The client can then call again.
    ///
    /// The notification is part of the versions before 2026-07-28. Only the client that
    /// was asked receives it: on its connection, or on its session's own stream (`GET`),
    /// which it may open later. 2026-07-28 has no such notification: the client calls
    /// again when its user says so, and this does nothing. It also does nothing if the
    /// client was not asked, if it has left, or if this was called before. Of a client
    /// that does not read, the last 64 are kept.
    pub fn complete(&self) {
        let visit = &self.0;
        if !visit.was_asked.load(Ordering::Acquire) || visit.has_ended.swap(true, Ordering::AcqRel)
        {
            return;
        }
        if let Some(client) = visit.client.as_ref().and_then(Weak::upgrade) {
            client.url_completed(&visit.id);
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
    /// the visit is over: the server learns that from its own web pages, and
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

    /// Creates an interaction at a URL: an id for the URL, and the way to notify the
    /// client once what happens there has ended.
    ///
    /// # Errors
    ///
    /// Returns an internal error if the system has no randomness for the id.
    pub fn url_elicitation(&self) -> Result<UrlElicitation, Error> {
        let call = self.call.upgrade();
        let ask = call.as_ref().and_then(|call| call.ask.as_ref());
        Ok(UrlElicitation(Arc::new(Visit {
            id: self.rounds.next_url_id()?.into(),
            client: ask.and_then(|ask| ask.url_follower()),
            was_asked: AtomicBool::new(false),
            has_ended: AtomicBool::new(false),
        })))
    }

    /// Asks like [`elicit_url`](Self::elicit_url), for an interaction whose end the
    /// server announces: see [`UrlElicitation`].
    ///
    /// # Errors
    ///
    /// Returns the errors of [`elicit_url`](Self::elicit_url).
    pub fn elicit_url_for(
        &self,
        visit: &UrlElicitation,
        message: &str,
        url: &str,
    ) -> Asking<Elicited<()>> {
        if self.can_elicit_url() {
            visit.0.was_asked.store(true, Ordering::Release);
        }
        self.ask_to_open(message, url, || visit.id().to_owned())
    }

    fn ask_to_open(
        &self,
        message: &str,
        url: &str,
        id: impl FnOnce() -> String,
    ) -> Asking<Elicited<()>> {
        if !is_web_url(url) {
            return Asking::refused(Error::internal(
                "`elicit_url` takes an absolute URL that begins with https:// or http://",
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
