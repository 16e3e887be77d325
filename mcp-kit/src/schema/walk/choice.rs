//! `anyOf` and `oneOf`: which alternative a value means, and what to say where
//! it means none.

use serde_json::Value;

use super::{Mode, Stop, Walk, Walked, shown};
use crate::schema::Finding;
use crate::schema::node::{Alternative, Choice, Mark, Types};
use crate::schema::words::{self, Place, Step};

impl<'v> Walk<'v, '_> {
    pub(super) fn choice(
        &mut self,
        choice: &'v Choice,
        given: Types,
        place: Option<&Place<'_>>,
    ) -> Walked {
        let fits = |(_, one): &(usize, &Alternative)| one.types.meets(given);
        let mut of_type = choice
            .of
            .iter()
            .enumerate()
            .filter(fits)
            .map(|(index, _)| index);
        if let (Some(only), None) = (of_type.next(), of_type.next())
            && !choice.exactly_one
        {
            return self.value(choice.of[only].node, place);
        }
        let mut fitting: Vec<usize> = choice
            .of
            .iter()
            .enumerate()
            .filter(fits)
            .map(|(index, _)| index)
            .collect();
        if fitting.is_empty() {
            let types = choice
                .of
                .iter()
                .map(|one| one.types)
                .fold(Types::NONE, Types::or);
            return self.wrong(place, || format!("must be {}", types.says()));
        }
        if given == Types::OBJECT && fitting.len() > 1 {
            match self.by_mark(choice, &fitting, place)? {
                Some(one) => fitting = vec![one],
                None if self.mode == Mode::Report && self.marked(choice, &fitting) => return Ok(()),
                None => {}
            }
        }
        if let [one] = fitting.as_slice()
            && !choice.exactly_one
        {
            return self.value(choice.of[*one].node, place);
        }
        let mut fit = 0;
        for one in &fitting {
            fit += usize::from(self.silently(choice.of[*one].node)?);
            if fit > 0 && !choice.exactly_one {
                return Ok(());
            }
        }
        match fit {
            1 => Ok(()),
            0 => self.no_alternative(choice, &fitting, place),
            _ => self.wrong(place, || "fits more than one of the allowed forms".into()),
        }
    }

    /// Whether every fitting alternative has a mark of the same kind, so that
    /// `by_mark` has the last word.
    pub(super) fn marked(&self, choice: &Choice, fitting: &[usize]) -> bool {
        common_tag(choice, fitting).is_some() || all_keys(choice, fitting).is_some()
    }

    /// The alternative that the object at the cursor names, by its tag or by its
    /// only key. Where it names none, that is reported.
    pub(super) fn by_mark(
        &mut self,
        choice: &'v Choice,
        fitting: &[usize],
        place: Option<&Place<'_>>,
    ) -> Result<Option<usize>, Stop> {
        if let Some(tag) = common_tag(choice, fitting) {
            let value = self.member(|name| name == tag)?.map(|(_, value)| value);
            let found = value.as_ref().and_then(|value| {
                let value = value.as_deref()?;
                fitting.iter().copied().find(|one| {
                    tag_of(choice, *one, tag).is_some_and(|of| of.iter().any(|v| v == value))
                })
            });
            if found.is_none() {
                let step = Place {
                    parent: place,
                    step: Step::Name(tag),
                };
                let none = value.is_none();
                self.wrong(Some(&step), || {
                    if none {
                        return "is required".into();
                    }
                    let values = fitting
                        .iter()
                        .filter_map(|one| tag_of(choice, *one, tag)?.first());
                    format!("must be {}", words::list(values.map(|v| format!("{v:?}"))))
                })?;
            }
            return Ok(found);
        }
        let Some(keys) = all_keys(choice, fitting) else {
            return Ok(None);
        };
        let known = |name: &str| keys.iter().position(|of| of.iter().any(|key| key == name));
        let found = self.member(|name| known(name).is_some())?;
        match found.and_then(|(name, _)| known(&name)) {
            Some(index) => Ok(fitting.get(index).copied()),
            None => {
                self.wrong(place, || {
                    let names = keys
                        .iter()
                        .filter_map(|of| of.first())
                        .map(|k| format!("{k:?}"));
                    format!("must have one member, named {}", words::list(names))
                })?;
                Ok(None)
            }
        }
    }

    /// The first member of the object at the cursor whose name is wanted, and
    /// its value where that is a string. The cursor stays.
    #[allow(clippy::type_complexity)]
    pub(super) fn member(
        &mut self,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Option<(String, Option<String>)>, Stop> {
        let start = self.cursor.pos();
        let mut first = true;
        let mut found = None;
        self.cursor.open(b'{')?;
        while let Some(name) = self.cursor.member(&mut first)? {
            match name.decode().filter(|name| wanted(name)) {
                None => self.cursor.skip()?,
                Some(name) => {
                    let value = match self.cursor.peek()? {
                        b'"' => self.cursor.string()?.decode(),
                        _ => None,
                    };
                    found = Some((name.into_owned(), value.map(std::borrow::Cow::into_owned)));
                    break;
                }
            }
        }
        let passed = self.cursor.pos() - start;
        self.cursor.seek(start);
        self.burn(passed / 16)?;
        Ok(found)
    }

    /// No alternative fits: the report is that of the one that comes nearest.
    pub(super) fn no_alternative(
        &mut self,
        choice: &'v Choice,
        fitting: &[usize],
        place: Option<&Place<'_>>,
    ) -> Walked {
        if self.mode != Mode::Report {
            return Err(Stop::Wrong);
        }
        let nodes = fitting
            .iter()
            .map(|one| &self.validator.nodes[choice.of[*one].node]);
        let values: Option<Vec<&Vec<Value>>> = nodes.map(|node| node.allowed.as_ref()).collect();
        if let Some(values) = values {
            let all = values.into_iter().flatten();
            return self.wrong(place, || format!("must be {}", words::list(all.map(shown))));
        }
        let (start, before) = (self.cursor.pos(), self.findings.len());
        let (unknown, unlisted) = (self.unknown.len(), self.unlisted);
        let mut best: Option<(usize, Vec<Finding>, Vec<Finding>)> = None;
        let mut equals = 0;
        for one in fitting {
            let _ = self.value(choice.of[*one].node, place);
            self.cursor.seek(start);
            self.unlisted = unlisted;
            let found = self.findings.split_off(before);
            let names = self.unknown.split_off(unknown);
            let count = found.len() + names.len();
            if self.fuel == 0 {
                return Err(Stop::Enough);
            }
            match &best {
                Some((least, ..)) if count > *least => {}
                Some((least, ..)) if count == *least => equals += 1,
                _ => {
                    equals = 0;
                    best = Some((count, found, names));
                }
            }
        }
        match best {
            Some((count, found, names)) if equals == 0 && count > 0 => {
                self.findings.extend(found);
                self.unknown.extend(names);
                Ok(())
            }
            _ => self.wrong(place, || "fits none of the allowed forms".into()),
        }
    }
}

fn tag_of<'c>(choice: &'c Choice, one: usize, tag: &str) -> Option<&'c Vec<String>> {
    choice.of[one].marks.iter().find_map(|mark| match mark {
        Mark::Tag(name, values) if name == tag => Some(values),
        _ => None,
    })
}

/// A tag that every alternative has.
fn common_tag<'c>(choice: &'c Choice, fitting: &[usize]) -> Option<&'c str> {
    let first = choice.of.get(*fitting.first()?)?;
    first.marks.iter().find_map(|mark| match mark {
        Mark::Tag(tag, _) => fitting
            .iter()
            .all(|one| tag_of(choice, *one, tag).is_some())
            .then_some(tag.as_str()),
        Mark::Key(_) => None,
    })
}

/// The only key of each alternative, with its aliases.
fn all_keys<'c>(choice: &'c Choice, fitting: &[usize]) -> Option<Vec<&'c Vec<String>>> {
    fitting
        .iter()
        .map(|one| {
            choice.of[*one].marks.iter().find_map(|mark| match mark {
                Mark::Key(keys) => Some(keys),
                Mark::Tag(..) => None,
            })
        })
        .collect()
}
