//! What a request is about if a registered name alone does not say it: the URI
//! that a template matched, a page of a list, or the argument that is completed.

use std::sync::Arc;

use crate::primitive::Values;

/// The subject of a call, beside its target.
#[derive(Debug)]
pub(crate) enum Subject {
    /// A resource is read.
    Read(ResourceUri),
    /// The resources of a provider are listed.
    List(ListRequest),
    /// An argument is completed.
    Complete(CompletionRequest),
}

/// A URI that is read, with the values of its template's variables.
///
/// A handler takes it as a parameter; [`Call::uri`](super::Call::uri) returns it
/// to middlewares and to handlers that are known only at run time.
///
/// ```
/// use mcp_kit::prelude::*;
/// use mcp_kit::resource::ResourceUri;
///
/// /// Tells where it was read from.
/// #[resource(uri = "here://now")]
/// async fn here(uri: ResourceUri) -> String {
///     uri.as_str().to_owned()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceUri {
    text: Box<str>,
    values: Box<[(Box<str>, Box<str>)]>,
}

impl ResourceUri {
    /// Keeps a URI as the client sent it.
    pub(crate) fn new(text: &str, values: Values<'_>) -> Self {
        let values = values.into_iter();
        Self {
            text: text.into(),
            values: values
                .map(|(name, value)| (name.as_ref().into(), value.as_ref().into()))
                .collect(),
        }
    }

    /// Returns the URI as the client sent it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the decoded value of a variable of the template; the first one if
    /// the query has several.
    #[must_use]
    pub fn value(&self, variable: &str) -> Option<&str> {
        self.values()
            .find(|(name, _)| *name == variable)
            .map(|(_, value)| value)
    }

    /// Returns the names and decoded values of the variables.
    pub fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (&**name, &**value))
    }
}

/// A request for a page of a provider's resources.
#[derive(Debug)]
pub(crate) struct ListRequest {
    /// The provider's own cursor.
    pub(crate) cursor: Option<String>,
    /// The server's own resources in front of the provider's, each as JSON.
    pub(crate) before: Vec<Arc<str>>,
    /// How many resources the provider may list in one page.
    pub(crate) most: usize,
    /// What precedes the provider's own cursor in the position of its next page.
    pub(crate) prefix: String,
    /// The position of what follows the provider's resources.
    pub(crate) then: Option<String>,
}

/// A request for suggestions: the argument, the text that the person typed so
/// far, and the arguments that were chosen before. (Specification:
/// `CompleteRequest`.)
///
/// A completing function takes it as a parameter; see
/// [`completion`](crate::completion). The client chose all of it: nothing has
/// checked the values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompletionRequest {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) arguments: Vec<(String, String)>,
}

impl CompletionRequest {
    /// Returns the name of the argument or variable.
    #[must_use]
    pub fn argument_name(&self) -> &str {
        &self.name
    }

    /// Returns the text that was typed so far, possibly empty.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns the value of another argument that was chosen before. Clients
    /// send these since 2025-06-18, and not all do.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<&str> {
        let mut arguments = self.arguments.iter();
        let found = arguments.find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Subject {
    /// Returns the number of bytes that the client made it hold.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Read(uri) => {
                let values = uri.values().map(|(name, value)| name.len() + value.len());
                uri.text.len() + values.sum::<usize>()
            }
            Self::List(request) => request.cursor.as_ref().map_or(0, String::len),
            Self::Complete(request) => {
                let arguments = request.arguments.iter();
                let arguments = arguments.map(|(name, value)| name.len() + value.len());
                request.name.len() + request.value.len() + arguments.sum::<usize>()
            }
        }
    }
}
