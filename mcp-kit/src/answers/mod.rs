//! The client's side of questions: how the client of [`testing`](crate::testing) and of the
//! command line answers its server, in both eras.
//!
//! A client reaches all of this through [`Answers`], which only a script, or the requirement of
//! a handler to ask, refers to: a program whose server does not ask contains none of it.
#![cfg_attr(
    not(feature = "testing"),
    allow(
        dead_code,
        unreachable_pub,
        reason = "the command line uses a part of it"
    )
)]

mod field_order;
#[cfg(feature = "cli")]
pub(crate) mod person;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use crate::support::json::Members as _;
use crate::support::lock::Lock;
use field_order::FieldOrders;

/// A question that the server has asked its client.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    method: String,
    params: Value,
    fields: Vec<String>,
}

impl Asked {
    pub(crate) fn new(method: &str, params: Value) -> Self {
        Self {
            method: method.to_owned(),
            params,
            fields: Vec::new(),
        }
    }

    /// Sets the order of a form's fields, which the parameters do not have.
    pub(crate) fn in_order(mut self, fields: Vec<String>) -> Self {
        self.fields = fields;
        self
    }

    /// Returns its method: `elicitation/create`, `sampling/createMessage` or
    /// `roots/list`.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns its parameters; `null` if it has none.
    #[must_use]
    pub fn params(&self) -> &Value {
        &self.params
    }

    /// Returns the names of a form's fields in the order in which the server has sent
    /// them, which is that of the struct; empty for other questions. Of two forms that are
    /// open at once and differ in this order alone, both have the later one's.
    #[must_use]
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    /// Returns the message that a user would read; empty for other questions.
    #[must_use]
    pub fn message(&self) -> &str {
        self.params.at("message").as_str().unwrap_or_default()
    }
}

/// A client's answer to a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer(Result<Value, (i64, String)>);

impl Answer {
    /// The user fills in the form with `content`, and sends it.
    #[must_use]
    pub fn accept(content: Value) -> Self {
        Self::result(json!({"action": "accept", "content": content}))
    }

    /// The user agrees to open the URL.
    #[must_use]
    pub fn open() -> Self {
        Self::result(json!({"action": "accept"}))
    }

    /// The user declines.
    #[must_use]
    pub fn decline() -> Self {
        Self::result(json!({"action": "decline"}))
    }

    /// The user closes the question without a choice.
    #[must_use]
    pub fn cancel() -> Self {
        Self::result(json!({"action": "cancel"}))
    }

    /// The client's model answers with this text.
    #[must_use]
    pub fn sample(text: &str) -> Self {
        Self::result(json!({
            "role": "assistant",
            "content": {"type": "text", "text": text},
            "model": "mcp-kit-testing",
            "stopReason": "endTurn",
        }))
    }

    /// The client has these roots.
    #[must_use]
    pub fn roots<'a>(uris: impl IntoIterator<Item = &'a str>) -> Self {
        let roots: Vec<_> = uris.into_iter().map(|uri| json!({"uri": uri})).collect();
        Self::result(json!({"roots": roots}))
    }

    /// The client answers with this result, which need not be valid.
    #[must_use]
    pub fn result(result: Value) -> Self {
        Self(Ok(result))
    }

    /// The client answers with a JSON-RPC error. In the modern era a client has no
    /// way to do so: it does not answer this question, and is asked again.
    #[must_use]
    pub fn error(code: i64, message: impl Into<String>) -> Self {
        Self(Err((code, message.into())))
    }

    /// Returns the result, or the code and the text of the error.
    pub(crate) fn into_outcome(self) -> Result<Value, (i64, String)> {
        self.0
    }
}

/// Answers the questions of a server.
pub(crate) trait Answers: Send + Sync {
    /// Reads the text of a message that has arrived, which has the order of a form's fields.
    fn read(&self, message: &str);

    /// Returns the response to a request of the server, as a line (before 2026-07-28).
    fn response(&self, request: &Value) -> String;

    /// Returns the answers to the questions of a round, or of a task (2026-07-28).
    fn answer_round(&self, result: &Value) -> Value;

    /// Answers the questions of a round, and returns the parameters of the next one: `params`,
    /// with the answers and the state, and with the id as the token of progress if progress
    /// was requested.
    fn next_round(&self, params: &str, id: u64, result: &Value) -> serde_json::Result<String>;

    /// Returns the questions so far.
    fn asked(&self) -> Vec<Asked>;
}

type AnswerFn = Box<dyn FnMut(&Asked) -> Answer + Send>;

/// Answers by a function.
struct Answering {
    answer: Lock<AnswerFn>,
    asked: Lock<Vec<Asked>>,
    orders: FieldOrders,
}

/// Answers each question by a function.
pub(crate) fn by_function(
    answer: impl FnMut(&Asked) -> Answer + Send + 'static,
) -> Arc<dyn Answers> {
    Arc::new(Answering {
        answer: Lock::new(Box::new(answer)),
        asked: Lock::default(),
        orders: FieldOrders::default(),
    })
}

impl Answering {
    fn answer(&self, method: &str, params: &Value) -> Result<Value, (i64, String)> {
        let order = self.orders.take(params.at("requestedSchema"));
        let asked = Asked::new(method, params.clone()).in_order(order);
        self.asked.lock().push(asked.clone());
        let mut answer = self.answer.lock();
        answer(&asked).into_outcome()
    }
}

impl Answers for Answering {
    fn read(&self, message: &str) {
        self.orders.read(message);
    }

    fn response(&self, request: &Value) -> String {
        let method = request.at("method").as_str().unwrap_or_default();
        let id = request.at("id");
        let response = match self.answer(method, request.at("params")) {
            Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            Err((code, message)) => {
                json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
            }
        };
        response.to_string()
    }

    fn answer_round(&self, result: &Value) -> Value {
        let requests = result.at("inputRequests").each();
        let mut answers = Map::new();
        answers.extend(requests.filter_map(|(key, request)| {
            let method = request.at("method").as_str().unwrap_or_default();
            let answer = self.answer(method, request.at("params"));
            Some((key.clone(), answer.ok()?))
        }));
        Value::Object(answers)
    }

    fn next_round(&self, params: &str, id: u64, result: &Value) -> serde_json::Result<String> {
        let answers = self.answer_round(result);
        let mut params: BTreeMap<String, Box<RawValue>> = serde_json::from_str(params)?;
        params.insert("inputResponses".to_owned(), to_raw_value(&answers)?);
        if let Some(state) = result.member("requestState") {
            params.insert("requestState".to_owned(), to_raw_value(state)?);
        }
        if let Some(meta) = params.get_mut("_meta") {
            let mut members: Value = serde_json::from_str(meta.get())?;
            if let Some(token) = members.get_mut("progressToken") {
                *token = id.into();
            }
            *meta = to_raw_value(&members)?;
        }
        serde_json::to_string(&params)
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().clone()
    }
}
