//! The primitives of a server: each with its definition, chains and limits; the
//! lists of them; warnings about them.
//!
//! ```text
//! Registration ─┐                                    ┌─► lists, in pages
//! Router ───────┼─► checks ─► Entry ─► Snapshot ─────┼─► calls, by kind and name
//! Registry ─────┘  (build() and update() alike)      └─► policies, warnings
//! ```
//!
//! A [`Registration`] is a primitive with the settings that its server changes;
//! a [`Router`] groups some with the policy that they share. The server holds
//! an immutable snapshot of all entries. [`Registry`] changes what a running
//! server offers: it replaces the snapshot with another, so that each list and
//! each call sees one or the other, and none waits for a change.
//!
//! An entry has a chain of middlewares for HTTP, which has a default rate, and
//! one for every other transport; a call takes the one of its transport.

mod adding;
mod changes;
mod entry;
mod followers;
mod into_registration;
mod lint;
mod policy;
mod registration;
mod resources;
mod router;
mod snapshot;
mod steps;
mod store;
pub(crate) mod updates;
mod warning;
mod watches;

/// The most primitives of one server.
pub(crate) const MOST_PRIMITIVES: usize = 100_000;

pub use crate::primitive::WarningCode;
pub(crate) use adding::adding_methods;
pub use changes::Changes;
pub(crate) use entry::{Entry, Policy};
pub(crate) use followers::{Follower, Followers, Following, List, ListChanges, Lists};
pub use into_registration::IntoRegistration;
pub(crate) use into_registration::Via;
pub use policy::CallPolicy;
pub(crate) use registration::Layers;
pub use registration::Registration;
pub(crate) use resources::ResourceList;
pub use router::Router;
pub(crate) use snapshot::unknown_cursor;
pub(crate) use steps::Step;
pub use store::Registry;
pub(crate) use store::Store;
#[cfg(test)]
pub(crate) use updates::{MOST_BYTES, PER_WATCH};
pub(crate) use updates::{ResourceUpdates, Watcher};
pub use warning::Warning;
pub(crate) use watches::{MOST_URI_BYTES, ResourceWatches, too_many_uris};

crate::support::problems::problems! {
    /// Why a registry could not be changed: every problem, each with the fix.
    RegistryError, "the registry cannot be changed:"
}
