//! The order of a form's fields, which a `Value` does not keep: it sorts them by name.
//! A client reads the order from the text of a message and finds it again by the schema.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::support::lock::Lock;

/// The orders of the forms that a client was asked. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct FieldOrders(Arc<Lock<HashMap<String, Vec<String>>>>);

impl FieldOrders {
    /// Reads the orders of the forms in a message.
    pub(super) fn read(&self, message: &str) {
        if !message.contains("\"requestedSchema\"") {
            return;
        }
        let Ok(Message { params, result }) = serde_json::from_str(message) else {
            return;
        };
        let rounds = result
            .input_requests
            .into_values()
            .map(|asked| asked.params);
        for form in rounds
            .chain([params])
            .filter_map(|params| params.requested_schema)
        {
            if let (Ok(schema), Ok(Form { properties })) = (
                serde_json::from_str::<Value>(form.get()),
                serde_json::from_str(form.get()),
            ) {
                self.0.lock().insert(schema.to_string(), properties.0);
            }
        }
    }

    /// Returns the names of a form's fields in their order; empty if it is unknown.
    pub(super) fn of(&self, schema: &Value) -> Vec<String> {
        match schema {
            Value::Null => Vec::new(),
            schema => self
                .0
                .lock()
                .get(&schema.to_string())
                .cloned()
                .unwrap_or_default(),
        }
    }
}

/// A request of the server, a result with questions, or the state of a task.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    params: Params,
    #[serde(default)]
    result: Round,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Round {
    #[serde(default)]
    input_requests: BTreeMap<String, Question>,
}

#[derive(Deserialize)]
struct Question {
    #[serde(default)]
    params: Params,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Params {
    requested_schema: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Form {
    properties: Names,
}

/// The names of an object's members, in the order of the text.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = members.next_entry()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
