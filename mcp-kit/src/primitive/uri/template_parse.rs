//! Reads a template of URIs. Everything that is wrong has a message that names
//! the place and the fix.

use std::fmt;

use super::template::{Class, Part, UriTemplate};
use super::{LONGEST, normalised};

/// The most variables of a template.
const MOST_VARIABLES: usize = 32;

/// Why a text is not a [`UriTemplate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError(String);

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TemplateError {}

/// Makes the error of a formatted text.
macro_rules! error {
    ($($message:tt)*) => { TemplateError(format!($($message)*)) };
}

impl UriTemplate {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with it and how to write it: no scheme, an
    /// expression that is not one of the three forms, a doubled variable, two
    /// variables without text between them, a second `{+…}`, a character that a
    /// URI cannot contain.
    pub fn parse(template: &str) -> Result<Self, TemplateError> {
        if template.len() > LONGEST {
            return Err(error!("a template has at most {LONGEST} bytes"));
        }
        let mut parts = Vec::new();
        let mut query: Option<Box<[Box<str>]>> = None;
        let mut rest = template;
        while let Some(next) = rest.chars().next() {
            if query.is_some() {
                return Err(error!("{{?…}} must be at the end of the template"));
            }
            if next != '{' {
                let end = rest.find('{').unwrap_or(rest.len());
                let (text, left) = rest.split_at(end);
                rest = left;
                parts.push(Part::Text(literal(text)?.into()));
                continue;
            }
            let Some((expression, left)) = rest[1..].split_once('}') else {
                return Err(error!("\"{rest}\" has no closing brace"));
            };
            rest = left;
            if let Some(names) = expression.strip_prefix('?') {
                let names = names.split(',').map(|name| variable(name, expression));
                query = Some(
                    names
                        .map(|name| name.map(Into::into))
                        .collect::<Result<_, _>>()?,
                );
                continue;
            }
            let (class, name) = match expression.strip_prefix('+') {
                Some(name) => (Class::All, name),
                None => (Class::Segment, expression),
            };
            if let Some(Part::Variable { name: before, .. }) = parts.last() {
                return Err(error!(
                    "{{{before}}} and {{{expression}}} need text between them, such as \"/\""
                ));
            }
            let name = variable(name, expression)?.into();
            parts.push(Part::Variable { name, class });
        }
        Self::checked(template, parts, query)
    }

    fn checked(
        template: &str,
        mut parts: Vec<Part>,
        query: Option<Box<[Box<str>]>>,
    ) -> Result<Self, TemplateError> {
        let scheme = match parts.first() {
            Some(Part::Text(text)) => super::scheme(text),
            _ => None,
        };
        match scheme {
            None => return Err(error!("it must begin with a scheme, such as docs://")),
            Some(scheme) if scheme.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                return Err(error!(
                    "the scheme must be in lower case: {}",
                    scheme.to_ascii_lowercase()
                ));
            }
            Some(_) => {}
        }
        let has_query = query.is_some();
        let mut greedy = 0;
        for part in &mut parts {
            match part {
                Part::Text(text) if has_query && text.contains('?') => {
                    return Err(error!(
                        "a template with {{?…}} has no other \"?\": name all parameters in {{?a,b}}"
                    ));
                }
                Part::Variable { class, .. } if *class == Class::All => {
                    greedy += 1;
                    if has_query {
                        *class = Class::Path;
                    }
                }
                _ => {}
            }
        }
        if greedy > 1 {
            return Err(error!(
                "a template has at most one {{+…}}: where the first one ends would be a guess"
            ));
        }
        let template = Self {
            text: template.into(),
            parts: parts.into(),
            query,
        };
        let names: Vec<_> = template.variables().collect();
        if names.len() > MOST_VARIABLES {
            return Err(error!("a template has at most {MOST_VARIABLES} variables"));
        }
        for (at, name) in names.iter().enumerate() {
            if names[..at].contains(name) {
                return Err(error!("the variable \"{name}\" appears twice"));
            }
        }
        Ok(template)
    }
}

/// Checks a variable's name.
fn variable<'n>(name: &'n str, expression: &str) -> Result<&'n str, TemplateError> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !name.is_empty() && name.bytes().all(is_word) {
        return Ok(name);
    }
    Err(match expression.bytes().next() {
        None => error!("{{}} has no name: write {{name}}"),
        Some(b'#' | b'.' | b'/' | b';' | b'&' | b'=' | b'!' | b'@' | b'|') => {
            error!("{{{expression}}} is not supported: write {{name}}, {{+name}} or {{?a,b}}")
        }
        _ if name.contains(',') => error!(
            "{{{expression}}} has several variables, which only {{?a,b}} can have: write each in braces of its own, with text between them"
        ),
        _ if name.contains(['*', ':']) => error!(
            "{{{expression}}} has a modifier, and modifiers are not supported: write {{name}}, {{+name}} or {{?a,b}}"
        ),
        _ => error!("\"{name}\" is not a variable's name: use A-Z a-z 0-9 _"),
    })
}

/// Checks the text between expressions.
fn literal(text: &str) -> Result<&str, TemplateError> {
    if text.contains('}') {
        return Err(error!(
            "\"{text}\" has a closing brace without an opening one"
        ));
    }
    // A scheme in front makes a whole URI of it.
    let whole = format!("x:{text}");
    match normalised(&whole) {
        Ok(normal) if normal == whole => Ok(text),
        Ok(normal) => Err(error!(
            "\"{text}\" must be written in its normal form: {}",
            &normal[2..]
        )),
        Err(problem) => Err(error!("\"{text}\": {problem}")),
    }
}
