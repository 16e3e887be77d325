//! Requests about prompts and resources.

use serde_json::{Value, json};

use super::{GetPromptResult, ReadResourceResult, RequestError, TestCall, TestClient};
use crate::support::json::Members as _;

impl TestClient {
    /// Returns every prompt that the caller may see, as `prompts/list` returns
    /// them.
    ///
    /// # Panics
    ///
    /// Panics if the server answers with an error, as a server without prompts
    /// does.
    pub async fn list_prompts(&self) -> Vec<Value> {
        self.list("prompts/list", "prompts").await
    }

    /// Returns every resource that the caller may see, as `resources/list`
    /// returns them: those of the server, then those of its providers.
    ///
    /// # Panics
    ///
    /// Panics if the server answers with an error, as a server without resources
    /// does.
    pub async fn list_resources(&self) -> Vec<Value> {
        self.list("resources/list", "resources").await
    }

    /// Returns every template of resources that the caller may see, as
    /// `resources/templates/list` returns them.
    ///
    /// # Panics
    ///
    /// Panics if the server answers with an error, as a server without resources
    /// does.
    pub async fn list_resource_templates(&self) -> Vec<Value> {
        self.list("resources/templates/list", "resourceTemplates")
            .await
    }

    /// Requests the messages of a prompt. The request is sent at once; await it
    /// for its result.
    ///
    /// Hosts send each argument as a text; `null` as arguments leaves them out.
    ///
    /// ```
    /// use mcp_kit::prelude::*;
    /// use mcp_kit::testing::TestClient;
    /// use serde_json::json;
    ///
    /// /// Prepares the daily stand-up.
    /// #[prompt]
    /// async fn standup() -> &'static str {
    ///     "List what changed since yesterday."
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), mcp_kit::server::BuildError> {
    /// let server = Server::builder("team", "1.0.0").prompt::<standup>().build()?;
    /// let client = TestClient::new(&server).await;
    /// let result = client.get_prompt("standup", json!({})).await;
    /// assert_eq!(result.text(), "List what changed since yesterday.");
    ///
    /// let refused = client.get_prompt("standup", json!({"day": "monday"})).outcome().await;
    /// assert_eq!(refused.unwrap_err().code(), Some(-32602));
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_prompt(&self, prompt: &str, arguments: Value) -> TestCall<GetPromptResult> {
        self.call_by_name("prompts/get", prompt, arguments)
    }

    /// Reads a resource. The request is sent at once; await it for its result.
    ///
    /// ```
    /// use mcp_kit::prelude::*;
    /// use mcp_kit::testing::TestClient;
    ///
    /// /// The rules of the house.
    /// #[resource(uri = "house://rules", mime_type = "text/plain")]
    /// async fn rules() -> &'static str {
    ///     "Be kind."
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), mcp_kit::server::BuildError> {
    /// let server = Server::builder("house", "1.0.0").resource::<rules>().build()?;
    /// let client = TestClient::new(&server).await;
    /// let rules = client.read_resource("house://rules").await;
    /// assert_eq!(rules.text(), "Be kind.");
    /// assert_eq!(rules.contents()[0]["mimeType"], "text/plain");
    ///
    /// let unknown = client.read_resource("house://roof").outcome().await;
    /// assert_eq!(unknown.unwrap_err().code(), Some(-32002));
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_resource(&self, uri: &str) -> TestCall<ReadResourceResult> {
        let token = self.next_id();
        let params = json!({"uri": uri, "_meta": {"progressToken": token}});
        TestCall::new(self.send(token, "resources/read", params))
    }

    /// Requests suggestions for an argument of a prompt, and returns the member
    /// `completion` of the result.
    ///
    /// `chosen` are the other arguments that were chosen before, an object of
    /// texts.
    ///
    /// ```
    /// use mcp_kit::prelude::*;
    /// use mcp_kit::completion::CompletionRequest;
    /// use mcp_kit::testing::TestClient;
    /// use mcp_kit::prompt::{PromptArgument, PromptDefinition, from_fn};
    /// use mcp_kit::registry::Registration;
    /// use mcp_kit::call::Call;
    /// use serde_json::json;
    ///
    /// async fn languages(request: CompletionRequest) -> Vec<&'static str> {
    ///     let all = ["Danish", "Dutch", "English"].into_iter();
    ///     all.filter(|name| name.starts_with(request.value())).collect()
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), mcp_kit::server::BuildError> {
    /// let definition = PromptDefinition::new("translate", "Translates a text.")
    ///     .with_argument(PromptArgument::new("into"));
    /// let translate = from_fn(definition, async |_: Call| "Translate.");
    /// let server = Server::builder("languages", "1.0.0")
    ///     .add(Registration::of_prompt(translate).complete("into", languages))
    ///     .build()?;
    /// let client = TestClient::new(&server).await;
    /// let completion = client.complete_prompt("translate", "into", "D", json!({})).await.unwrap();
    /// assert_eq!(completion["values"], json!(["Danish", "Dutch"]));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the JSON-RPC error that the server answered with.
    pub async fn complete_prompt(
        &self,
        prompt: &str,
        argument: &str,
        value: &str,
        chosen: Value,
    ) -> Result<Value, RequestError> {
        let reference = json!({"type": "ref/prompt", "name": prompt});
        self.complete(reference, argument, value, chosen).await
    }

    /// Requests suggestions for a variable of a resource template, and returns the
    /// member `completion` of the result.
    ///
    /// `chosen` are the other variables that were chosen before, an object of
    /// texts.
    ///
    /// # Errors
    ///
    /// Returns the JSON-RPC error that the server answered with.
    pub async fn complete_resource(
        &self,
        template: &str,
        variable: &str,
        value: &str,
        chosen: Value,
    ) -> Result<Value, RequestError> {
        let reference = json!({"type": "ref/resource", "uri": template});
        self.complete(reference, variable, value, chosen).await
    }

    async fn complete(
        &self,
        reference: Value,
        argument: &str,
        value: &str,
        chosen: Value,
    ) -> Result<Value, RequestError> {
        let params = json!({
            "ref": reference,
            "argument": {"name": argument, "value": value},
            "context": {"arguments": chosen},
        });
        let mut result = self.request("completion/complete", params).await?;
        Ok(result.take_at("completion"))
    }
}
