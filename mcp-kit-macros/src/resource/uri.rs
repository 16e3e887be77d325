//! Checks a URI or a template that is written in the attribute. `build()` checks
//! all of it, with the same rules; these are the mistakes that one sees at once.

/// The form of a URI.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    Fixed,
    Template,
}

/// The error is the message.
pub(super) fn check(uri: &str) -> Result<Form, String> {
    check_scheme(uri)?;
    let mut names: Vec<&str> = Vec::new();
    let mut rest = uri;
    let mut before: Option<&str> = None;
    let mut greedy = 0;
    while let Some(at) = rest.find(['{', '}']) {
        let (text, left) = rest.split_at(at);
        check_text(text)?;
        if before.is_some_and(|before| before.starts_with('?')) {
            return Err("`{?…}` must be at the end of the template".to_owned());
        }
        let expression = left
            .strip_prefix('{')
            .and_then(|left| left.split_once('}'))
            .map(|(expression, left)| {
                rest = left;
                expression
            })
            .filter(|expression| !expression.contains('{'))
            .ok_or("a variable is written in braces: `{name}`")?;
        let kind = expression.chars().next();
        if let Some(before) = before.filter(|_| text.is_empty() && kind != Some('?')) {
            return Err(format!(
                "`{{{before}}}` and `{{{expression}}}` need text between them, such as `/`"
            ));
        }
        greedy += usize::from(kind == Some('+'));
        if greedy > 1 {
            return Err(
                "a template has at most one `{+…}`: where the first one ends would be a guess"
                    .to_owned(),
            );
        }
        for name in variables(expression)? {
            if names.contains(&name) {
                return Err(format!("the variable `{name}` appears twice"));
            }
            names.push(name);
        }
        before = Some(expression);
    }
    if !rest.is_empty() && before.is_some_and(|before| before.starts_with('?')) {
        return Err("`{?…}` must be at the end of the template".to_owned());
    }
    check_text(rest)?;
    Ok(match names.is_empty() {
        true => Form::Fixed,
        false => Form::Template,
    })
}

fn check_scheme(uri: &str) -> Result<(), String> {
    let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
    match scheme.starts_with(|c: char| c.is_ascii_lowercase()) && scheme.chars().all(fits) {
        true => Ok(()),
        false => Err("a URI begins with a scheme in lower case: `docs://index`".to_owned()),
    }
}

fn check_text(text: &str) -> Result<(), String> {
    let stranger = text
        .chars()
        .find(|c| !c.is_ascii_graphic() || matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '|'));
    match stranger {
        None => Ok(()),
        Some(stranger) => Err(format!(
            "a URI cannot contain {stranger:?}: percent-encode it, as `%20` for a space"
        )),
    }
}

/// Returns the names in an expression.
fn variables(expression: &str) -> Result<Vec<&str>, String> {
    let is_name = |name: &&str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let names: Vec<&str> = match expression.strip_prefix('?') {
        Some(names) => names.split(',').collect(),
        None => vec![expression.strip_prefix('+').unwrap_or(expression)],
    };
    match names.iter().all(is_name) {
        true => Ok(names),
        false => Err(format!(
            "`{{{expression}}}` is not a variable: write `{{name}}`, `{{+path}}` or `{{?a,b}}`, \
             with ASCII letters, digits and `_`"
        )),
    }
}

/// `type/subtype`, with parameters or without.
pub(super) fn is_mime_type(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
    };
    let essence = text.split_once(';').map_or(text, |(essence, _)| essence);
    text.is_ascii()
        && !text.chars().any(|c| c.is_ascii_control())
        && essence
            .trim_end()
            .split_once('/')
            .is_some_and(|(first, second)| is_word(first) && is_word(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_and_templates_are_distinguished() {
        for uri in ["docs://index", "a:b", "x+y://a?b=c#d", "docs://a%20b"] {
            assert_eq!(check(uri), Ok(Form::Fixed), "{uri}");
        }
        for uri in [
            "docs://{page}",
            "a://{b}/{+c}/d{?e,f}",
            "a://{+b}",
            "a://x{?q}",
        ] {
            assert_eq!(check(uri), Ok(Form::Template), "{uri}");
        }
    }

    #[test]
    fn mistakes_have_a_message() {
        for (uri, expected) in [
            ("", "scheme"),
            ("index", "scheme"),
            ("Docs://index", "scheme"),
            ("{a}://b", "scheme"),
            ("docs://a b", "' '"),
            ("docs://größe", "'ö'"),
            ("docs://{page", "in braces"),
            ("docs://page}", "in braces"),
            ("docs://{a{b}}", "in braces"),
            ("docs://{}", "not a variable"),
            ("docs://{a,b}", "not a variable"),
            ("docs://{a*}", "not a variable"),
            ("docs://{#a}", "not a variable"),
            ("docs://{?}", "not a variable"),
            ("docs://{a}{b}", "text between"),
            ("docs://{a}{+b}", "text between"),
            ("docs://{+a}/{+b}", "at most one"),
            ("docs://{a}/{a}", "twice"),
            ("docs://{a}{?a}", "twice"),
            ("docs://{?a}/x", "at the end"),
            ("docs://{?a}{?b}", "at the end"),
        ] {
            let message = check(uri).unwrap_err();
            assert!(message.contains(expected), "{uri}: {message}");
        }
    }

    #[test]
    fn media_types_have_two_words() {
        for text in [
            "text/plain",
            "text/plain; charset=utf-8",
            "application/vnd.a+json",
            "image/svg+xml",
        ] {
            assert!(is_mime_type(text), "{text}");
        }
        for text in [
            "",
            "text",
            "text/",
            "/plain",
            "text plain",
            "text/a/b",
            "text/ü",
        ] {
            assert!(!is_mime_type(text), "{text}");
        }
    }
}
