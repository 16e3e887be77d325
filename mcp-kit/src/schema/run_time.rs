//! Schemas that are known only at run time: mcp-kit's own walk checks and
//! reports what it supports, and the feature `json-schema` the rest of 2020-12.

use serde_json::Value;

use super::compile;
use super::finding::Finding;
#[cfg(feature = "json-schema")]
pub(crate) use super::standard::Standard;
use super::walk::Validator;

/// Without the feature no schema has a part for it.
#[cfg(not(feature = "json-schema"))]
#[derive(Debug)]
pub(crate) enum Standard {}

#[cfg(not(feature = "json-schema"))]
impl Standard {
    pub(crate) fn finding(&self, _: &Value) -> Option<Finding> {
        match *self {}
    }
}

/// A schema that is known at run time.
#[derive(Debug)]
pub(crate) struct RunTime {
    pub(crate) walker: Validator,
    /// Checks what the walk does not support.
    pub(crate) standard: Option<Standard>,
}

impl RunTime {
    /// Compiles a schema of which everything must be checked.
    ///
    /// # Errors
    ///
    /// Returns each keyword that is malformed or cannot be checked, with its
    /// place and the fix.
    pub(crate) fn of(schema: &Value) -> Result<Self, Vec<String>> {
        let (walker, unchecked) = compile::run_time(schema)?;
        let standard = if unchecked.is_empty() {
            None
        } else {
            Some(standard(schema, unchecked)?)
        };
        Ok(Self { walker, standard })
    }

    /// Compiles the schema of a Rust type's output, as far as it can be
    /// checked.
    pub(crate) fn of_output(schema: &Value) -> Self {
        Self {
            walker: compile::lenient(schema),
            standard: None,
        }
    }

    /// Whether a JSON text matches the schema.
    pub(crate) fn admits(&self, text: &str) -> bool {
        self.walker.admits(text)
            && self.standard.as_ref().is_none_or(|standard| {
                serde_json::from_str(text).is_ok_and(|value| standard.finding(&value).is_none())
            })
    }

    /// Returns everything that is wrong with a JSON text, as far as it can be
    /// found.
    pub(crate) fn findings(&self, text: &str) -> Vec<Finding> {
        let mut findings = self.walker.findings(text);
        if let Some(standard) = &self.standard
            && findings.is_empty()
            && let Ok(value) = serde_json::from_str(text)
        {
            findings.extend(standard.finding(&value));
        }
        findings
    }
}

#[cfg(feature = "json-schema")]
fn standard(schema: &Value, _: Vec<String>) -> Result<Standard, Vec<String>> {
    Standard::new(schema).map_err(|problem| vec![problem])
}

#[cfg(not(feature = "json-schema"))]
fn standard(_: &Value, unchecked: Vec<String>) -> Result<Standard, Vec<String>> {
    Err(unchecked)
}
