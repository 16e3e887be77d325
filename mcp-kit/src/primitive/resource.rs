//! The definition of a resource or of a template of resources: what the client
//! and the server know before it is read.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::common::common_methods;
use super::prompt::other_than_text;
use super::uri::{UriTemplate, normalised};
use super::{CommonDefinition, Kind};
use crate::args::CompiledArgs;
use crate::content::{CacheHints, CacheScope, ResourceAnnotations};
use crate::support::json::Members as _;

/// The URI or the template of a resource, its names, media type and policy.
/// (Specification: `Resource`, `ResourceTemplate`.)
///
/// `#[resource]` makes one from the function. A resource known only at run time
/// builds it with these methods; mistakes in it are errors of
/// [`ServerBuilder::build`](crate::server::ServerBuilder::build).
///
/// ```
/// use mcp_kit::resource::ResourceDefinition;
///
/// let index = ResourceDefinition::new("docs://index", "index").with_mime_type("text/markdown");
/// assert!(!index.is_template());
/// let page = ResourceDefinition::new("docs://{page}", "page")
///     .with_description("A page of the manual.");
/// assert!(page.is_template());
/// ```
#[derive(Clone, Debug)]
pub struct ResourceDefinition {
    /// Its name is the URI or the template: calls, logs and metrics know it by
    /// that.
    pub(crate) common: CommonDefinition,
    /// The name in lists.
    pub(crate) label: Cow<'static, str>,
    pub(crate) template: Option<UriTemplate>,
    pub(crate) mime_type: Option<Cow<'static, str>>,
    pub(crate) size: Option<u64>,
    pub(crate) annotations: ResourceAnnotations,
    pub(crate) cache: CacheHints,
    /// Whether a [`ResourceProvider`](crate::resource::ResourceProvider) has its
    /// resources.
    pub(crate) is_provider: bool,
}

impl ResourceDefinition {
    /// Creates the definition of a resource, or of a template if `uri` has
    /// variables ([`UriTemplate`]).
    ///
    /// A URI begins with a scheme and has at most 2,048 bytes. `name` is for
    /// lists; clients read by the URI. The variables of a template are texts; the
    /// handler reads them with [`Call::arguments`](crate::call::Call::arguments).
    pub fn new(uri: impl Into<Cow<'static, str>>, name: impl Into<Cow<'static, str>>) -> Self {
        let common = CommonDefinition::new(name.into(), Cow::Borrowed(""));
        let mut definition = Self::with_uri(common, uri.into());
        if let Some(template) = &definition.template {
            match CompiledArgs::from_schema(schema_of(template)) {
                Ok(arguments) => definition.common.arguments = Arc::new(arguments),
                Err(problems) => definition.common.problems.extend(problems),
            }
        }
        definition
    }

    /// Creates the definition of a function, whose argument struct is known.
    pub(crate) fn of(common: CommonDefinition, uri: Cow<'static, str>) -> Self {
        let mut definition = Self::with_uri(common, uri);
        let problems = definition.disagreements();
        definition.common.problems.extend(problems);
        definition
    }

    /// The name of `common` becomes the name in lists.
    fn with_uri(mut common: CommonDefinition, uri: Cow<'static, str>) -> Self {
        let label = std::mem::replace(&mut common.name, uri);
        let uri = &common.name;
        let mut template = None;
        if uri.contains(['{', '}']) {
            match UriTemplate::parse(uri) {
                Ok(parsed) => template = Some(parsed),
                Err(error) => common.problems.push(format!("its template: {error}")),
            }
        } else {
            match normalised(uri) {
                Ok(normal) if normal == *uri => {}
                Ok(normal) => {
                    let problem = format!("its URI must be written in its normal form: {normal}");
                    common.problems.push(problem);
                }
                Err(problem) => common.problems.push(format!("its URI: {problem}")),
            }
        }
        // A template with only text matches one URI, and is that URI.
        let template = template.filter(|template| template.variables().next().is_some());
        Self {
            common,
            label,
            template,
            mime_type: None,
            size: None,
            annotations: ResourceAnnotations::new(),
            cache: CacheHints::default(),
            is_provider: false,
        }
    }

    /// Sets the description, for people and models.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.common.description = description.into();
        self
    }

    /// Sets the media type of the contents, such as `text/markdown`. Contents
    /// that have one of their own keep it.
    #[must_use]
    pub fn with_mime_type(mut self, mime_type: impl Into<Cow<'static, str>>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Sets the size of the contents, in bytes before any encoding. Templates
    /// have none.
    #[must_use]
    pub fn with_size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// Sets the hints for the client.
    #[must_use]
    pub fn with_annotations(mut self, annotations: ResourceAnnotations) -> Self {
        self.annotations = annotations;
        self
    }

    /// Sets how long a client may cache the contents (`ttlMs`, 2026-07-28), in whole
    /// milliseconds, at most `u32::MAX` of them (about 49 days); a longer time is cut
    /// to this. The default is zero: the client reads the resource again each time.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.cache.ttl = Some(ttl);
        self
    }

    /// Sets who may use a kept result; `Private` by default. `Public` has no effect on
    /// a resource that requires a scope, that
    /// [`readable_by`](crate::registry::Registration::readable_by) restricts, or whose
    /// function takes the caller.
    #[must_use]
    pub fn with_cache_scope(mut self, scope: CacheScope) -> Self {
        self.cache.scope = Some(scope);
        self
    }

    common_methods! {}

    /// Returns the URI, or the template.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.common.name
    }

    /// Whether it is a template.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.kind() == Kind::ResourceTemplate
    }

    /// Returns the template, if it is a valid one.
    #[must_use]
    pub fn template(&self) -> Option<&UriTemplate> {
        self.template.as_ref()
    }

    /// Returns the name in lists.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.label
    }

    /// Returns the media type of the contents.
    #[must_use]
    pub fn mime_type(&self) -> Option<&str> {
        self.mime_type.as_deref()
    }

    /// Returns the size of the contents, in bytes before any encoding.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Returns the hints for the client.
    #[must_use]
    pub fn annotations(&self) -> &ResourceAnnotations {
        &self.annotations
    }

    /// Returns how long clients may keep what they have read, if the resource sets it.
    #[must_use]
    pub fn ttl(&self) -> Option<Duration> {
        self.cache.ttl
    }

    /// Returns who may use a kept result, if the resource sets it.
    #[must_use]
    pub fn cache_scope(&self) -> Option<CacheScope> {
        self.cache.scope
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.uri().contains('{') {
            true => Kind::ResourceTemplate,
            false => Kind::Resource,
        }
    }

    /// Returns where the variables and the argument struct disagree.
    fn disagreements(&self) -> Vec<String> {
        let arguments = &self.common.arguments;
        let fields = arguments.declared_names();
        let Some(template) = &self.template else {
            return match fields.as_slice() {
                [] => Vec::new(),
                [field, ..] => vec![format!(
                    "its function takes arguments, but its URI has no variable; write {{{field}}} where the value is in the URI"
                )],
            };
        };
        let variables: Vec<_> = template.variables().collect();
        if fields.is_empty() {
            return vec![format!(
                "its template has variables ({}), but its function takes no argument struct with a field for each",
                variables.join(", ")
            )];
        }
        let schema = arguments.schema();
        let is_required = |name: &str| {
            let required = schema.at("required").as_array();
            required.is_some_and(|required| required.iter().any(|other| other == name))
        };
        let mut problems = Vec::new();
        for variable in &variables {
            if !fields.contains(variable) {
                problems.push(format!(
                    "its variable {{{variable}}} has no field in the argument struct; add one, or rename one of the two"
                ));
            }
        }
        for field in fields {
            if !variables.contains(&field) {
                problems.push(format!(
                    "its argument \"{field}\" is not in the template, so no URI can give it a value; write {{{field}}} or {{?{field}}}"
                ));
                continue;
            }
            if is_required(field) && template.optional().any(|name| name == field) {
                problems.push(format!(
                    "its argument \"{field}\" is required, but a URI may omit {{?{field}}}; make the field an Option, or give it a default"
                ));
            }
            if let Some(what) = other_than_text(schema.at("properties").at(field), schema) {
                problems.push(format!(
                    "its argument \"{field}\" is {what}, but the parts of a URI are texts; use a text, a number, a boolean or an enum of names"
                ));
            }
        }
        problems
    }
}

/// Returns the schema of a template without an argument struct.
fn schema_of(template: &UriTemplate) -> Value {
    let text = |name: &str| (name.to_owned(), json!({"type": "string"}));
    let properties: Map<_, _> = template.variables().map(text).collect();
    let required: Vec<_> = template.required().collect();
    json!({"type": "object", "properties": properties, "required": required})
}
