//! A template of URIs: matching, and the way back.

use std::borrow::Cow;
use std::fmt;

use super::{decoded, is_reserved, is_separator, is_unreserved, push_value};

/// A template of URIs, such as `note://{owner}/{id}` (RFC 6570).
///
/// | expression | matches | RFC 6570 |
/// |---|---|---|
/// | `{name}` | one or more characters of a path segment: none of `/ ? # [ ]` | level 1 |
/// | `{+name}` | one or more characters of any kind, once per template | level 2 |
/// | `{?a,b}` | the query, at the end: each of the parameters may be absent | level 3 |
///
/// A match takes time that is linear in the length of the URI, which has at most
/// 2,048 bytes. There is no backtracking: text between two variables is matched
/// where it occurs first, after a `{+name}` where it occurs last. Two variables
/// are therefore best separated by `/`, which a value has only percent-encoded.
/// Values are percent-decoded, once, and must be UTF-8; in a template with
/// `{?…}` the path has no `?`. A template has at most 32 variables.
///
/// If a URI matches several templates of a server, the most specific is read: the
/// template whose URIs all match the other template too. If neither of two
/// templates is more specific and one URI can match both, `build()` fails. A
/// resource with this very URI comes before every template.
///
/// ```
/// use mcp_kit::resource::UriTemplate;
///
/// let template = UriTemplate::parse("docs://{+path}{?version}")?;
/// let uri = template.expand([("path", "a b/c"), ("version", "2")])?;
/// assert_eq!(uri, "docs://a%20b/c?version=2");
/// let values = template.values(&uri).unwrap_or_default();
/// assert_eq!(values[0], ("path".to_owned(), "a b/c".to_owned()));
/// assert_eq!(values[1], ("version".to_owned(), "2".to_owned()));
/// assert!(template.values("docs://").is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriTemplate {
    pub(super) text: Box<str>,
    /// Never two variables beside each other.
    pub(super) parts: Box<[Part]>,
    /// The parameters of `{?…}`.
    pub(super) query: Option<Box<[Box<str>]>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text in its normal form.
    Text(Box<str>),
    Variable {
        name: Box<str>,
        class: Class,
    },
}

/// The characters that a variable matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Those of a path segment.
    Segment,
    /// All but `?`.
    Path,
    All,
}

impl Class {
    /// Whether a character, or the first one of an encoded byte, is among them.
    pub(super) const fn has(self, byte: u8) -> bool {
        match self {
            Self::Segment => !is_separator(byte),
            Self::Path => byte != b'?',
            Self::All => true,
        }
    }
}

/// The values of the variables in a URI, in the template's order; those of the
/// query in the URI's.
pub(crate) type Values<'t> = Vec<(Cow<'t, str>, Cow<'t, str>)>;

impl UriTemplate {
    /// Returns the template as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the names of its variables, in the order of the template.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.required().chain(self.optional())
    }

    /// Returns the variables that every URI gives a value.
    pub(crate) fn required(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { name, .. } => Some(&**name),
            Part::Text(_) => None,
        })
    }

    /// Returns the parameters of the query, which a URI may omit.
    pub(crate) fn optional(&self) -> impl Iterator<Item = &str> {
        self.query.iter().flatten().map(|name| &**name)
    }

    /// Returns the names and decoded values of the variables in `uri`, or `None`
    /// if it does not match. Parameters of a query that the template does not
    /// name are among them.
    #[must_use]
    pub fn values(&self, uri: &str) -> Option<Vec<(String, String)>> {
        let uri = super::normalised(uri).ok()?;
        let values = self.matched(&uri)?.into_iter();
        Some(
            values
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// Returns the decoded values in a URI in its normal form.
    pub(crate) fn matched<'t>(&'t self, uri: &'t str) -> Option<Values<'t>> {
        let (path, query) = match self.query {
            Some(_) => match uri.split_once('?') {
                Some((path, query)) => (path, Some(query)),
                None => (uri, None),
            },
            None => (uri, None),
        };
        let mut values = Vec::new();
        self.match_path(path, &mut values)?;
        if let Some(query) = query {
            if query.contains('#') {
                return None;
            }
            for pair in query.split('&').filter(|pair| !pair.is_empty()) {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                values.push((decoded(name)?, decoded(value)?));
            }
        }
        Some(values)
    }

    /// Matches the parts before the variable that takes any character from the
    /// start, and those after it from the end; without such a variable all from
    /// the start. Variables of a segment are as short as they can be, which
    /// leaves the most to those that follow, so no other choice could match if
    /// this one does not.
    fn match_path<'t>(&'t self, path: &'t str, values: &mut Values<'t>) -> Option<()> {
        let greedy =
            |part: &Part| matches!(part, Part::Variable { class, .. } if *class != Class::Segment);
        let Some(at) = self.parts.iter().position(greedy) else {
            return match_forward(&self.parts, path, true, values).map(drop);
        };
        let (before, rest) = self.parts.split_at(at);
        let [Part::Variable { name, class }, after @ ..] = rest else {
            return None;
        };
        let rest = match_forward(before, path, false, values)?;
        let mut last = Vec::new();
        let value = match_backward(after, rest, &mut last)?;
        if value.is_empty() || !value.bytes().all(|byte| class.has(byte)) {
            return None;
        }
        values.push((Cow::Borrowed(name), decoded(value)?));
        values.extend(last.into_iter().rev());
        Some(())
    }

    /// Returns the URI with these values: percent-encoded, except for the
    /// unreserved characters (and in `{+name}` the reserved ones). A `%` is always
    /// encoded, so that [`values`](Self::values) returns the same values.
    ///
    /// # Errors
    ///
    /// A variable of the path has no value or an empty one, a value has no
    /// variable, or the URI is longer than 2,048 bytes.
    pub fn expand<'v>(
        &self,
        values: impl IntoIterator<Item = (&'v str, &'v str)>,
    ) -> Result<String, ExpandError> {
        let values: Vec<_> = values.into_iter().collect();
        if let Some((name, _)) = values
            .iter()
            .find(|(name, _)| !self.variables().any(|known| known == *name))
        {
            return Err(ExpandError(format!(
                "the template has no variable \"{name}\""
            )));
        }
        let value_of = |of: &str| {
            values
                .iter()
                .find(|(name, _)| *name == of)
                .map(|(_, value)| *value)
        };
        let mut uri = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => uri.push_str(text),
                Part::Variable { name, class } => {
                    let value = value_of(name).filter(|value| !value.is_empty());
                    let value =
                        value.ok_or_else(|| ExpandError(format!("\"{name}\" has no value")))?;
                    push_value(&mut uri, value, |byte| match class {
                        Class::Segment => is_unreserved(byte),
                        class => is_unreserved(byte) || is_reserved(byte) && class.has(byte),
                    });
                }
            }
        }
        let given = self
            .optional()
            .filter_map(|name| Some((name, value_of(name)?)));
        for (at, (name, value)) in given.enumerate() {
            uri.push(if at == 0 { '?' } else { '&' });
            uri.push_str(name);
            uri.push('=');
            push_value(&mut uri, value, is_unreserved);
        }
        match uri.len() > super::LONGEST {
            true => Err(ExpandError(super::UriProblem::TooLong.to_string())),
            false => Ok(uri),
        }
    }
}

/// Matches parts of text and of variables of a segment, from the start of `text`.
/// Returns what is left of it, which is nothing `to_the_end`.
fn match_forward<'t>(
    mut parts: &'t [Part],
    mut text: &'t str,
    to_the_end: bool,
    values: &mut Values<'t>,
) -> Option<&'t str> {
    loop {
        match parts {
            [] if to_the_end && !text.is_empty() => return None,
            [] => return Some(text),
            [Part::Text(first), rest @ ..] => {
                text = text.strip_prefix(&**first)?;
                parts = rest;
            }
            [Part::Variable { name, .. }, rest @ ..] => {
                let end = match rest {
                    [] => text.len(),
                    // The last text is at the end.
                    [Part::Text(last)] if to_the_end => {
                        let end = text.len().checked_sub(last.len())?;
                        (text.ends_with(&**last) && is_whole(text, end)).then_some(end)?
                    }
                    [Part::Text(next), ..] => find(text, next)?,
                    [Part::Variable { .. }, ..] => return None,
                };
                let (value, left) = text.split_at(end);
                values.push((Cow::Borrowed(name), segment(value)?));
                text = left;
                parts = rest;
            }
        }
    }
}

/// Matches parts from the end of `text`; the values are in reverse order. Returns
/// what is left in front.
fn match_backward<'t>(
    mut parts: &'t [Part],
    mut text: &'t str,
    values: &mut Values<'t>,
) -> Option<&'t str> {
    loop {
        match parts {
            [] => return Some(text),
            [rest @ .., Part::Text(last)] => {
                let end = text.len().checked_sub(last.len())?;
                text = (is_whole(text, end)).then(|| text.strip_suffix(&**last))??;
                parts = rest;
            }
            [rest @ .., Part::Variable { name, .. }] => {
                let [.., Part::Text(before)] = rest else {
                    return None;
                };
                let start = rfind(text, before)? + before.len();
                let (left, value) = text.split_at(start);
                values.push((Cow::Borrowed(name), segment(value)?));
                text = left;
                parts = rest;
            }
        }
    }
}

/// Decodes the value of a variable of a segment.
fn segment(value: &str) -> Option<Cow<'_, str>> {
    let fits = !value.is_empty() && value.bytes().all(|byte| Class::Segment.has(byte));
    fits.then(|| decoded(value))?
}

/// Finds the first place of `part` that is not at the start.
fn find(text: &str, part: &str) -> Option<usize> {
    let mut from = 1;
    loop {
        let at = from + next_of(text.get(from..)?, part)?;
        if is_whole(text, at) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Finds the last place of `part` that is not at the end.
fn rfind(text: &str, part: &str) -> Option<usize> {
    let mut to = text.len().checked_sub(1)?;
    loop {
        let at = last_of(text.get(..to)?, part)?;
        if is_whole(text, at) {
            return Some(at);
        }
        to = (at + part.len()).checked_sub(1)?;
    }
}

fn next_of(text: &str, part: &str) -> Option<usize> {
    let at = text.find(part);
    count(at.map_or(text.len(), |at| at + part.len()));
    at
}

fn last_of(text: &str, part: &str) -> Option<usize> {
    let at = text.rfind(part);
    count(text.len() - at.unwrap_or_default());
    at
}

/// Counts the bytes that a search has passed, for the test that a match is linear.
fn count(bytes: usize) {
    #[cfg(test)]
    super::tests::PASSED.with(|passed| passed.set(passed.get() + bytes));
    #[cfg(not(test))]
    let _ = bytes;
}

/// Whether no encoded byte begins before this place and ends after it.
fn is_whole(text: &str, at: usize) -> bool {
    let is_percent = |back: usize| {
        let at = at.checked_sub(back);
        at.and_then(|at| text.as_bytes().get(at)) == Some(&b'%')
    };
    !is_percent(1) && !is_percent(2)
}

impl fmt::Display for UriTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why [`UriTemplate::expand`] made no URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpandError(String);

impl fmt::Display for ExpandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ExpandError {}
