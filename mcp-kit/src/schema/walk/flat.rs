//! The quick pass for the arguments of most tools: one object with a fixed set
//! of names, whose values serde and garde have checked.
//!
//! It either accepts the text or leaves it to the walk.

use super::Validator;
use crate::schema::cursor::{Cursor, Malformed};
use crate::schema::node::{Node, NodeId, ObjectNode, Rest, Types};

/// One bit for each name.
type Names = u64;

/// The names that a flat object must have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flat {
    required: Names,
}

impl Flat {
    /// Returns `None` if more than the top-level names must be checked.
    pub(super) fn of(nodes: &[Node], root: NodeId) -> Option<Self> {
        let root = &nodes[root];
        let object = root.object.as_deref()?;
        let is_flat = root.types.meets(Types::OBJECT)
            && root.allowed.is_none()
            && root.forbidden.is_empty()
            && root.all_of.is_empty()
            && root.choices.is_empty()
            && root.not.is_none()
            && object.rest == Rest::Refused
            && object.patterns.is_empty()
            && (object.min, object.max) == (None, None)
            && object.names.len() <= Names::BITS as usize
            && object.names.iter().all(|name| !nodes[name.node].loose);
        let required = object.names.iter().enumerate();
        let required = required.filter(|(_, name)| name.required);
        is_flat.then(|| Self {
            required: required.fold(0, |all, (index, _)| all | 1 << index),
        })
    }
}

impl Validator {
    /// Whether the text is a flat object with the right names, each once.
    pub(super) fn is_plainly_right(&self, text: &str) -> bool {
        match (self.flat, self.nodes[self.root].object.as_deref()) {
            (Some(flat), Some(object)) => {
                names(object, text).is_ok_and(|given| flat.required & !given == 0)
            }
            _ => false,
        }
    }
}

fn names(object: &ObjectNode, text: &str) -> Result<Names, Malformed> {
    let mut cursor = Cursor::new(text);
    let mut given: Names = 0;
    let mut first = true;
    cursor.open(b'{')?;
    while let Some(name) = cursor.member(&mut first)? {
        let index = name.plain().and_then(|name| object.find(name));
        let bit = 1 << index.ok_or(Malformed)?;
        if given & bit != 0 {
            return Err(Malformed);
        }
        given |= bit;
        cursor.skip()?;
    }
    cursor.end()?;
    Ok(given)
}
