//! The table of methods: every request that the server answers, and what the
//! transports must know about it. They query the table and compare no names.

#[cfg(feature = "http")]
use std::borrow::Cow;
#[cfg(feature = "http")]
use std::sync::Arc;

use super::ServerInner;
use super::dispatch::{Ask, text};
use super::resources::Found;
use super::tasks::TaskMethod;
#[cfg(feature = "http")]
use crate::call::Target;
use crate::primitive::Kind;
#[cfg(feature = "http")]
use crate::protocol::json_string;
#[cfg(feature = "http")]
use crate::protocol::message::Request;
use crate::protocol::params::Params;
use crate::protocol::{Era, RpcError};

/// A method that the server answers.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    eras: &'static [Era],
    pub(super) does: Does,
    #[cfg_attr(not(feature = "http"), expect(dead_code, reason = "for headers"))]
    /// The source of the `Mcp-Name` header of a request (2026-07-28, HTTP).
    header: Option<NameFrom>,
    /// Its result may ask the client to answer questions and to call again
    /// (2026-07-28).
    pub(super) may_ask: bool,
    /// A legacy client may send it before `initialize`.
    pub(super) comes_first: bool,
    /// It is a client's first message, which a server can answer before its runtime
    /// runs.
    #[cfg_attr(
        not(all(feature = "stdio", unix)),
        expect(dead_code, reason = "only stdio answers so early")
    )]
    pub(crate) is_greeting: bool,
}

/// The action of a method.
pub(super) enum Does {
    /// It is answered at once.
    Answer(fn(&ServerInner, &mut Ask<'_, '_>, &mut Vec<u8>) -> Result<(), RpcError>),
    /// It lists the primitives of a kind.
    List(Kind),
    /// It runs a handler of a primitive of this kind, which the function finds.
    Call(Kind, Find),
    /// It is about a task: the code of tasks makes the work that answers it.
    Task(TaskMethod),
    /// It opens the legacy era of a connection, or an HTTP session.
    Initialize,
    /// It opens a subscription.
    Listen,
    /// It begins to watch a resource, or ends that.
    Watch { begins: bool },
}

type Find = fn(&ServerInner, &Params<'_>, Era) -> Result<Found, RpcError>;

/// The parameter that names what a request is about.
#[derive(Clone, Copy)]
enum NameFrom {
    Name,
    Uri,
    TaskId,
}

const BOTH: &[Era] = &[Era::Legacy, Era::Modern];

/// A method of both eras that does this.
const fn method(name: &'static str, does: Does) -> Method {
    Method {
        name,
        eras: BOTH,
        does,
        header: None,
        may_ask: false,
        comes_first: false,
        is_greeting: false,
    }
}

/// A method of the extension for tasks.
const fn about_task(name: &'static str, method: TaskMethod) -> Method {
    Method {
        eras: &[Era::Modern],
        header: Some(NameFrom::TaskId),
        ..self::method(name, Does::Task(method))
    }
}

/// The most frequent first.
static METHODS: &[Method] = &[
    Method {
        header: Some(NameFrom::Name),
        may_ask: true,
        ..method("tools/call", Does::Call(Kind::Tool, ServerInner::find_tool))
    },
    method("tools/list", Does::List(Kind::Tool)),
    Method {
        header: Some(NameFrom::Name),
        may_ask: true,
        ..method(
            "prompts/get",
            Does::Call(Kind::Prompt, ServerInner::find_prompt),
        )
    },
    method("prompts/list", Does::List(Kind::Prompt)),
    Method {
        header: Some(NameFrom::Uri),
        may_ask: true,
        ..method(
            "resources/read",
            Does::Call(Kind::Resource, ServerInner::find_resource),
        )
    },
    method("resources/list", Does::List(Kind::Resource)),
    method(
        "resources/templates/list",
        Does::List(Kind::ResourceTemplate),
    ),
    method(
        "completion/complete",
        Does::Call(Kind::Completion, ServerInner::find_completion),
    ),
    Method {
        eras: &[Era::Legacy],
        comes_first: true,
        ..method("ping", Does::Answer(ServerInner::ping))
    },
    Method {
        eras: &[Era::Legacy],
        ..method("logging/setLevel", Does::Answer(ServerInner::set_log_level))
    },
    Method {
        eras: &[Era::Legacy],
        comes_first: true,
        is_greeting: true,
        ..method("initialize", Does::Initialize)
    },
    Method {
        eras: &[Era::Modern],
        comes_first: true,
        is_greeting: true,
        ..method("server/discover", Does::Answer(ServerInner::discover))
    },
    Method {
        eras: &[Era::Modern],
        ..method("subscriptions/listen", Does::Listen)
    },
    Method {
        eras: &[Era::Legacy],
        ..method("resources/subscribe", Does::Watch { begins: true })
    },
    Method {
        eras: &[Era::Legacy],
        ..method("resources/unsubscribe", Does::Watch { begins: false })
    },
    about_task("tasks/get", TaskMethod::Get),
    about_task("tasks/update", TaskMethod::Update),
    about_task("tasks/cancel", TaskMethod::Cancel),
];

/// What else the protocol has, in any version: the notifications of both sides, the
/// requests of servers, and methods that this server does not answer.
static OTHERS: &[&str] = &[
    "elicitation/create",
    "notifications/cancelled",
    "notifications/elicitation/complete",
    "notifications/initialized",
    "notifications/message",
    "notifications/progress",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
    "notifications/resources/updated",
    "notifications/roots/list_changed",
    "notifications/subscriptions/acknowledged",
    "notifications/tasks",
    "notifications/tasks/status",
    "notifications/tools/list_changed",
    "roots/list",
    "sampling/createMessage",
    "tasks/list",
    "tasks/result",
];

/// Whether the protocol has a method or notification of this name, in either era.
pub(crate) fn is_core(name: &str) -> bool {
    find(name).is_some() || OTHERS.contains(&name)
}

/// Returns the method with this name, in either era.
pub(crate) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

impl Method {
    pub(super) fn is_in(&self, era: Era) -> bool {
        self.eras.contains(&era)
    }

    /// Whether it opens the legacy era: it changes what later messages mean.
    pub(crate) fn is_initialize(&self) -> bool {
        matches!(self.does, Does::Initialize)
    }

    /// Whether it takes effect after the middlewares of its message have ended: what it
    /// begins goes on after its answer, as a connection or a subscription does.
    pub(super) fn takes_effect_later(&self) -> bool {
        matches!(
            self.does,
            Does::Initialize | Does::Listen | Does::Watch { .. }
        )
    }

    /// Whether it is also answered while the server drains.
    #[cfg(feature = "http")]
    pub(crate) fn runs_while_draining(&self) -> bool {
        matches!(self.does, Does::Task(_))
    }

    /// Whether it opens a subscription, whose answer has no end of its own.
    #[cfg(feature = "http")]
    pub(crate) fn listens(&self) -> bool {
        matches!(self.does, Does::Listen)
    }

    /// Returns the parameter that the `Mcp-Name` header must repeat, and its
    /// value, if the request has it.
    #[cfg(feature = "http")]
    pub(crate) fn header_name<'a>(
        &self,
        params: &Params<'a>,
    ) -> Option<(&'static str, Cow<'a, str>)> {
        let (name, value) = match self.header? {
            NameFrom::Name => ("params.name", params.name),
            NameFrom::Uri => ("params.uri", params.uri),
            NameFrom::TaskId => ("params.taskId", params.task_id),
        };
        Some((name, json_string(value?.get())?))
    }
}

impl ServerInner {
    /// Returns what a request calls, if that is known.
    #[cfg(feature = "http")]
    pub(crate) fn target_of(&self, request: &Request<'_>) -> Option<Arc<Target>> {
        match find(&request.method)?.does {
            Does::Call(_, find) => {
                let found = find(self, &request.params, Era::Modern);
                found.ok().map(|found| found.target)
            }
            _ => None,
        }
    }

    fn find_tool(&self, params: &Params<'_>, _: Era) -> Result<Found, RpcError> {
        self.find_named(Kind::Tool, params)
    }

    fn find_prompt(&self, params: &Params<'_>, _: Era) -> Result<Found, RpcError> {
        self.find_named(Kind::Prompt, params)
    }

    /// Finds the primitive that the parameter `name` names.
    fn find_named(&self, kind: Kind, params: &Params<'_>) -> Result<Found, RpcError> {
        let name = text(params.name, "name")?;
        let target = self.registry.target(kind, &name).map(Found::from);
        target.ok_or_else(|| RpcError::unknown(kind.as_str(), &name))
    }
}
