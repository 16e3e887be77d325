//! Annotations: hints for the client about how to use contents.

use serde::{Serialize, Serializer};

use super::Role;

/// Hints for the client about how to use a resource. (Specification:
/// `Annotations`.)
///
/// ```
/// use mcp_kit::content::{ResourceAnnotations, Role};
///
/// let annotations = ResourceAnnotations::new()
///     .with_audience(Role::User)
///     .with_priority(0.8)
///     .with_last_modified("2026-11-27T09:00:00Z");
/// assert_eq!(annotations.priority(), Some(0.8));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceAnnotations {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audience: Vec<Role>,
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "in_thousandths"
    )]
    priority: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
}

fn in_thousandths<S: Serializer>(priority: &Option<u16>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(f64::from(priority.unwrap_or_default()) / 1_000.0)
}

impl ResourceAnnotations {
    /// Creates annotations without a hint.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an intended reader: the user, or the model. Calls add up.
    #[must_use]
    pub fn with_audience(mut self, role: Role) -> Self {
        if !self.audience.contains(&role) {
            self.audience.push(role);
        }
        self
    }

    /// Sets how important it is, from 0.0 (optional) to 1.0 (required). Other
    /// numbers become the nearest of the two; three digits are kept.
    #[must_use]
    pub fn with_priority(mut self, priority: f64) -> Self {
        let thousandths = (priority.clamp(0.0, 1.0) * 1_000.0).round();
        self.priority = (0..=1_000).find(|number| f64::from(*number) >= thousandths);
        self
    }

    /// Sets when it was last modified: a time of ISO 8601, such as
    /// `2026-11-27T09:00:00Z`.
    #[must_use]
    pub fn with_last_modified(mut self, time: impl Into<String>) -> Self {
        self.last_modified = Some(time.into());
        self
    }

    /// Returns the intended readers; empty if none were set.
    #[must_use]
    pub fn audience(&self) -> &[Role] {
        &self.audience
    }

    /// Returns how important it is, from 0.0 to 1.0.
    #[must_use]
    pub fn priority(&self) -> Option<f64> {
        self.priority.map(|number| f64::from(number) / 1_000.0)
    }

    /// Returns when it was last modified.
    #[must_use]
    pub fn last_modified(&self) -> Option<&str> {
        self.last_modified.as_deref()
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn annotations_have_the_specifications_form() {
        let all = ResourceAnnotations::new()
            .with_audience(Role::User)
            .with_audience(Role::Assistant)
            .with_audience(Role::User)
            .with_priority(0.8)
            .with_last_modified("2026-11-27T09:00:00Z");
        assert_eq!(
            serde_json::to_value(&all).unwrap(),
            json!({
                "audience": ["user", "assistant"],
                "priority": 0.8,
                "lastModified": "2026-11-27T09:00:00Z",
            })
        );
        assert!(ResourceAnnotations::new().is_empty());
        for (given, kept) in [
            (-1.0, Some(0.0)),
            (2.0, Some(1.0)),
            (0.1234, Some(0.123)),
            (f64::NAN, None),
        ] {
            assert_eq!(
                ResourceAnnotations::new().with_priority(given).priority(),
                kept
            );
        }
    }
}
