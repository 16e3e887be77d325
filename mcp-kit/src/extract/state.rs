//! Values that belong to the server and that handlers share.

use std::any::{TypeId, type_name};

use super::FromCall;
use crate::call::{ASK_CODE, AskCode, Call, Error, StateMap};

/// A value of the server's state
/// ([`ServerBuilder::state`](crate::server::ServerBuilder::state)), cloned for
/// the call.
///
/// Values are distinguished by type, with one of each; use `Arc` to share what
/// is costly to clone. A required type that the server lacks, or that was added
/// twice, is an error of `build()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromCall for State<T> {
    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        call.state::<T>().cloned().map(Self).ok_or_else(|| {
            Error::internal(format!("the server has no state `{}`", type_name::<T>()))
        })
    }

    fn requires(requirements: &mut Requirements) {
        requirements.state::<T>();
    }
}

/// The requirements of a tool for the server, declared by
/// [`FromCall::requires`].
#[derive(Debug, Default)]
pub struct Requirements {
    states: Vec<(TypeId, &'static str)>,
    /// Asks the client, if the handler may.
    ask_code: Option<&'static AskCode>,
    /// The handler sees which caller it works for.
    takes_caller: bool,
    /// The handler decides when its call becomes a task.
    begins_task: bool,
}

impl Requirements {
    /// Requires a state of type `T`.
    pub fn state<T: 'static>(&mut self) {
        self.states.push((TypeId::of::<T>(), type_name::<T>()));
    }

    /// The requirements of a handler that declares none: it may ask the client.
    pub(crate) fn unknown() -> Self {
        Self {
            ask_code: Some(&ASK_CODE),
            ..Self::default()
        }
    }

    /// The handler may ask the client.
    pub(crate) fn client(&mut self) {
        self.ask_code = Some(&ASK_CODE);
    }

    /// The handler sees which caller it works for.
    pub(crate) fn caller(&mut self) {
        self.takes_caller = true;
    }

    /// Whether its result can differ from caller to caller, as far as its parameters
    /// show. One that may ask its client has another answer for each.
    pub(crate) fn sees_caller(&self) -> bool {
        self.takes_caller || self.ask_code.is_some()
    }

    /// The handler decides when its call becomes a task.
    pub(crate) fn task(&mut self) {
        self.begins_task = true;
    }

    pub(crate) fn begins_task(&self) -> bool {
        self.begins_task
    }

    pub(crate) fn ask_code(&self) -> Option<&'static AskCode> {
        self.ask_code
    }

    /// Returns the names of required states that `states` lacks.
    pub(crate) fn missing<'a>(&'a self, states: &'a StateMap) -> impl Iterator<Item = &'a str> {
        self.states
            .iter()
            .filter(|(id, _)| !states.has(*id))
            .map(|(_, name)| *name)
    }
}
