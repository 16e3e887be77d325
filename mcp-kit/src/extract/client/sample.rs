//! Asks the client's model.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Asking, Client, unreadable};
use crate::content::Content;
use crate::protocol::ClientCapability;
use crate::support::json::Members as _;

/// A request to the client's model: messages, and how to continue them.
///
/// ```
/// use mcp_kit::extract::SampleRequest;
///
/// let request = SampleRequest::new("Summarise: …", 100)
///     .system_prompt("Answer with one sentence.")
///     .temperature(0.2)
///     .model_hint("small");
/// ```
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SampleRequest {
    messages: Vec<Message>,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_prompt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<String>,
    #[serde(skip_serializing_if = "Preferences::is_empty")]
    model_preferences: Preferences,
}

#[derive(Clone, Debug, Serialize)]
struct Message {
    role: &'static str,
    content: Content,
}

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Preferences {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<Hint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_priority: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed_priority: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    intelligence_priority: Option<f64>,
}

#[derive(Clone, Debug, Serialize)]
struct Hint {
    name: String,
}

impl Preferences {
    fn is_empty(&self) -> bool {
        let priorities = [
            self.cost_priority,
            self.speed_priority,
            self.intelligence_priority,
        ];
        self.hints.is_empty() && priorities.iter().all(Option::is_none)
    }
}

impl SampleRequest {
    /// Creates a request with one message of the user, for an answer of at most
    /// `max_tokens` tokens.
    pub fn new(prompt: impl Into<String>, max_tokens: u32) -> Self {
        Self {
            messages: Vec::new(),
            max_tokens,
            system_prompt: None,
            temperature: None,
            stop_sequences: Vec::new(),
            model_preferences: Preferences::default(),
        }
        .user(prompt.into())
    }

    /// Adds a message of the user: a text, an image or a sound.
    #[must_use]
    pub fn user(self, content: impl Into<Content>) -> Self {
        self.message("user", content.into())
    }

    /// Adds a message of the model: a text, an image or a sound.
    #[must_use]
    pub fn assistant(self, content: impl Into<Content>) -> Self {
        self.message("assistant", content.into())
    }

    /// Sets the system prompt, which the client may change or leave out.
    #[must_use]
    pub fn system_prompt(mut self, prompt: impl Into<String>) -> Self {
        self.system_prompt = Some(prompt.into());
        self
    }

    /// Sets the temperature, in the model's own scale.
    #[must_use]
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature).filter(|temperature| temperature.is_finite());
        self
    }

    /// Adds a text at which the model stops.
    #[must_use]
    pub fn stop_sequence(mut self, text: impl Into<String>) -> Self {
        self.stop_sequences.push(text.into());
        self
    }

    /// Adds a part of a model's name that is preferred, after those before it.
    #[must_use]
    pub fn model_hint(mut self, name: impl Into<String>) -> Self {
        let hint = Hint { name: name.into() };
        self.model_preferences.hints.push(hint);
        self
    }

    /// Sets how much a low price matters, from 0 to 1.
    #[must_use]
    pub fn cost_priority(mut self, priority: f64) -> Self {
        self.model_preferences.cost_priority = between_0_and_1(priority);
        self
    }

    /// Sets how much a fast answer matters, from 0 to 1.
    #[must_use]
    pub fn speed_priority(mut self, priority: f64) -> Self {
        self.model_preferences.speed_priority = between_0_and_1(priority);
        self
    }

    /// Sets how much the model's abilities matter, from 0 to 1.
    #[must_use]
    pub fn intelligence_priority(mut self, priority: f64) -> Self {
        self.model_preferences.intelligence_priority = between_0_and_1(priority);
        self
    }

    fn message(mut self, role: &'static str, content: Content) -> Self {
        self.messages.push(Message { role, content });
        self
    }
}

fn between_0_and_1(priority: f64) -> Option<f64> {
    (!priority.is_nan()).then(|| priority.clamp(0.0, 1.0))
}

/// The message that the client's model has written.
///
/// It is the client's data: hostile input like arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampled {
    model: String,
    stop_reason: Option<String>,
    blocks: Vec<Value>,
}

/// The result of `sampling/createMessage`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    model: String,
    #[serde(default)]
    stop_reason: Option<String>,
    content: Value,
}

impl Sampled {
    fn of(answer: &RawValue) -> Option<Self> {
        let text = answer.get();
        if !text.starts_with('{') {
            return None;
        }
        let answer: Answer = serde_json::from_str(text).ok()?;
        let blocks = match answer.content {
            // A list since 2025-11-25.
            Value::Array(blocks) => blocks,
            block => vec![block],
        };
        blocks.iter().all(Value::is_object).then_some(Self {
            model: answer.model,
            stop_reason: answer.stop_reason,
            blocks,
        })
    }

    /// Returns the text of all text blocks, a line for each.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self
            .blocks
            .iter()
            .filter(|block| block.at("type") == "text");
        let texts: Vec<_> = texts
            .filter_map(|block| block.at("text").as_str())
            .collect();
        texts.join("\n")
    }

    /// Returns the content blocks as the client sent them: JSON objects with a
    /// `type`.
    #[must_use]
    pub fn blocks(&self) -> &[Value] {
        &self.blocks
    }

    /// Returns the name of the model.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Returns why the model stopped, such as `endTurn` or `maxTokens`, if the
    /// client knows.
    #[must_use]
    pub fn stop_reason(&self) -> Option<&str> {
        self.stop_reason.as_deref()
    }
}

impl Client {
    /// Asks the client's model to continue messages, and waits for the answer.
    ///
    /// The client decides which model it uses, and may show the request and the
    /// answer to its user first. Sampling is deprecated since 2026-07-28:
    /// prefer a model of the server's own.
    ///
    /// # Errors
    ///
    /// Returns an error if the client has not declared the capability `sampling`
    /// (see [`can_sample`](Self::can_sample)), if it refuses the request, if its
    /// answer has another form, or if the question's time is up.
    ///
    /// ```
    /// use mcp_kit::extract::SampleRequest;
    /// use mcp_kit::prelude::*;
    ///
    /// /// Invents a name for a project.
    /// #[tool]
    /// async fn invent_name(client: Client) -> Result<String, ToolError> {
    ///     let request = SampleRequest::new("Invent a name for a project.", 20);
    ///     Ok(client.sample(request).await?.text())
    /// }
    /// ```
    ///
    /// Specification: [sampling](https://modelcontextprotocol.io/specification/2026-07-28/client/sampling).
    pub fn sample(&self, request: SampleRequest) -> Asking<Sampled> {
        const METHOD: &str = "sampling/createMessage";
        let read = |answer: &RawValue| Sampled::of(answer).ok_or_else(|| unreadable(METHOD));
        self.asking(METHOD, ClientCapability::Sampling, &request, read)
    }
}
