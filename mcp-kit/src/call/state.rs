//! The values that a server provides to its handlers.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;

use crate::support::panics::discard_logged;

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

    pub(crate) fn has(&self, of: TypeId) -> bool {
        self.values.contains_key(&of)
    }

    /// Returns the types that were added twice.
    pub(crate) fn doubled(&self) -> &[&'static str] {
        &self.doubled
    }
}

/// The values are a user's, and are dropped with the server, on whatever thread.
impl Drop for StateMap {
    fn drop(&mut self) {
        for (_, value) in self.values.drain() {
            discard_logged(value, "a state");
        }
    }
}

impl fmt::Debug for StateMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateMap({} values)", self.values.len())
    }
}
