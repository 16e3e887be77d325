//! Requests and notifications of extensions.

#[cfg(feature = "http")]
use std::borrow::Cow;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use super::dispatch::{Ask, Called, refuse_hidden};
use super::methods::is_core;
use super::resources::Found;
use super::session::Session;
use super::{Routed, ServerInner};
#[cfg(feature = "http")]
use crate::call::Transport;
use crate::call::{Pending, Refusal, RunPermit};
#[cfg(feature = "http")]
use crate::caller::Principal;
use crate::extension::{Declared, Extensions};
use crate::primitive::Kind;
use crate::protocol::message::{Notification, Request, whole_params};
use crate::protocol::meta::Meta;
use crate::protocol::params::without_meta;
use crate::protocol::{Era, RequestId, RpcError, encode};
#[cfg(feature = "http")]
use crate::protocol::{json_string, params::member};
use crate::support::task::spawn_on;

/// The extensions of a server, as the rest of it reaches them. Only the setter of
/// extensions refers to the type behind it, so the linker drops that, and most of this
/// module, from a program without extensions.
pub(super) trait OfferedExtensions: Send + Sync {
    fn add(&mut self, extension: Declared);

    /// Returns what is wrong with them.
    fn problems(&self) -> Vec<String>;

    /// Returns the call of a method, if the request is for one.
    fn method(
        &self,
        server: &Arc<ServerInner>,
        ask: &Ask<'_, '_>,
    ) -> Result<Option<Routed>, RpcError>;

    /// Handles a notification, if it is one of them. It has no answer.
    fn notified(
        &self,
        server: &Arc<ServerInner>,
        era: Option<Era>,
        session: &mut Session,
        notification: &Notification<'_>,
    );

    /// Returns the parameter that the header of a request for a method repeats.
    #[cfg(feature = "http")]
    fn name_parameter(&self, method: &str) -> Option<&str>;

    /// Returns the identifier of the extension that sends this notification.
    fn sender_of(&self, notification: &str) -> Option<&str>;

    /// Returns the identifiers and settings of those that are declared in an era.
    fn of_era(&self, era: Era) -> Vec<(&Arc<str>, &str)>;

    /// Returns the identifiers of those that a legacy client declares.
    fn declared_with(&self, capabilities: &str) -> Vec<Arc<str>>;
}

/// Returns extensions, of which there are none yet.
pub(super) fn none() -> Box<dyn OfferedExtensions> {
    Box::new(Extensions::default())
}

impl OfferedExtensions for Extensions {
    fn add(&mut self, extension: Declared) {
        Self::add(self, extension);
    }

    fn problems(&self) -> Vec<String> {
        Self::problems(self, is_core)
    }

    fn method(
        &self,
        server: &Arc<ServerInner>,
        ask: &Ask<'_, '_>,
    ) -> Result<Option<Routed>, RpcError> {
        let found = self.find(Kind::Method, &ask.request.method, ask.era);
        let Some(method) = found else {
            return Ok(None);
        };
        let call = server.call_of_extension(Kind::Method, method.name(), ask)?;
        Ok(call.map(Routed::Run))
    }

    fn notified(
        &self,
        server: &Arc<ServerInner>,
        era: Option<Era>,
        session: &mut Session,
        notification: &Notification<'_>,
    ) {
        let Ok(meta) = Meta::of(notification.params.meta) else {
            return;
        };
        let era = era.unwrap_or_else(|| match session.version {
            Some(_) => meta.era(),
            None => Era::Modern,
        });
        let found = self.find(Kind::Notification, &notification.method, era);
        let (Some(found), Ok(runtime)) = (found, Handle::try_current()) else {
            return;
        };
        // It has no id; this one is for the log.
        let request = Request {
            id: RequestId::String("notification".into()),
            method: notification.method.clone(),
            params: notification.params.clone(),
            text: notification.text,
        };
        let ask = Ask {
            era,
            session,
            request: &request,
            meta: &meta,
        };
        let Ok(Some(call)) = server.call_of_extension(Kind::Notification, found.name(), &ask)
        else {
            return;
        };
        let why = match server.place_for(&call) {
            _ if server.drain.is_draining() => Refusal::ShuttingDown,
            None => Refusal::Busy,
            Some(place) => {
                spawn_on(&runtime, async move {
                    let Place { permit, _within } = place;
                    if let Some(running) = call.run(Some(permit)) {
                        // What its client would read is dropped.
                        let _ = running.await;
                    }
                });
                return;
            }
        };
        if let Some(ended) = call.end() {
            ended.turn_away(why);
        }
    }

    #[cfg(feature = "http")]
    fn name_parameter(&self, method: &str) -> Option<&str> {
        let method = self.find(Kind::Method, method, Era::Modern)?;
        method.name_parameter()
    }

    fn sender_of(&self, notification: &str) -> Option<&str> {
        Self::sender_of(self, notification)
    }

    fn of_era(&self, era: Era) -> Vec<(&Arc<str>, &str)> {
        Self::of_era(self, era).collect()
    }

    fn declared_with(&self, capabilities: &str) -> Vec<Arc<str>> {
        Self::declared_with(self, capabilities)
    }
}

impl ServerInner {
    /// Returns the call of an extension's method, if the request is for one.
    pub(super) fn extension_method(
        self: &Arc<Self>,
        ask: &Ask<'_, '_>,
    ) -> Result<Option<Routed>, RpcError> {
        match &self.extensions {
            Some(extensions) => extensions.method(self, ask),
            None => Ok(None),
        }
    }

    fn call_of_extension(
        self: &Arc<Self>,
        kind: Kind,
        name: &str,
        ask: &Ask<'_, '_>,
    ) -> Result<Option<Pending>, RpcError> {
        let Some(target) = self.registry.target(kind, name) else {
            return Ok(None);
        };
        let found = Found {
            target,
            subject: None,
            arguments: whole_params(ask.request.text).map(without_meta),
        };
        let called = Called {
            method: name,
            may_ask: false,
        };
        let call = self.call_of(called, found, ask)?;
        refuse_hidden(&call)?;
        Ok(Some(call))
    }

    /// Handles a notification, if it is one of an extension. It has no answer.
    pub(crate) fn notified(
        self: &Arc<Self>,
        era: Option<Era>,
        session: &mut Session,
        notification: &Notification<'_>,
    ) {
        if let Some(extensions) = &self.extensions {
            extensions.notified(self, era, session, notification);
        }
    }

    /// Returns the place of a notification among the calls that run, if there is one.
    /// Notifications do not wait.
    fn place_for(&self, call: &Pending) -> Option<Place> {
        let server = Arc::clone(self.permits()).try_acquire_owned().ok()?;
        let permit = RunPermit::new(server, None);
        #[cfg(feature = "http")]
        if call.context().request.transport == Transport::Http {
            let principal = self.principal_permits.of(&call.context().principal);
            return Some(Place {
                permit: permit.of_principal(principal.try_acquire_owned().ok()?),
                _within: None,
            });
        }
        let _ = call;
        let within = Arc::clone(&self.notification_permits).try_acquire_owned();
        Some(Place {
            permit,
            _within: Some(within.ok()?),
        })
    }

    /// Returns the parameter that the `Mcp-Name` header must repeat, for a method of an
    /// extension.
    #[cfg(feature = "http")]
    pub(crate) fn name_parameter(&self, method: &str) -> Option<&str> {
        self.extensions.as_ref()?.name_parameter(method)
    }

    /// Returns the parameter that the `Mcp-Name` header of a request must repeat, and
    /// its value, if the request has it.
    #[cfg(feature = "http")]
    pub(crate) fn header_name<'a>(
        &self,
        request: &Request<'a>,
        principal: &Principal,
    ) -> Option<(Cow<'static, str>, Cow<'a, str>)> {
        if let Some(method) = super::methods::find(&request.method) {
            let (parameter, value) = method.header_name(&request.params)?;
            return Some((parameter.into(), value));
        }
        let parameter = self.name_parameter(&request.method)?;
        // For a caller that may not see it, it is like an unknown method.
        let target = self.registry.target(Kind::Method, &request.method)?;
        if target.info.missing_scope(principal).is_some() {
            return None;
        }
        let value = member(whole_params(request.text)?, parameter)?;
        Some((
            format!("params.{parameter}").into(),
            json_string(value.get())?,
        ))
    }

    /// Writes the extensions that the server declares, as a further capability.
    pub(super) fn write_extensions(&self, out: &mut Vec<u8>, era: Era, has_tasks: bool) {
        let start = out.len();
        let mut write = |identifier: &str, settings: &str| {
            let first: &[u8] = if out.len() == start {
                br#","extensions":{"#
            } else {
                b","
            };
            out.extend_from_slice(first);
            encode::string(out, identifier);
            out.push(b':');
            out.extend_from_slice(settings.as_bytes());
        };
        if era == Era::Modern && has_tasks {
            write(crate::protocol::TASKS, "{}");
        }
        for (identifier, settings) in self.extensions.iter().flat_map(|all| all.of_era(era)) {
            write(identifier, settings);
        }
        if out.len() > start {
            out.push(b'}');
        }
    }
}

/// The permits of a notification.
struct Place {
    permit: RunPermit,
    _within: Option<OwnedSemaphorePermit>,
}
