//! Rewrites a value that may be one of several alternatives, and the `null`s
//! that belong to the others.

use super::{Coercer, Done, Edit, GiveUp};
use crate::schema::cursor::Cursor;
use crate::schema::node::{Choice, NodeId, Types};

/// Nested alternatives are searched for names to this depth.
const MAX_PARTS: usize = 8;

impl<'v> Coercer<'v> {
    /// Rewrites the value as the one alternative that is meant.
    pub(super) fn choice(
        &mut self,
        choice: &'v Choice,
        given: Types,
        cursor: &mut Cursor<'_>,
    ) -> Done {
        let of = choice.of.iter().enumerate();
        let fitting: Vec<usize> = of
            .filter(|(_, one)| one.types.meets(given))
            .map(|(index, _)| index)
            .collect();
        if let [only] = fitting.as_slice() {
            return self.value(choice.of[*only].node, cursor);
        }
        let start = cursor.pos();
        cursor.skip()?;
        let text = cursor.slice(start, cursor.pos());
        let validator = self.validator;
        let nulls = self.known_nulls(given, text, start)?;
        if given == Types::OBJECT
            && nulls.is_empty()
            && let Some(one) = validator.marked_part(choice, &fitting, text, &mut self.fuel)
        {
            cursor.seek(start);
            return self.value(choice.of[one].node, cursor);
        }
        for one in &fitting {
            if validator.fits_part(choice.of[*one].node, text, &mut self.fuel) {
                return Ok(());
            }
        }
        let before = self.edits.len();
        let mut reading: Option<(String, Vec<Edit>)> = None;
        for one in &fitting {
            let node = choice.of[*one].node;
            cursor.seek(start);
            self.value(node, cursor)?;
            let mut edits = self.edits.split_off(before);
            edits.extend(self.foreign(node, &nulls)?);
            let Ok(read) = self.applied(text, &mut edits, start) else {
                continue;
            };
            if edits.is_empty() || !validator.fits_part(node, &read, &mut self.fuel) {
                continue;
            }
            match &reading {
                Some((before, _)) if *before != read => return Ok(()),
                _ => reading = Some((read, edits)),
            }
        }
        if let Some((_, edits)) = reading {
            self.edits.extend(edits);
        } else if !nulls.is_empty() {
            // The report is then about the alternative that is meant.
            let mut without: Vec<Edit> = nulls.iter().map(|(edit, _)| edit.clone()).collect();
            let rest = self.applied(text, &mut without, start)?;
            if let Some(one) = validator.marked_part(choice, &fitting, &rest, &mut self.fuel) {
                let node = choice.of[one].node;
                cursor.seek(start);
                self.value(node, cursor)?;
                let foreign = self.foreign(node, &nulls)?;
                self.edits.extend(foreign);
            }
        }
        Ok(())
    }

    /// Returns the members that are `null` and known to one of the object's
    /// alternatives. Hosts fill in every published name.
    fn known_nulls(
        &mut self,
        given: Types,
        text: &str,
        start: usize,
    ) -> Result<Vec<(Edit, String)>, GiveUp> {
        let mut nulls = Vec::new();
        if !self.rewrites.lenient || given != Types::OBJECT {
            return Ok(nulls);
        }
        self.burn(text.len() / 16)?;
        let mut cursor = Cursor::new(text);
        let mut first = true;
        cursor.open(b'{')?;
        while let Some((from, name)) = cursor.member_at(&mut first)? {
            let is_null = cursor.peek()? == b'n';
            cursor.skip()?;
            if is_null
                && let Some(name) = name.decode()
                && self.knows(self.whole, &name, MAX_PARTS)?
            {
                let edit = Edit::removal(start + from, start + cursor.pos());
                nulls.push((edit, name.into_owned()));
            }
        }
        Ok(nulls)
    }

    /// Returns those that an alternative does not know.
    fn foreign(&mut self, node: NodeId, nulls: &[(Edit, String)]) -> Result<Vec<Edit>, GiveUp> {
        let mut foreign = Vec::new();
        for (edit, name) in nulls {
            if !self.knows(node, name, MAX_PARTS)? {
                foreign.push(edit.clone());
            }
        }
        Ok(foreign)
    }

    /// Whether a node, or a node that it consists of, has a member with that
    /// name.
    fn knows(&mut self, id: NodeId, name: &str, levels: usize) -> Result<bool, GiveUp> {
        self.burn(1)?;
        let node = &self.validator.nodes[id];
        let object = node.object.as_deref();
        if object.is_some_and(|object| object.find(name).is_some()) {
            return Ok(true);
        }
        let of = node.choices.iter().flat_map(|choice| &choice.of);
        for part in node.all_of.iter().copied().chain(of.map(|one| one.node)) {
            if levels > 0 && self.knows(part, name, levels - 1)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
