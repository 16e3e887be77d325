//! Asks the client's user to fill in a form.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::{Asking, Client};
use crate::call::{Error, ErrorKind, Rejected};
use crate::elicit::{ElicitForm, Form};
use crate::protocol::{ClientCapability, ProtocolVersion};

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

/// The parameters of `elicitation/create` for a form.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FormParams<'a> {
    message: &'a str,
    /// Since 2025-11-25.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    requested_schema: &'a RawValue,
}

/// The result of `elicitation/create`.
#[derive(Deserialize)]
pub(super) struct Answer<'a> {
    pub(super) action: Action,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
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
        let mode = (version >= ProtocolVersion::V2025_11_25).then_some("form");
        let params = move |message: &str| {
            to_raw_value(&FormParams {
                message,
                mode,
                requested_schema: schema,
            })
        };
        let first = match params(message) {
            Ok(first) => first,
            Err(error) => return Asking::refused(error.into()),
        };
        let message = message.to_owned();
        let read = move |answer: &RawValue| {
            form_answer(form, answer).map_err(|report| Rejected {
                error: Error::refusal(
                    ErrorKind::User,
                    format!("The client's answer to the form was refused: {report}."),
                ),
                again: params(&format!(
                    "{message}\n\nThe last answer was refused: {report}."
                ))
                .ok(),
            })
        };
        self.asking("elicitation/create", ClientCapability::Form, &first, read)
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
    pub(super) fn of(answer: &'a RawValue) -> Option<Self> {
        let text = answer.get();
        let read = || serde_json::from_str(text).ok();
        text.starts_with('{').then(read)?
    }
}
