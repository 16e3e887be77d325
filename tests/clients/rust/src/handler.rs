//! The client's side of a connection: what it answers to the server's questions,
//! and what it keeps of the server's notifications.
#![expect(
    deprecated,
    reason = "the protocol deprecates sampling, roots and logging"
)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rmcp::handler::client::progress::ProgressDispatcher;
use rmcp::model::{
    ClientCapabilities, ClientConfig, CreateMessageRequestParams, CreateMessageResult,
    CustomNotification, ElicitRequestParams, ElicitResult, ElicitationAction,
    ElicitationCapability, FormElicitationCapability, Implementation, ListRootsResult,
    LoggingMessageNotificationParam, ProgressNotificationParam, ProtocolVersion, Root,
    RootsCapabilities, SamplingCapability, SamplingMessage, TASKS_EXTENSION_ID,
    UrlElicitationCapability,
};
use rmcp::service::{NotificationContext, RequestContext, RoleClient};
use rmcp::{ClientHandler, ErrorData};
use serde_json::{Value, json};

/// Answers what the steps have prepared, and keeps what the server sends.
#[derive(Default)]
pub(crate) struct Answers {
    /// Whether the client declares the extension for tasks.
    pub(crate) has_tasks: bool,
    pub(crate) progress: ProgressDispatcher,
    /// How often a list of the server was announced to have changed.
    pub(crate) changes: AtomicUsize,
    /// Log messages.
    logged: Mutex<Vec<Value>>,
    /// The id of the visit that was asked for last, and of the one that has ended last.
    pub(crate) asked_visit: Mutex<String>,
    pub(crate) ended_visit: Mutex<String>,
    /// Whether the user opens no URL.
    pub(crate) declines_urls: AtomicBool,
}

impl Answers {
    pub(crate) fn logged(&self) -> MutexGuard<'_, Vec<Value>> {
        lock(&self.logged)
    }

    /// The answer to a form with this message; nothing is an answer to decline.
    fn of_form(message: &str) -> Option<Value> {
        Some(match message {
            "Who?" => json!({"username": "ada", "email": "ada@example.org"}),
            "What do you choose?" => json!({
                "untitledSingle": "option2",
                "titledSingle": "value3",
                "legacyEnum": "opt1",
                "untitledMulti": ["option1", "option3"],
                "titledMulti": ["value2"],
            }),
            "Step 1: What is your name?" | "What is your name?" => json!({"name": "Ada"}),
            "Step 2: What is your favorite color?" => json!({"color": "blue"}),
            "What context should the prompt use?" => json!({"context": "tea"}),
            _ => return None,
        })
    }
}

pub(crate) fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ClientHandler for Answers {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        let elicitation = ElicitationCapability::new()
            .with_form(FormElicitationCapability::default())
            .with_url(UrlElicitationCapability::default());
        capabilities.elicitation = Some(elicitation);
        capabilities.sampling = Some(SamplingCapability::default());
        capabilities.roots = Some(RootsCapabilities::default());
        if self.has_tasks {
            let tasks = (TASKS_EXTENSION_ID.to_owned(), serde_json::Map::new());
            capabilities.extensions = Some([tasks].into_iter().collect());
        }
        let name = Implementation::new("rust-client", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(capabilities, name).with_protocol_version(ProtocolVersion::V_2025_11_25)
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let answer = match &request {
            ElicitRequestParams::FormElicitationParams { message, .. } => Self::of_form(message),
            ElicitRequestParams::UrlElicitationParams {
                url,
                elicitation_id,
                ..
            } => {
                let is_right = url.starts_with("https://example.com/connect/");
                elicitation_id.clone_into(&mut lock(&self.asked_visit));
                let declines = self.declines_urls.load(Ordering::SeqCst);
                let action = match is_right && !declines {
                    true => ElicitationAction::Accept,
                    false => ElicitationAction::Decline,
                };
                return Ok(ElicitResult::new(action));
            }
            _ => None,
        };
        Ok(match answer {
            Some(content) => ElicitResult::new(ElicitationAction::Accept).with_content(content),
            None => ElicitResult::new(ElicitationAction::Decline),
        })
    }

    async fn create_message(
        &self,
        request: CreateMessageRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        let blocks = request
            .messages
            .last()
            .map(|last| last.content.clone().into_vec());
        let text = blocks.iter().flatten().find_map(|block| block.as_text());
        let text = text.map_or("nothing", |text| text.text.as_str());
        let answer = format!("I read: {text} ({} tokens)", request.max_tokens);
        Ok(CreateMessageResult::new(
            SamplingMessage::assistant_text(answer),
            "none".to_owned(),
        ))
    }

    async fn list_roots(
        &self,
        _context: RequestContext<RoleClient>,
    ) -> Result<ListRootsResult, ErrorData> {
        Ok(ListRootsResult::new(vec![Root::new("file:///home/ada")]))
    }

    async fn on_progress(
        &self,
        report: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.progress.handle_notification(report).await;
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    async fn on_prompt_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    async fn on_custom_notification(
        &self,
        notification: CustomNotification,
        _context: NotificationContext<RoleClient>,
    ) {
        if notification.method == "notifications/elicitation/complete"
            && let Some(id) = notification
                .params
                .as_ref()
                .and_then(|params| params["elicitationId"].as_str())
        {
            id.clone_into(&mut lock(&self.ended_visit));
        }
    }

    async fn on_logging_message(
        &self,
        message: LoggingMessageNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.logged().push(message.data);
    }
}
