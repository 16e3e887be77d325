//! JSON Schema: made plain for clients, compiled once, and checked straight
//! over the text of a message.

mod finding;

pub(crate) use finding::Finding;
