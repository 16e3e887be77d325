//! The steps of a change, and what is wrong with them together.

use std::collections::HashMap;

use super::entry::{Policy, Prepared};
use super::resources::ResourceCode;
use super::snapshot::Snapshot;
use super::{MOST_PRIMITIVES, Registration};
use crate::primitive::{Kind, UriTemplate};

/// A kind and a name.
pub(crate) type Key = (Kind, String);

/// One change of what a server offers. It adds a [`Registration`], which is
/// [`Prepared`] before the registry is locked.
pub(crate) enum Step<P = Registration> {
    Add(P),
    Replace(P),
    Remove(Key),
    Hide(Key),
    Show(Key),
}

/// What is known of a step before it is applied.
struct Planned<'a> {
    verb: &'static str,
    action: Action,
    kind: Kind,
    name: &'a str,
    /// The template of its URIs, if the primitive has one.
    template: Option<&'a UriTemplate>,
    resource_code: Option<&'static ResourceCode>,
}

enum Action {
    Add,
    Remove,
    Change,
}

/// What steps do with a name.
struct Touched {
    was_there: bool,
    is_there: bool,
    /// The position of the step that adds what is there then.
    added_by: Option<usize>,
}

/// A primitive that a step adds.
pub(crate) trait Named {
    fn key(&self) -> (Kind, &str);

    /// Returns the template of its URIs, if it has one.
    fn template(&self) -> Option<&UriTemplate>;

    /// Returns the code of resources, if it is one.
    fn resource_code(&self) -> Option<&'static ResourceCode>;
}

impl Snapshot {
    /// Returns everything that is wrong with `steps`, each with the fix;
    /// `of_primitive` returns what is wrong with a primitive by itself.
    pub(super) fn problems<P: Named>(
        &self,
        steps: &[Step<P>],
        of_primitive: impl Fn(&P) -> Vec<String>,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        for step in steps {
            if let Step::Add(primitive) | Step::Replace(primitive) = step {
                problems.extend(of_primitive(primitive));
            }
        }
        let planned: Vec<_> = steps.iter().map(Step::planned).collect();
        self.problems_together(&planned, &mut problems);
        problems
    }

    fn problems_together(&self, steps: &[Planned<'_>], problems: &mut Vec<String>) {
        let mut touched: HashMap<(Kind, &str), Touched> = HashMap::new();
        for (at, step) in steps.iter().enumerate() {
            let (kind, name) = (step.kind, step.name);
            let touched = touched.entry((kind, name)).or_insert_with(|| {
                let was_there = self.entry(kind, name).is_some();
                Touched {
                    was_there,
                    is_there: was_there,
                    added_by: None,
                }
            });
            match (&step.action, touched.is_there) {
                (Action::Add, true) => problems.push(match kind.capability() {
                    Kind::Resource => {
                        format!("two {kind}s have the URI \"{name}\"; change one")
                    }
                    Kind::Method => format!(
                        "two extensions, or one of them twice, declare the {kind} \"{name}\"; remove one"
                    ),
                    _ => format!(
                        "two {kind}s are named \"{name}\"; rename one, for example with #[{kind}(name = \"…\")] or the prefix of a router"
                    ),
                }),
                (Action::Add, false) => {
                    touched.is_there = true;
                    touched.added_by = Some(at);
                }
                (_, false) => problems.push(format!(
                    "there is no {kind} \"{}\" to {}",
                    crate::support::text::excerpt(name),
                    step.verb
                )),
                (Action::Remove, true) => {
                    touched.is_there = false;
                    touched.added_by = None;
                }
                (Action::Change, true) => {}
            }
        }
        let mut number = self.len();
        for touched in touched.values() {
            number += usize::from(touched.is_there);
            number -= usize::from(touched.was_there);
        }
        if number > MOST_PRIMITIVES {
            problems.push(format!(
                "there would be {number} primitives; a server has at most {MOST_PRIMITIVES}"
            ));
        }
        let of_steps = || steps.iter().find_map(|step| step.resource_code);
        if let Some(code) = self.resource_code().or_else(of_steps) {
            let stays = |name: &str| {
                let touched = touched.get(&(Kind::ResourceTemplate, name));
                touched.is_none_or(|touched| touched.is_there && touched.added_by.is_none())
            };
            let is_new = |(at, step): &(usize, &Planned<'_>)| {
                let touched = touched.get(&(step.kind, step.name));
                touched.is_some_and(|touched| touched.added_by == Some(*at))
            };
            let new = steps.iter().enumerate().filter(is_new);
            let new: Vec<_> = new.filter_map(|(_, step)| step.template).collect();
            problems.extend((code.template_problems)(self, &new, &stays));
        }
    }
}

impl<P: Named> Step<P> {
    pub(super) fn key(&self) -> (Kind, &str) {
        match self {
            Self::Add(primitive) | Self::Replace(primitive) => primitive.key(),
            Self::Remove((kind, name)) | Self::Hide((kind, name)) | Self::Show((kind, name)) => {
                (*kind, name)
            }
        }
    }

    fn planned(&self) -> Planned<'_> {
        let (kind, name) = self.key();
        let (verb, action) = match self {
            Self::Add(_) => ("add", Action::Add),
            Self::Replace(_) => ("replace", Action::Change),
            Self::Remove(_) => ("remove", Action::Remove),
            Self::Hide(_) => ("hide", Action::Change),
            Self::Show(_) => ("show", Action::Change),
        };
        let added = match self {
            Self::Add(primitive) => Some(primitive),
            _ => None,
        };
        Planned {
            verb,
            action,
            kind,
            name,
            template: added.and_then(Named::template),
            resource_code: added.and_then(Named::resource_code),
        }
    }
}

impl Step {
    /// Asks the middlewares of a primitive whether they apply to it. That is
    /// code of their author, so the registry is not locked.
    pub(super) fn prepare(self, policy: &Policy) -> Step<Prepared> {
        match self {
            Self::Add(registration) => Step::Add(policy.prepare(registration)),
            Self::Replace(registration) => Step::Replace(policy.prepare(registration)),
            Self::Remove(key) => Step::Remove(key),
            Self::Hide(key) => Step::Hide(key),
            Self::Show(key) => Step::Show(key),
        }
    }
}

impl Named for Registration {
    fn key(&self) -> (Kind, &str) {
        (self.kind(), self.name())
    }

    fn template(&self) -> Option<&UriTemplate> {
        self.definition.template()
    }

    fn resource_code(&self) -> Option<&'static ResourceCode> {
        self.resource_code
    }
}

impl Named for Prepared {
    fn key(&self) -> (Kind, &str) {
        (self.info().kind(), self.info().name())
    }

    fn template(&self) -> Option<&UriTemplate> {
        self.definition.template()
    }

    fn resource_code(&self) -> Option<&'static ResourceCode> {
        self.resource_code
    }
}
