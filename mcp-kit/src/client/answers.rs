//! The answers of a client to the questions of its server, in both eras.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::field_order::FieldOrders;
use crate::protocol::TASKS;
use crate::support::json::Members as _;
use crate::support::lock::Lock;

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

type AnswerFn = Box<dyn FnMut(&Asked) -> Answer + Send>;

/// What a client declares, and how it answers. Clones share the answers.
#[derive(Clone, Default)]
pub(crate) struct Script {
    capabilities: Option<Value>,
    answers: Option<Arc<Lock<AnswerFn>>>,
    has_tasks: bool,
    asked: Arc<Lock<Vec<Asked>>>,
    pub(super) orders: FieldOrders,
}

impl Script {
    pub(crate) fn set_capabilities(&mut self, capabilities: Value) {
        self.capabilities = Some(capabilities);
    }

    /// Answers the questions one after the other.
    #[allow(clippy::panic)]
    pub(crate) fn set_answers(&mut self, answers: impl IntoIterator<Item = Answer>) {
        let mut answers: VecDeque<_> = answers.into_iter().collect();
        self.answer_with(move |asked| match answers.pop_front() {
            Some(answer) => answer,
            None => panic!("no answer is left for {}: {}", asked.method, asked.params),
        });
    }

    pub(crate) fn answer_with(&mut self, answer: impl FnMut(&Asked) -> Answer + Send + 'static) {
        self.answers = Some(Arc::new(Lock::new(Box::new(answer))));
    }

    /// Declares the extension for tasks, in addition to the capabilities.
    pub(crate) fn declare_tasks(&mut self) {
        self.has_tasks = true;
    }

    /// Returns the `capabilities` that the client declares.
    pub(crate) fn capabilities(&self) -> Value {
        let mut capabilities = match (&self.capabilities, &self.answers) {
            (Some(capabilities), _) => capabilities.clone(),
            (None, Some(_)) => json!({
                "elicitation": {"form": {}, "url": {}},
                "sampling": {},
                "roots": {},
            }),
            (None, None) => json!({}),
        };
        if self.has_tasks {
            capabilities["extensions"][TASKS] = json!({});
        }
        capabilities
    }

    /// Answers a question; `None` if the client answers none.
    pub(crate) fn answer(&self, method: &str, params: &Value) -> Option<Answer> {
        let answers = self.answers.as_ref()?;
        let order = self.orders.take(params.at("requestedSchema"));
        let asked = Asked::new(method, params.clone()).in_order(order);
        self.asked.lock().push(asked.clone());
        let mut answer = answers.lock();
        Some(answer(&asked))
    }

    /// Returns the questions so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().clone()
    }

    /// Returns the answers to the questions of a round (2026-07-28); `None` if the
    /// client answers none.
    pub(super) fn answer_round(&self, result: &Value) -> Option<Value> {
        self.answers.as_ref()?;
        let requests = result.at("inputRequests").as_object().into_iter().flatten();
        let mut answers = Map::new();
        answers.extend(requests.filter_map(|(key, request)| {
            let method = request.at("method").as_str().unwrap_or_default();
            let answer = self.answer(method, request.at("params"))?;
            Some((key.clone(), answer.into_outcome().ok()?))
        }));
        Some(Value::Object(answers))
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("capabilities", &self.capabilities())
            .field("answers", &self.answers.is_some())
            .finish_non_exhaustive()
    }
}

/// Defines the setters of the script of a client, once for all builders of clients:
/// they have a field `script`.
macro_rules! script_setters {
    () => {
        /// Answers the questions of the server with these, one after the other, and
        /// declares the capabilities for all kinds of questions. A question for which
        /// no answer is left panics.
        ///
        /// Before 2026-07-28 the server's requests are answered as they arrive; without
        /// a script [`TestClient::next_message`] returns them. In the modern era
        /// (2026-07-28) a call or request that needs answers is sent again with them
        /// until it is complete; without a script its result is the one that the server
        /// has sent (`resultType` is `input_required`).
        pub fn answers(
            mut self,
            answers: impl IntoIterator<Item = $crate::client::Answer>,
        ) -> Self {
            self.script.set_answers(answers);
            self
        }

        /// Answers every question of the server with this function; see
        /// [`answers`](Self::answers).
        pub fn answer_with(
            mut self,
            answer: impl FnMut(&$crate::client::Asked) -> $crate::client::Answer + Send + 'static,
        ) -> Self {
            self.script.answer_with(answer);
            self
        }

        /// Sets the capabilities that the client declares, such as
        /// `{"elicitation": {}}`. Without them a client that has
        /// [`answers`](Self::answers) declares all that they need, and others declare
        /// none.
        pub fn capabilities(mut self, capabilities: serde_json::Value) -> Self {
            self.script.set_capabilities(capabilities);
            self
        }

        /// Declares the extension `io.modelcontextprotocol/tasks`, in addition to the
        /// other capabilities: calls of tools with `task` become tasks (2026-07-28).
        pub fn tasks(mut self) -> Self {
            self.script.declare_tasks();
            self
        }
    };
}
pub(super) use script_setters;
