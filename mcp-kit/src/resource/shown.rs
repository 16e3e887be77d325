//! Shows resources and their contents to people, for the commands `resources` and `read`.

use serde_json::Value;

use super::ResourceDefinition;
use crate::content::shown;
use crate::primitive::shown::head;
use crate::support::json::Members as _;

/// Writes a resource, a template or a provider.
pub(super) fn describe(resource: &ResourceDefinition, text: &mut String) {
    let mut facts = Vec::new();
    if resource.is_provider {
        facts.push("provider".to_owned());
    }
    facts.extend(resource.mime_type().map(str::to_owned));
    facts.extend(resource.size().map(|bytes| format!("{bytes} bytes")));
    let name = resource.title().unwrap_or_else(|| resource.name());
    let facts = facts.join(", ");
    head(
        text,
        resource.uri(),
        Some(name),
        &facts,
        resource.description(),
    );
}

/// Returns the contents: text as it is, and one line for bytes.
pub(super) fn result(result: &Value) -> String {
    let mut text = String::new();
    for contents in result.at("contents").as_array().into_iter().flatten() {
        let shown = shown::contents(contents);
        text.push_str(&shown);
        if !shown.ends_with('\n') {
            text.push('\n');
        }
    }
    text
}
