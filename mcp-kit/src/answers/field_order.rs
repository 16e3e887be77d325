//! The order of a form's fields, which a `Value` does not keep: it sorts them by name.
//! A client reads the order from the text of a message and finds it again by the schema.

use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::protocol::params::{member, members};
use crate::support::lock::Lock;

/// The orders of the forms that have arrived and are not answered. Two open forms that differ
/// in the order of their fields alone share an entry, that of the later one.
#[derive(Default)]
pub(super) struct FieldOrders(Lock<HashMap<String, Vec<String>>>);

impl FieldOrders {
    /// Reads the orders of the forms in a message: a request of the server, a result with
    /// questions, or the state of a task.
    pub(super) fn read(&self, message: &str) {
        if !message.contains("\"requestedSchema\"") {
            return;
        }
        let Ok(message) = serde_json::from_str::<&RawValue>(message) else {
            return;
        };
        let round = member(message, "result").and_then(|round| member(round, "inputRequests"));
        let asked = round.map(members).unwrap_or_default();
        for asked in asked.into_iter().map(|(_, asked)| asked).chain([message]) {
            let form = member(asked, "params").and_then(|asked| member(asked, "requestedSchema"));
            let Some(form) = form else { continue };
            if let (Ok(schema), Some(properties)) = (
                serde_json::from_str::<Value>(form.get()),
                member(form, "properties"),
            ) {
                let names = members(properties).into_iter();
                let names = names.map(|(name, _)| name.into_owned());
                self.0.lock().insert(schema.to_string(), names.collect());
            }
        }
    }

    /// Takes the names of a form's fields in their order; empty if it is unknown. A form that
    /// is asked again arrives again.
    pub(super) fn take(&self, schema: &Value) -> Vec<String> {
        match schema {
            Value::Null => Vec::new(),
            schema => self
                .0
                .lock()
                .remove(&schema.to_string())
                .unwrap_or_default(),
        }
    }
}
