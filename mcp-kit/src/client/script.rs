//! What a client declares, and how it answers the questions of its server.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::answers::{Answer, Answers, Asked, by_function};
use crate::protocol::TASKS;

/// What a client declares, and how it answers. Clones share the answers.
#[derive(Clone, Default)]
pub(crate) struct Script {
    capabilities: Option<Value>,
    answers: Option<Arc<dyn Answers>>,
    has_tasks: bool,
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
            None => panic!(
                "no answer is left for {}: {}",
                asked.method(),
                asked.params()
            ),
        });
    }

    pub(crate) fn answer_with(&mut self, answer: impl FnMut(&Asked) -> Answer + Send + 'static) {
        self.answer_by(by_function(answer));
    }

    pub(crate) fn answer_by(&mut self, answers: Arc<dyn Answers>) {
        self.answers = Some(answers);
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

    /// Returns how it answers; `None` if it answers no question.
    pub(super) fn answers(&self) -> Option<&Arc<dyn Answers>> {
        self.answers.as_ref()
    }

    /// Returns the questions so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let answers = self.answers.as_ref();
        answers.map(|answers| answers.asked()).unwrap_or_default()
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
