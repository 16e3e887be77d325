//! Names that every client takes. The protocol allows 128 characters; several
//! clients cut or refuse more than 64.

const LONGEST: usize = 64;

/// What is wrong with a tool's name.
pub(crate) fn check(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(format!(
            "a tool's name is empty: give it 1 to {LONGEST} characters"
        ));
    }
    let stranger = name
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')));
    if let Some(stranger) = stranger {
        return Err(format!(
            "a tool's name cannot contain {stranger:?}: use ASCII letters, digits, `_`, `-` and `.`"
        ));
    }
    if name.len() > LONGEST {
        return Err(format!(
            "a tool's name has at most {LONGEST} characters, this one has {}: \
             give a shorter one with `name = \"…\"`",
            name.len()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
