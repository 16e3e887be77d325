//! Compares templates: whether one URI can match both, and whether one is more
//! specific.
//!
//! A template is one or two *patterns*: lists of steps, each of which takes
//! characters of a class, once or repeatedly. A template with `{?…}` is the
//! pattern of its path and the pattern of its path with a query.

use super::template::{Class, Part, UriTemplate};

/// How two templates are related.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// No URI matches both.
    Disjoint,
    /// Every URI of the first matches the second, which has more.
    First,
    /// Every URI of the second matches the first, which has more.
    Second,
    /// Some URIs match both, and neither is more specific.
    Ambiguous,
}

/// A step of a pattern.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// This character; an encoded byte is three of them.
    Text(u8),
    /// One character of the class.
    One(Class),
    /// Any number of characters of the class.
    Many(Class),
}

impl UriTemplate {
    /// Returns which of two templates is more specific.
    pub(crate) fn relation(&self, other: &Self) -> Relation {
        if !self.may_meet(other) {
            return Relation::Disjoint;
        }
        let (ours, theirs) = (self.patterns(), other.patterns());
        let within = |inner: &[Vec<Step>], outer: &[Vec<Step>]| {
            let mut inner = inner.iter();
            inner.all(|inner| outer.iter().any(|outer| is_within(inner, outer)))
        };
        match (within(&ours, &theirs), within(&theirs, &ours)) {
            (true, true) => Relation::Ambiguous,
            (true, false) => Relation::First,
            (false, true) => Relation::Second,
            (false, false) => {
                let mut pairs = ours
                    .iter()
                    .flat_map(|one| theirs.iter().map(move |other| (one, other)));
                match pairs.any(|(one, other)| overlap(one, other)) {
                    true => Relation::Ambiguous,
                    false => Relation::Disjoint,
                }
            }
        }
    }

    /// Whether the texts in front, which differ for most templates, allow that
    /// one URI matches both.
    fn may_meet(&self, other: &Self) -> bool {
        fn first(template: &UriTemplate) -> &str {
            match template.parts.first() {
                Some(Part::Text(text)) => text,
                _ => "",
            }
        }
        let (one, other) = (first(self), first(other));
        one.bytes()
            .zip(other.bytes())
            .all(|(one, other)| one == other)
    }

    fn patterns(&self) -> Vec<Vec<Step>> {
        let mut path = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => path.extend(text.bytes().map(Step::Text)),
                Part::Variable { class, .. } => {
                    path.extend([Step::One(*class), Step::Many(*class)])
                }
            }
        }
        match self.query {
            None => vec![path],
            Some(_) => {
                let mut with_query = path.clone();
                with_query.extend([Step::Text(b'?'), Step::Many(Class::All)]);
                vec![path, with_query]
            }
        }
    }
}

/// Whether every text of `inner` matches `outer`: whether `outer` matches the two
/// shortest texts of `inner`, in which each class is a letter of its own that no
/// step takes as text. There are more characters than a template has texts, so no
/// list of texts covers a class.
fn is_within(inner: &[Step], outer: &[Step]) -> bool {
    let letters = |repeated: bool| {
        let steps = inner.iter();
        steps.filter(move |step| repeated || !matches!(step, Step::Many(_)))
    };
    accepts(outer, letters(false)) && accepts(outer, letters(true))
}

/// Whether a pattern matches a text of these letters.
fn accepts<'s>(pattern: &[Step], letters: impl Iterator<Item = &'s Step>) -> bool {
    let takes = |class: Class, letter: Step| match letter {
        Step::Text(byte) => class.has(byte),
        Step::One(other) | Step::Many(other) => other <= class,
    };
    // The steps that may be next; the last is the end.
    let mut next = vec![false; pattern.len() + 1];
    next[0] = true;
    skip_any_number(&mut next, pattern);
    for letter in letters {
        let mut after = vec![false; next.len()];
        for (at, step) in pattern.iter().enumerate().filter(|(at, _)| next[*at]) {
            match (*step, *letter) {
                (Step::Text(text), Step::Text(byte)) if text == byte => after[at + 1] = true,
                (Step::One(class), letter) if takes(class, letter) => after[at + 1] = true,
                (Step::Many(class), letter) if takes(class, letter) => after[at] = true,
                _ => {}
            }
        }
        skip_any_number(&mut after, pattern);
        next = after;
    }
    next.last() == Some(&true)
}

/// A step of any number may also be skipped.
fn skip_any_number(next: &mut [bool], pattern: &[Step]) {
    for (at, step) in pattern.iter().enumerate() {
        if next[at] && matches!(step, Step::Many(_)) {
            next[at + 1] = true;
        }
    }
}

/// Whether a text matches both patterns. Visits each pair of steps once.
fn overlap(one: &[Step], other: &[Step]) -> bool {
    let width = other.len() + 1;
    let mut seen = vec![false; (one.len() + 1) * width];
    let mut due = vec![(0, 0)];
    while let Some((a, b)) = due.pop() {
        if std::mem::replace(&mut seen[a * width + b], true) {
            continue;
        }
        let (first, second) = (one.get(a), other.get(b));
        if matches!(first, Some(Step::Many(_))) {
            due.push((a + 1, b));
        }
        if matches!(second, Some(Step::Many(_))) {
            due.push((a, b + 1));
        }
        match (first, second) {
            (None, None) => return true,
            (Some(first), Some(second)) if share_a_character(*first, *second) => {
                let after =
                    |at: usize, step: &Step| at + usize::from(!matches!(step, Step::Many(_)));
                due.push((after(a, first), after(b, second)));
            }
            _ => {}
        }
    }
    false
}

fn share_a_character(one: Step, other: Step) -> bool {
    match (one, other) {
        (Step::Text(one), Step::Text(other)) => one == other,
        (Step::Text(byte), Step::One(class) | Step::Many(class))
        | (Step::One(class) | Step::Many(class), Step::Text(byte)) => class.has(byte),
        _ => true,
    }
}
