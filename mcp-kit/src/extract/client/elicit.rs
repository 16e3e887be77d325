//! Asks the client's user: with a form, or with a URL.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::{Client, Rejected};
use crate::call::{Error, ErrorKind, Question};
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
    pub async fn elicit<T: ElicitForm>(&self, message: &str) -> Result<Elicited<T>, Error> {
        let form = Form::of::<T>().map_err(Error::internal)?;
        let version = self.call.request.version;
        let Some(schema) = form.schema(version) else {
            let kind = self.call.target.info.kind();
            return Err(Error::refusal(
                ErrorKind::MissingCapability,
                format!(
                    "This {kind} asks for a choice of several values, which clients can show since 2025-11-25. The client's version is {version}."
                ),
            ));
        };
        let params = |message: &str| {
            let mut params = json!({ "message": message, "requestedSchema": schema });
            if version >= ProtocolVersion::V2025_11_25 {
                params["mode"] = "form".into();
            }
            to_raw_value(&params)
        };
        let question = Question {
            method: "elicitation/create",
            needs: ClientCapability::Form,
            params: params(message)?,
        };
        let read = |answer: &RawValue| {
            let wrong = |report: &str| Rejected {
                error: Error::refusal(
                    ErrorKind::User,
                    format!("The client's answer to the form was refused: {report}."),
                ),
                again: params(&format!(
                    "{message}\n\nThe last answer was refused: {report}."
                ))
                .ok(),
            };
            let answer = Answer::of(answer).map_err(|()| wrong("it is not a valid result"))?;
            Ok(match answer.action {
                Action::Accept => {
                    let content = answer.content.map(RawValue::get);
                    if content.is_some_and(|content| !content.starts_with(['{', 'n'])) {
                        return Err(wrong("its content must be an object"));
                    }
                    let read = form.read::<T>(content);
                    Elicited::Accepted(
                        read.map_err(|violations| wrong(&violations.listed().to_string()))?,
                    )
                }
                Action::Decline => Elicited::Declined,
                Action::Cancel => Elicited::Cancelled,
            })
        };
        self.ask_with(question, read).await
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
    pub async fn elicit_url(&self, message: &str, url: &str) -> Result<Elicited<()>, Error> {
        if !is_web_url(url) {
            return Err(Error::internal(
                "`elicit_url` takes an absolute URL that begins with https:// or http://",
            ));
        }
        let mut params = json!({ "mode": "url", "message": message, "url": url });
        if self.call.request.version.era() == Era::Legacy {
            params["elicitationId"] = Reference::new().to_string().into();
        }
        if self.is_out_of_reach() && self.can_elicit_url() {
            return Err(Error::url_required(params));
        }
        let question = Question {
            method: "elicitation/create",
            needs: ClientCapability::Url,
            params: to_raw_value(&params)?,
        };
        let read = |answer: &RawValue| match Answer::of(answer) {
            Ok(answer) => Ok(match answer.action {
                Action::Accept => Elicited::Accepted(()),
                Action::Decline => Elicited::Declined,
                Action::Cancel => Elicited::Cancelled,
            }),
            Err(()) => Err(super::unreadable("the URL")),
        };
        self.ask_with(question, read).await
    }
}

impl<'a> Answer<'a> {
    /// Reads a result; serde would also take a list for it.
    fn of(answer: &'a RawValue) -> Result<Self, ()> {
        let text = answer.get();
        let is_object = text.starts_with('{');
        let read = is_object.then(|| serde_json::from_str(text).ok());
        read.flatten().ok_or(())
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
