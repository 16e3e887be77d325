//! `anyOf` and `oneOf`: finds the alternative that a value means, and reports a
//! value that means none.

use serde_json::Value;

use super::{Mode, Stop, Walk, Walked};
use crate::schema::Finding;
use crate::schema::node::{Alternative, Choice, Mark, NodeId, Types};
use crate::schema::words;
use crate::schema::words::{Place, Step};
use crate::support::json::to_text;

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
            && self.mode != Mode::Report
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
            return self.wrong(place, || match self.validator.forms(choice) {
                forms if forms.are_several() => forms.must_be(given),
                _ => {
                    let types = choice.of.iter().map(|one| one.types);
                    format!("must be {}", types.fold(Types::NONE, Types::or).says())
                }
            });
        }
        if given == Types::OBJECT && (fitting.len() > 1 || self.hides_values(choice)) {
            let before = self.findings.len();
            match self.by_mark(choice, &fitting, place)? {
                Some(one) => fitting = vec![one],
                None if self.findings.len() > before => return Ok(()),
                None => {}
            }
        }
        if let [one] = fitting.as_slice()
            && !choice.exactly_one
        {
            let node = choice.of[*one].node;
            let is_of_values = self.validator.nodes[node].allowed.is_some();
            if self.mode == Mode::Report && is_of_values && !self.silently(node)? {
                return self.wrong(place, || self.validator.forms(choice).must_be(given));
            }
            return self.value(node, place);
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

    /// Whether a report about an object must also mention values.
    fn hides_values(&self, choice: &Choice) -> bool {
        let is_of_values = |one: &Alternative| {
            let allowed = &self.validator.nodes[one.node].allowed;
            allowed.iter().flatten().any(|value| !value.is_null())
        };
        self.mode == Mode::Report && choice.of.iter().any(is_of_values)
    }

    /// Returns the alternative that the object at the cursor names, by its tag
    /// or by a member that only one has. If it names none or two, that is
    /// reported, unless the alternatives also have other members.
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
        let keys = all_keys(choice, fitting);
        // serde has already accepted the value, so the others are not needed.
        let own = || match self.mode == Mode::Quick {
            true => None,
            false => own_members(choice, fitting),
        };
        let is_only = keys.is_some();
        let Some(names) = keys.or_else(own) else {
            return Ok(None);
        };
        let known = |name: &str| names.iter().position(|of| of.iter().any(|key| key == name));
        let first = self.member(|name| known(name).is_some())?;
        let Some((first, index)) = first.and_then(|(name, _)| known(&name).map(|at| (name, at)))
        else {
            if is_only {
                self.wrong(place, || {
                    self.validator.forms(choice).must_be(Types::OBJECT)
                })?;
            }
            return Ok(None);
        };
        if self.mode == Mode::Report
            && let Some((other, _)) =
                self.member(|name| known(name).is_some_and(|at| at != index))?
        {
            self.wrong(place, || {
                let both = [first, other].map(|name| format!("{name:?}"));
                let both = words::all(both.into_iter());
                format!("must have exactly one of the members {both}")
            })?;
            return Ok(None);
        }
        Ok(fitting.get(index).copied())
    }

    /// Returns the first member of the object at the cursor whose name is
    /// wanted, and its value if that is a string. The cursor does not move.
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

    /// Reports a value that no alternative fits: with the report of the nearest
    /// alternative.
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
            return self.wrong(place, || {
                format!("must be {}", words::list(all.map(to_text)))
            });
        }
        if let [one] = fitting {
            return self.value(choice.of[*one].node, place);
        }
        let (start, before) = (self.cursor.pos(), self.findings.len());
        let (unknown, unlisted) = (self.unknown.len(), self.unlisted);
        let mut reports: Vec<Report> = Vec::new();
        for one in fitting {
            let _ = self.value(choice.of[*one].node, place);
            self.cursor.seek(start);
            self.unlisted = unlisted;
            reports.push(Report {
                one: *one,
                findings: self.findings.split_off(before),
                unknown: self.unknown.split_off(unknown),
            });
            if self.fuel == 0 {
                return Err(Stop::Enough);
            }
        }
        let own = own_members(choice, fitting);
        if own.is_none()
            && let Some(nearest) = nearest(&reports)
            && self.shares_a_name(choice.of[reports[nearest].one].node)?
        {
            let nearest = reports.swap_remove(nearest);
            self.findings.extend(nearest.findings);
            self.unknown.extend(nearest.unknown);
            return Ok(());
        }
        // A finding of all of them is wrong in any case.
        if let Some((first, others)) = reports.split_first() {
            let all = |of: fn(&Report) -> &Vec<Finding>| {
                let common =
                    |found: &&Finding| others.iter().all(|other| of(other).contains(found));
                of(first).iter().filter(common).cloned().collect::<Vec<_>>()
            };
            self.findings.extend(all(|report| &report.findings));
            self.unknown.extend(all(|report| &report.unknown));
        }
        self.wrong(place, || match only_own(choice, fitting) {
            Some(names) => format!(
                "must have exactly one of the members {}",
                words::list(names)
            ),
            None => self.validator.forms(choice).none_fits(),
        })
    }

    /// Whether the object at the cursor has a member that an alternative knows;
    /// also true for other values.
    fn shares_a_name(&mut self, id: NodeId) -> Result<bool, Stop> {
        let validator = self.validator;
        match validator.nodes[id].object.as_deref() {
            Some(object) if self.cursor.peek()? == b'{' => {
                let found = self.member(|name| object.find(name).is_some())?;
                Ok(found.is_some())
            }
            _ => Ok(true),
        }
    }
}

/// The findings of one alternative about a value.
struct Report {
    one: usize,
    findings: Vec<Finding>,
    unknown: Vec<Finding>,
}

/// Returns the report with the fewest findings, if there is a single one.
fn nearest(reports: &[Report]) -> Option<usize> {
    let count = |report: &Report| report.findings.len() + report.unknown.len();
    let (index, report) = reports.iter().enumerate().min_by_key(|(_, of)| count(of))?;
    let least = count(report);
    let equal = reports.iter().filter(|report| count(report) == least);
    (equal.count() == 1 && least > 0).then_some(index)
}

fn tag_of<'c>(choice: &'c Choice, one: usize, tag: &str) -> Option<&'c Vec<String>> {
    choice.of[one].marks.iter().find_map(|mark| match mark {
        Mark::Tag(name, values) if name == tag => Some(values),
        _ => None,
    })
}

/// Returns a tag that every alternative has.
fn common_tag<'c>(choice: &'c Choice, fitting: &[usize]) -> Option<&'c str> {
    let first = choice.of.get(*fitting.first()?)?;
    first.marks.iter().find_map(|mark| match mark {
        Mark::Tag(tag, _) => fitting
            .iter()
            .all(|one| tag_of(choice, *one, tag).is_some())
            .then_some(tag.as_str()),
        Mark::Key(_) | Mark::Own(..) => None,
    })
}

/// Returns the only key of each alternative, with its aliases.
fn all_keys<'c>(choice: &'c Choice, fitting: &[usize]) -> Option<Vec<&'c Vec<String>>> {
    fitting
        .iter()
        .map(|one| {
            choice.of[*one].marks.iter().find_map(|mark| match mark {
                Mark::Key(keys) => Some(keys),
                Mark::Tag(..) | Mark::Own(..) => None,
            })
        })
        .collect()
}

/// Returns the members that only one alternative has, with their aliases.
fn own_members<'c>(choice: &'c Choice, fitting: &[usize]) -> Option<Vec<&'c Vec<String>>> {
    let own = |one: &usize| {
        choice.of[*one].marks.iter().find_map(|mark| match mark {
            Mark::Own(_, all) => Some(all),
            _ => None,
        })
    };
    fitting.iter().map(own).collect()
}

/// Returns those members by their names in the schema, if each alternative has
/// one.
fn only_own(choice: &Choice, fitting: &[usize]) -> Option<impl Iterator<Item = String>> {
    let own = |one: &usize| {
        choice.of[*one].marks.iter().find_map(|mark| match mark {
            Mark::Own(names, _) if names.len() == 1 => Some(format!("{:?}", names[0])),
            _ => None,
        })
    };
    let names: Option<Vec<String>> = fitting.iter().map(own).collect();
    names.map(Vec::into_iter)
}
