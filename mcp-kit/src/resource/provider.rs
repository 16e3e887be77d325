//! Resources of a set that is known only at run time, such as the rows of a
//! table: listed in pages, and read by their URIs.

use std::sync::Arc;

use async_trait::async_trait;

use super::row::Inherited;
use super::{ResourceDefinition, ResourcePage, ResourceResult};
use crate::args::CompiledArgs;
use crate::call::{
    Call, CallContext, Error, ErrorKind, Handler, ListRequest, NextFuture, Reply, ResourceUri,
    Subject,
};
use crate::content::ResourceLink;
use crate::primitive::{Icon, Kind, normalised};

/// A set of resources that is known only at run time.
///
/// Its resources follow those of the server in `resources/list`, in the order in
/// which providers were registered. Each list and each read is a call with the
/// chain, the limits, the scope and the log line of the provider; its name there
/// is the template of its URIs.
///
/// ```
/// use mcp_kit::Server;
/// use mcp_kit::call::{Call, Error};
/// use mcp_kit::content::ResourceLink;
/// use mcp_kit::resource::{
///     ResourceContents, ResourceDefinition, ResourcePage, ResourceProvider, ResourceResult,
/// };
///
/// struct Rows { definition: ResourceDefinition, rows: Vec<String> }
///
/// #[mcp_kit::async_trait]
/// impl ResourceProvider for Rows {
///     fn definition(&self) -> &ResourceDefinition { &self.definition }
///
///     async fn list(&self, _: Call, cursor: Option<&str>) -> Result<ResourcePage, Error> {
///         let first: usize = match cursor {
///             None => 0,
///             Some(cursor) => cursor.parse().map_err(|_| Error::not_found("unknown cursor"))?,
///         };
///         let rows = self.rows.iter().enumerate().skip(first);
///         let page = rows.take(100).map(|(n, _)| ResourceLink::new(format!("row://{n}"), "row"));
///         let page = ResourcePage::new(page.collect());
///         Ok(match first + 100 < self.rows.len() {
///             true => page.with_next((first + 100).to_string()),
///             false => page,
///         })
///     }
///
///     async fn read(&self, call: Call) -> Result<Option<ResourceResult>, Error> {
///         let number = call.uri().and_then(|uri| uri.value("number")?.parse::<usize>().ok());
///         let row = number.and_then(|number| self.rows.get(number));
///         Ok(row.map(|row| ResourceContents::from_text(row.as_str()).into()))
///     }
/// }
///
/// let rows = Rows {
///     definition: ResourceDefinition::new("row://{number}", "rows"),
///     rows: vec!["a".to_owned()],
/// };
/// let server = Server::builder("table", "1.0.0").resource_provider(rows).build()?;
/// # Ok::<(), mcp_kit::server::BuildError>(())
/// ```
#[async_trait]
pub trait ResourceProvider: Send + Sync + 'static {
    /// Returns the template that all of its URIs match, the media type and the
    /// policy. Called once, when the provider is registered. The template is not
    /// listed.
    fn definition(&self) -> &ResourceDefinition;

    /// Lists resources in an order that does not change. `cursor` is
    /// [`ResourcePage::next`] of an earlier page, or `None` for the first one. A
    /// client can send any text as a cursor, so check it; a cursor that holds the
    /// key of the last resource remains right when the set changes.
    ///
    /// A page with more than [`Call::page_items`] resources
    /// ([`Limits::page_items`](crate::server::Limits)), with a URI that the template does not match, or with a cursor of
    /// more than 1,024 bytes is an internal error.
    ///
    /// # Errors
    ///
    /// Returns the failure of the list. [`Error::not_found`] reports an unknown
    /// cursor.
    async fn list(&self, call: Call, cursor: Option<&str>) -> Result<ResourcePage, Error>;

    /// Reads the resource with the URI of the call ([`Call::uri`]), which matches
    /// the template. `None`: there is no such resource.
    ///
    /// # Errors
    ///
    /// Returns the failure of the read.
    async fn read(&self, call: Call) -> Result<Option<ResourceResult>, Error>;
}

/// A provider that its server shares with other code.
#[async_trait]
impl<P: ResourceProvider + ?Sized> ResourceProvider for Arc<P> {
    fn definition(&self) -> &ResourceDefinition {
        (**self).definition()
    }

    async fn list(&self, call: Call, cursor: Option<&str>) -> Result<ResourcePage, Error> {
        (**self).list(call, cursor).await
    }

    async fn read(&self, call: Call) -> Result<Option<ResourceResult>, Error> {
        (**self).read(call).await
    }
}

/// The longest cursor of a provider, in bytes.
pub(crate) const LONGEST_CURSOR: usize = 1_024;

/// Returns the definition of a provider, for its registration. Its variables are
/// not arguments: the provider itself knows which of its URIs exist.
pub(crate) fn provided(provider: &impl ResourceProvider) -> ResourceDefinition {
    let mut definition = provider.definition().clone();
    definition.is_provider = true;
    definition.common.arguments = Arc::new(CompiledArgs::none());
    if !definition.is_template() {
        let problem = "a provider needs a template of its URIs, such as rows://{id}";
        definition.common.problems.push(problem.to_owned());
    }
    definition
}

/// A provider, as the innermost part of its chain.
pub(crate) struct ProviderHandler<P> {
    provider: P,
    definition: ResourceDefinition,
    inherited: Inherited,
}

impl<P: ResourceProvider> Handler for ProviderHandler<P> {
    fn passes_call_on(&self) -> bool {
        true
    }

    fn run(&self, call: Call) -> NextFuture<'_> {
        Box::pin(async move {
            let context = Arc::clone(call.context());
            match context.subject.as_deref() {
                Some(Subject::Read(_)) => {
                    let result = self.provider.read(call).await?;
                    let result = result.ok_or_else(|| Error::not_found("Resource not found"))?;
                    Ok(self.inherited.complete(result, &context))
                }
                Some(Subject::List(request)) => {
                    let cursor = request.cursor.as_deref();
                    let page = self.provider.list(call, cursor).await;
                    let page = page.map_err(|error| unknown_cursor(error, request))?;
                    self.check(&page, request)?;
                    let page = self.readable(page, &context);
                    Ok(Reply::ResourcePage(self.merged(page, request, &context)?))
                }
                _ => Err(Error::internal("a provider was called without a URI")),
            }
        })
    }
}

impl<P> ProviderHandler<P> {
    pub(crate) fn new(provider: P, definition: ResourceDefinition) -> Self {
        Self {
            inherited: Inherited::from(&definition),
            provider,
            definition,
        }
    }

    /// Returns what is wrong with a page, which is the author's mistake.
    fn check(&self, page: &ResourcePage, request: &ListRequest) -> Result<(), Error> {
        let items = page.resources.len();
        if items > request.most {
            return Err(Error::internal(format!(
                "the provider listed {items} resources in one page, more than {}",
                request.most
            )));
        }
        let matches = |link: &ResourceLink| {
            let template = self.definition.template();
            template.is_some_and(|template| template.values(link.uri()).is_some())
        };
        if !page.resources.iter().all(matches) {
            return Err(Error::internal(
                "the provider listed a URI that its template does not match",
            ));
        }
        let mut icons = page.resources.iter().flat_map(ResourceLink::icons);
        if let Some(problem) = icons.find_map(Icon::problem) {
            return Err(Error::internal(problem));
        }
        match &page.next {
            Some(next) if next.len() > LONGEST_CURSOR => {
                Err(Error::internal("the provider's cursor is too long"))
            }
            _ => Ok(()),
        }
    }

    /// Leaves out what the caller may not read.
    fn readable(&self, mut page: ResourcePage, call: &CallContext) -> ResourcePage {
        if let Some(template) = self.definition.template()
            && call.target.readable_by.is_some()
        {
            page.resources.retain(|link| {
                let uri = normalised(link.uri()).unwrap_or_default();
                let values = template.matched(&uri).unwrap_or_default();
                let uri = ResourceUri::new(link.uri(), values);
                call.target.allows(&call.principal, &uri)
            });
        }
        page
    }

    /// Puts the page behind the server's own resources.
    fn merged(
        &self,
        mut page: ResourcePage,
        request: &ListRequest,
        call: &CallContext,
    ) -> Result<ResourcePage, Error> {
        page.before.clone_from(&request.before);
        let next = match page.next {
            Some(next) => Some(format!("{}{next}", request.prefix)),
            None => request.then.clone(),
        };
        let seal = |next: String| call.home.keys().seal_cursor(Kind::Resource.plural(), &next);
        page.next = next.map(seal).transpose()?;
        if page.resources.iter().any(|link| link.mime_type().is_none())
            && let Some(mime_type) = self.definition.mime_type()
        {
            let links = page
                .resources
                .into_iter()
                .map(|link| match link.mime_type() {
                    None => link.with_mime_type(mime_type),
                    Some(_) => link,
                });
            page.resources = links.collect();
        }
        Ok(page)
    }
}

/// A cursor that a provider does not know is the client's mistake.
fn unknown_cursor(error: Error, request: &ListRequest) -> Error {
    match (error.kind(), &request.cursor) {
        (ErrorKind::NotFound, Some(_)) => Error::refusal(
            ErrorKind::InvalidArguments,
            "Invalid params: unknown cursor; request the list again without a cursor",
        ),
        _ => error,
    }
}
