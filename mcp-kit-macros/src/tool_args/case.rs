//! serde's `rename_all`, for fields and for variants.

/// A way to write names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Case {
    /// Returns `None` for a text that serde also refuses and reports.
    pub(crate) fn of(text: &str) -> Option<Self> {
        Some(match text {
            "lowercase" => Self::Lower,
            "UPPERCASE" => Self::Upper,
            "PascalCase" => Self::Pascal,
            "camelCase" => Self::Camel,
            "snake_case" => Self::Snake,
            "SCREAMING_SNAKE_CASE" => Self::ScreamingSnake,
            "kebab-case" => Self::Kebab,
            "SCREAMING-KEBAB-CASE" => Self::ScreamingKebab,
            _ => return None,
        })
    }

    /// Renames a field, which Rust writes in `snake_case`.
    pub(crate) fn field(self, name: &str) -> String {
        match self {
            Self::Lower | Self::Snake => name.to_owned(),
            Self::Upper | Self::ScreamingSnake => name.to_ascii_uppercase(),
            Self::Pascal => pascal(name),
            Self::Camel => first_lower(&pascal(name)),
            Self::Kebab => name.replace('_', "-"),
            Self::ScreamingKebab => name.to_ascii_uppercase().replace('_', "-"),
        }
    }

    /// Renames a variant, which Rust writes in `PascalCase`.
    pub(crate) fn variant(self, name: &str) -> String {
        match self {
            Self::Pascal => name.to_owned(),
            Self::Lower => name.to_ascii_lowercase(),
            Self::Upper => name.to_ascii_uppercase(),
            Self::Camel => first_lower(name),
            Self::Snake => snake(name),
            Self::ScreamingSnake => snake(name).to_ascii_uppercase(),
            Self::Kebab => snake(name).replace('_', "-"),
            Self::ScreamingKebab => snake(name).to_ascii_uppercase().replace('_', "-"),
        }
    }
}

fn pascal(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let mut chars = word.chars();
        let first = chars.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(chars).collect::<String>()
    });
    words.collect()
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (i, c) in name.chars().enumerate() {
        if i > 0 && c.is_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

fn first_lower(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        let cases = [
            ("lowercase", "max_results_2", "max_results_2"),
            ("UPPERCASE", "max_results", "MAX_RESULTS"),
            ("PascalCase", "max_results", "MaxResults"),
            ("camelCase", "max_results", "maxResults"),
            ("camelCase", "_private__name", "privateName"),
            ("camelCase", "a", "a"),
            ("snake_case", "max_results", "max_results"),
            ("SCREAMING_SNAKE_CASE", "max_results", "MAX_RESULTS"),
            ("kebab-case", "max_results", "max-results"),
            ("SCREAMING-KEBAB-CASE", "max_results", "MAX-RESULTS"),
        ];
        for (rule, rust, wire) in cases {
            assert_eq!(
                Case::of(rule).map(|case| case.field(rust)).as_deref(),
                Some(wire),
                "{rule}"
            );
        }
    }

    #[test]
    fn variants() {
        let cases = [
            ("lowercase", "MostRecent", "mostrecent"),
            ("UPPERCASE", "MostRecent", "MOSTRECENT"),
            ("PascalCase", "MostRecent", "MostRecent"),
            ("camelCase", "MostRecent", "mostRecent"),
            ("snake_case", "MostRecent", "most_recent"),
            ("snake_case", "HTTPGet", "h_t_t_p_get"),
            ("SCREAMING_SNAKE_CASE", "MostRecent", "MOST_RECENT"),
            ("kebab-case", "MostRecent", "most-recent"),
            ("SCREAMING-KEBAB-CASE", "MostRecent", "MOST-RECENT"),
        ];
        for (rule, rust, wire) in cases {
            assert_eq!(
                Case::of(rule).map(|case| case.variant(rust)).as_deref(),
                Some(wire),
                "{rule}"
            );
        }
    }

    #[test]
    fn other_texts_are_no_case() {
        assert_eq!(Case::of("Camel-Case"), None);
    }
}
