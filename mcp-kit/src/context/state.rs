//! Values that belong to the server and that handlers share.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;

use super::FromContext;
use crate::tool::{ToolCall, ToolError};

/// A value given to the server with
/// [`ServerBuilder::state`](crate::server::ServerBuilder::state), cloned for
/// the call.
///
/// Values are told apart by type, one of each; share with `Arc` what is costly
/// to clone. A type that no one gave, or that was given twice, is an error of
/// `build()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromContext for State<T> {
    fn from_context(call: &ToolCall) -> Result<Self, ToolError> {
        call.state::<T>().cloned().map(Self).ok_or_else(|| {
            ToolError::internal(format!("the server has no state `{}`", type_name::<T>()))
        })
    }

    fn requires(requirements: &mut Requirements) {
        requirements.state::<T>();
    }
}

/// What a tool needs of the server; told by [`FromContext::requires`].
#[derive(Debug, Default)]
pub struct Requirements {
    states: Vec<(TypeId, &'static str)>,
}

impl Requirements {
    /// The server must have been given a state of type `T`.
    pub fn state<T: 'static>(&mut self) {
        self.states.push((TypeId::of::<T>(), type_name::<T>()));
    }

    /// The names of required states that `states` lacks.
    pub(crate) fn missing<'a>(&'a self, states: &'a StateMap) -> impl Iterator<Item = &'a str> {
        self.states
            .iter()
            .filter(|(id, _)| !states.values.contains_key(id))
            .map(|(_, name)| *name)
    }
}

/// The server's states by type.
#[derive(Default)]
pub(crate) struct StateMap {
    values: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    doubled: Vec<&'static str>,
}

impl StateMap {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        if self
            .values
            .insert(TypeId::of::<T>(), Box::new(value))
            .is_some()
        {
            self.doubled.push(type_name::<T>());
        }
    }

    pub(crate) fn get<T: 'static>(&self) -> Option<&T> {
        self.values.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// The types that were given twice.
    pub(crate) fn doubled(&self) -> &[&'static str] {
        &self.doubled
    }
}

impl fmt::Debug for StateMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateMap({} values)", self.values.len())
    }
}
