//! Names that every client takes. The protocol allows 128 characters; several
//! clients cut or refuse more than 64.

use super::Noun;

const LONGEST: usize = 64;

/// What is wrong with a name.
pub(crate) fn check(noun: &Noun, name: &str) -> Result<(), String> {
    let word = noun.word;
    if name.is_empty() {
        return Err(format!(
            "the name of a {word} is empty: it must have 1 to {LONGEST} characters"
        ));
    }
    let stranger = name
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')));
    if let Some(stranger) = stranger {
        return Err(format!(
            "the name of a {word} cannot contain {stranger:?}: use ASCII letters, digits, \
             `_`, `-` and `.`"
        ));
    }
    if name.len() > LONGEST {
        return Err(format!(
            "the name of a {word} has at most {LONGEST} characters, this one has {}: \
             write a shorter one with `name = \"…\"`",
            name.len()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    fn check(name: &str) -> Result<(), String> {
        super::check(&crate::tool::NOUN, name)
    }

    #[test]
    fn names_that_clients_take() {
        for name in ["a", "search_web", "Search-Web.v2", "0", &"x".repeat(64)] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn names_that_they_do_not() {
        assert!(check("").is_err_and(|e| e.contains("empty")));
        assert!(check("search web").is_err_and(|e| e.contains("' '")));
        assert!(check("größe").is_err_and(|e| e.contains("'ö'")));
        assert!(check("a/b").is_err_and(|e| e.contains("'/'")));
        assert!(check("a\nb").is_err_and(|e| e.contains("'\\n'")));
        assert!(check(&"x".repeat(65)).is_err_and(|e| e.contains("this one has 65")));
    }
}
