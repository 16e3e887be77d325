//! The differences of resources and their templates from other primitives: their
//! definition and its form in lists, that a failure is a JSON-RPC error, and that
//! an unknown URI has a code of its own in the legacy era.

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{ResourceAnnotations, ResourceDefinition, ResourceResult};
use crate::call::{
    CallContext, Definition, ErrorKind, Failure, KindRow, Outcome, Reply, as_protocol_error,
};
use crate::completion::OF_TEMPLATES;
use crate::content::{CacheHints, CacheScope};
use crate::primitive::{
    CommonDefinition, Icon, Kind, PrimitiveInfo, UriTemplate, WarningCode, common_warnings,
};
use crate::protocol::{Era, RpcError, encode};

/// The row of resources.
static RESOURCES: KindRow = KindRow {
    kind: Kind::Resource,
    has_text_arguments: true,
    write,
    failure,
    unknown: |era, _, uri| RpcError::unknown_resource(era, uri),
    completing: None,
};

/// The row of templates, and of providers.
static TEMPLATES: KindRow = KindRow {
    kind: Kind::ResourceTemplate,
    completing: Some(&OF_TEMPLATES),
    ..RESOURCES
};

impl Definition for ResourceDefinition {
    fn row(&self) -> &'static KindRow {
        match self.kind() {
            Kind::ResourceTemplate => &TEMPLATES,
            _ => &RESOURCES,
        }
    }

    fn common(&self) -> &CommonDefinition {
        &self.common
    }

    fn common_mut(&mut self) -> &mut CommonDefinition {
        &mut self.common
    }

    /// The prefix is for names. URIs have their own structure, and clients and
    /// contents refer to them.
    fn add_prefix(&mut self, prefix: &str) {
        self.label = format!("{prefix}{}", self.label).into();
    }

    fn template(&self) -> Option<&UriTemplate> {
        self.template.as_ref()
    }

    fn is_provider(&self) -> bool {
        self.is_provider
    }

    fn listing(&self, _: &PrimitiveInfo, _: Era) -> String {
        let is_template = self.is_template();
        encode::json_text(&Listed {
            uri: (!is_template).then(|| self.uri()),
            uri_template: is_template.then(|| self.uri()),
            name: self.name(),
            title: self.title(),
            description: self.description(),
            mime_type: self.mime_type(),
            size: self.size.filter(|_| !is_template),
            annotations: &self.annotations,
            icons: &self.common.icons,
            meta: &self.common.meta,
        })
    }

    fn problems(&self) -> Vec<String> {
        let (kind, uri) = (self.kind(), crate::support::text::excerpt(self.uri()));
        let no_name = self.label.trim().is_empty();
        let no_name = no_name.then(|| format!("{kind} \"{uri}\" has no name"));
        let others = self.common.problems.iter();
        no_name
            .into_iter()
            .chain(others.map(|problem| format!("{kind} \"{uri}\": {problem}")))
            .collect()
    }

    /// Variables need no description: no list shows one. The same holds for providers.
    fn warnings(&self, _: &PrimitiveInfo, timeout: Duration) -> Vec<(WarningCode, String)> {
        let mut warnings = common_warnings(&self.common, timeout);
        warnings.retain(|(code, _)| {
            !matches!(
                code,
                WarningCode::UndescribedArgument | WarningCode::LongName
            )
        });
        if !self.is_provider && self.description().trim().is_empty() {
            warnings.push((
                WarningCode::ShortDescription,
                "it has no description, by which people and models choose it; set one with .with_description(…)"
                    .to_owned(),
            ));
        }
        warnings
    }

    #[cfg(feature = "cli")]
    fn describe(&self, _: &PrimitiveInfo, text: &mut String) {
        super::shown::describe(self, text);
    }

    #[cfg(feature = "cli")]
    fn shown_result(&self, result: &Value) -> String {
        super::shown::result(result)
    }
}

/// What a read's result has of its definition, unless its handler has set it.
pub(crate) struct Inherited {
    mime_type: Option<Cow<'static, str>>,
    cache: CacheHints,
    /// Whether the handler sees which caller it reads for.
    sees_caller: bool,
}

impl From<&ResourceDefinition> for Inherited {
    fn from(definition: &ResourceDefinition) -> Self {
        Self {
            mime_type: definition.mime_type.clone(),
            cache: definition.cache,
            sees_caller: false,
        }
    }
}

impl Inherited {
    /// Sets whether the handler sees which caller it reads for.
    pub(super) fn sees_caller(mut self, sees_caller: bool) -> Self {
        self.sees_caller = sees_caller;
        self
    }

    /// Completes a result: with the URI that was read, the media type, and the cache
    /// hints. Only its caller may keep what another caller might not read so.
    pub(super) fn complete(&self, mut result: ResourceResult, call: &CallContext) -> Reply {
        result.complete(call.key(), self.mime_type.as_deref());
        result.cache = result.cache.or(self.cache);
        if self.sees_caller || call.target.differs_by_caller() {
            result.cache.scope = Some(CacheScope::Private);
        }
        Reply::Resource(result)
    }
}

fn failure(failure: Failure<'_>) -> Result<Reply, RpcError> {
    match failure.outcome {
        Outcome::Failed(ErrorKind::NotFound) => {
            Err(RpcError::unknown_resource(failure.era, failure.key))
        }
        _ => as_protocol_error(failure),
    }
}

fn write(out: &mut Vec<u8>, era: Era, reply: &Reply) {
    let cache = match reply {
        Reply::Resource(result) => {
            out.extend_from_slice(br#""contents":"#);
            encode::json(out, &result.contents);
            result.cache
        }
        Reply::ResourcePage(page) => {
            out.extend_from_slice(br#""resources":["#);
            for resource in &page.before {
                out.extend_from_slice(resource.as_bytes());
                out.push(b',');
            }
            for resource in &page.resources {
                encode::json(out, resource);
                out.push(b',');
            }
            if out.last() == Some(&b',') {
                out.pop();
            }
            out.push(b']');
            if let Some(cursor) = &page.next {
                out.extend_from_slice(br#","nextCursor":"#);
                encode::string(out, cursor);
            }
            CacheHints::default()
        }
        _ => return, // of another kind: no resource's chain ends so
    };
    if era == Era::Modern {
        cache.write(out);
    }
}

/// A resource or a template in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_template: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "ResourceAnnotations::is_empty")]
    annotations: &'a ResourceAnnotations,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    icons: &'a [Icon],
    #[serde(rename = "_meta", skip_serializing_if = "Map::is_empty")]
    meta: &'a Map<String, Value>,
}
