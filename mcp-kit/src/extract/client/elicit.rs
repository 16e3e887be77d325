//! Asks the client's user: with a form, or with a URL.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::{Asking, Client, unreadable};
use crate::call::{Error, ErrorKind, Rejected};
use crate::elicit::{ElicitForm, Form};
use crate::protocol::{ClientCapability, Era, ProtocolVersion};
use crate::support::reference::Reference;

/// What the user did with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elicited<T> {
    /// The user has answered: the valid answer.
    Accepted(T),
    /// The user has refused to answer.
    Declined,
    /// The user has closed the question without a choice.
    Cancelled,
}

impl<T> Elicited<T> {
    /// Returns the answer; `None` if the user declined or cancelled.
    #[must_use]
    pub fn accepted(self) -> Option<T> {
        match self {
            Self::Accepted(answer) => Some(answer),
            Self::Declined | Self::Cancelled => None,
        }
    }
}

/// The result of `elicitation/create`.
#[derive(Deserialize)]
struct Answer<'a> {
    action: Action,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Accept,
    Decline,
    Cancel,
}

impl Client {
    /// Asks the client's user to fill in a form, and waits for the answer.
    ///
    /// `T` derives [`ElicitForm`](crate::elicit::ElicitForm). `message` explains
    /// to the user why the server asks; it is text for people, in any language.
    /// The answer is decoded and checked like a tool's arguments. A wrong answer
    /// is asked again in the modern era, with the report after the message, and
    /// ends the call with the report in the legacy era.
    ///
    /// Works in both eras: [the guide](crate::guide::asking) also explains what it
    /// means that a handler runs again from its top in the modern era.
    ///
    /// # Errors
    ///
    /// Returns an error if the client has not declared the capability
    /// `elicitation` (see [`can_elicit`](Self::can_elicit)), if it refuses the
    /// request, if the question's time is up, or if the form has a choice of
    /// several values and the client's version is older than 2025-11-25. The error has
    /// a message for the client.
    ///
    /// ```
    /// use garde::Validate;
    /// use mcp_kit::prelude::*;
    /// use schemars::JsonSchema;
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize, JsonSchema, Validate, ElicitForm)]
    /// struct Seat {
    ///     /// The row, counted from the front.
    ///     #[garde(range(min = 1, max = 30))]
    ///     row: u8,
    /// }
    ///
    /// /// Books a seat.
    /// #[tool]
    /// async fn book(client: Client) -> Result<String, ToolError> {
    ///     match client.elicit::<Seat>("Which seat do you prefer?").await? {
    ///         Elicited::Accepted(seat) => Ok(format!("Row {} is yours.", seat.row)),
    ///         Elicited::Declined | Elicited::Cancelled => Ok("No seat was booked.".to_owned()),
    ///     }
    /// }
    /// ```
    ///
    /// Specification: [elicitation](https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation).
    pub fn elicit<T: ElicitForm>(&self, message: &str) -> Asking<Elicited<T>> {
        let form = match Form::of::<T>() {
            Ok(form) => form,
            Err(problem) => return Asking::refused(Error::internal(problem)),
        };
        let version = self.version;
        let Some(schema) = form.schema(version) else {
            let kind = self.kind;
            return Asking::refused(Error::refusal(
                ErrorKind::MissingCapability,
                format!(
                    "This {kind} asks for a choice of several values, which clients can show since 2025-11-25. The client's version is {version}."
                ),
            ));
        };
        let params = move |message: &str| {
            let mut params = json!({ "message": message, "requestedSchema": schema });
            if version >= ProtocolVersion::V2025_11_25 {
                params["mode"] = "form".into();
            }
            params
        };
        let first = params(message);
        let message = message.to_owned();
        let read = move |answer: &RawValue| {
            form_answer(form, answer).map_err(|report| Rejected {
                error: Error::refusal(
                    ErrorKind::User,
                    format!("The client's answer to the form was refused: {report}."),
                ),
                again: to_raw_value(&params(&format!(
                    "{message}\n\nThe last answer was refused: {report}."
                )))
                .ok(),
            })
        };
        self.asking("elicitation/create", ClientCapability::Form, &first, read)
    }

    /// Asks the client's user to open a URL, for what must not pass through the
    /// client and its model: passwords, payments, consent at another service.
    ///
    /// `Accepted` means that the user has agreed to open the URL, not that
    /// the visit is over: the server learns that from its own web pages. The
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
        if !is_web_url(url) {
            return Asking::refused(Error::internal(
                "`elicit_url` takes an absolute URL that begins with https:// or http://",
            ));
        }
        let mut params = json!({ "mode": "url", "message": message, "url": url });
        if self.version.era() == Era::Legacy {
            params["elicitationId"] = Reference::new().to_string().into();
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

/// Reads the answer to a form, or reports what is wrong with it.
fn form_answer<T: ElicitForm>(form: &Form, answer: &RawValue) -> Result<Elicited<T>, String> {
    let answer = Answer::of(answer).ok_or("it is not a valid result")?;
    match answer.action {
        Action::Accept => {}
        Action::Decline => return Ok(Elicited::Declined),
        Action::Cancel => return Ok(Elicited::Cancelled),
    }
    let content = answer.content.map(RawValue::get);
    // An absent content is an empty form.
    if content.is_some_and(|content| content != "null" && !content.starts_with('{')) {
        return Err("its content must be an object".to_owned());
    }
    let read = form.read(content);
    read.map(Elicited::Accepted)
        .map_err(|violations| violations.listed().to_string())
}

impl<'a> Answer<'a> {
    /// Reads a result; serde would also take a list for it.
    fn of(answer: &'a RawValue) -> Option<Self> {
        let text = answer.get();
        let read = || serde_json::from_str(text).ok();
        text.starts_with('{').then(read)?
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
